package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/dibgraph/dibgraph/internal/command"
)

func TestMain(m *testing.M) {
	MaybeRun()
	if os.Args[0] == victimName {
		os.Exit(runVictim(os.Args[1:]))
	}
	os.Exit(m.Run())
}

func TestProgramErrorKeepsItsCauses(t *testing.T) {
	exit := &command.ExitError{Command: "mkfs", Status: 1, Output: "no space"}
	for _, test := range []struct {
		name string
		err  error
		ask  func(error) bool
	}{
		{"command", fmt.Errorf("hook: %w", exit), func(err error) bool {
			var got *command.ExitError
			return errors.As(err, &got) && *got == *exit
		}},
		{"errno", fmt.Errorf("write: %w", &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}), func(err error) bool {
			return errors.Is(err, syscall.ENOSPC)
		}},
		{"neither", errors.New("plain"), func(err error) bool {
			var errno syscall.Errno
			return !errors.As(err, &errno)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			text, err := json.Marshal(report{Failure: newProgramError(test.err)})
			if err != nil {
				t.Fatal(err)
			}
			var back report
			if err := json.Unmarshal(text, &back); err != nil {
				t.Fatal(err)
			}
			if got := back.failure(); got.Error() != test.err.Error() || !test.ask(got) {
				t.Errorf("%v crossed as %#v", test.err, got)
			}
		})
	}
}

func TestRegisterTwicePanics(t *testing.T) {
	defer func() {
		if got := fmt.Sprint(recover()); !strings.Contains(got, `"echo"`) {
			t.Errorf("panic %q, want one that names the program", got)
		}
	}()
	Register("echo", programs["echo"])
}

func TestKillOthersOutsidePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("KillOthers ran in an ordinary process")
		}
	}()
	KillOthers()
}
