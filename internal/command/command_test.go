package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestOutput(t *testing.T) {
	dir := t.TempDir()
	for _, test := range []struct {
		name string
		cmd  Cmd
		want string
	}{
		{"arguments", Cmd{Path: "echo", Args: []string{"-n", "a b", ""}}, "a b "},
		{"nothing inherited", Cmd{Path: "/usr/bin/env", Env: []string{"A=1"}}, "A=1\n"},
		{"empty environment", Cmd{Path: "/usr/bin/env"}, ""},
		{"standard input is empty", Cmd{Path: "cat"}, ""},
		{"standard input", Cmd{Path: "cat", Stdin: strings.NewReader("in")}, "in"},
		{"directory", Cmd{Path: "pwd", Dir: dir}, dir + "\n"},
		{"own process group", Cmd{Path: "sh", Args: []string{"-c", `test "$(cut -d' ' -f5 /proc/$$/stat)" = $$ && echo yes`}}, "yes\n"},
		{"own session", Cmd{Path: "sh", Args: []string{"-c", `test "$(cut -d' ' -f6 /proc/$$/stat)" = $$ && echo yes`}, Setsid: true}, "yes\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.cmd.Output(t.Context())
			if err != nil || string(got) != test.want {
				t.Errorf("%v wrote %q, %v, want %q", test.cmd, got, err, test.want)
			}
		})
	}
}

func TestExitError(t *testing.T) {
	for _, test := range []struct {
		script string
		want   ExitError
	}{
		{"exit 3", ExitError{Status: 3}},
		{"echo out; echo err >&2; exit 1", ExitError{Status: 1, Output: "out\nerr"}},
		{"kill -9 $$", ExitError{Status: -1, Signal: syscall.SIGKILL}},
	} {
		cmd := Cmd{Path: "/bin/sh", Args: []string{"-c", test.script}}
		err := cmd.Run(t.Context())
		var got *ExitError
		test.want.Command = cmd.String()
		if !errors.As(err, &got) || *got != test.want {
			t.Errorf("%q: %#v, want %#v", test.script, err, test.want)
		}
		var back ExitError
		if text, err := json.Marshal(got); err != nil || json.Unmarshal(text, &back) != nil || back != *got {
			t.Errorf("through JSON %#v became %#v", got, back)
		}
	}
}

func TestExitErrorKeepsTheLastLines(t *testing.T) {
	err := Cmd{Path: "sh", Args: []string{"-c", "i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done; exit 1"}}.Run(t.Context())
	var exit *ExitError
	if !errors.As(err, &exit) {
		t.Fatal(err)
	}
	lines := strings.Split(exit.Output, "\n")
	if last := lines[len(lines)-1]; last != "line 4999" || !strings.HasPrefix(lines[0], "line 4") || len(exit.Output) > maxTail {
		t.Errorf("kept %d bytes from %q to %q", len(exit.Output), lines[0], last)
	}
}

func TestMissingProgram(t *testing.T) {
	for _, cmd := range []Cmd{{Path: "no-such-program"}, {Path: "/no/such/program"}, {Path: "x", Env: []string{"PATH="}}} {
		err := cmd.Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), cmd.Path) {
			t.Errorf("%v: error %v, want one that names it", cmd, err)
		}
	}
}

func TestSearchOrder(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	// Not executable: the search goes on, as execvp does.
	script(t, filepath.Join(first, "tool"), "echo first", 0o644)
	script(t, filepath.Join(second, "tool"), "echo second", 0o755)
	cmd := Cmd{Path: "tool", Env: []string{"PATH=relative::" + first + ":" + second}}
	if got, err := cmd.Output(t.Context()); err != nil || string(got) != "second\n" {
		t.Errorf("%q, %v, want the second tool", got, err)
	}
	cmd.Env = []string{"PATH=" + first}
	if err := cmd.Run(t.Context()); !errors.Is(err, os.ErrPermission) {
		t.Errorf("only a file that is not executable: %v, want a permission error", err)
	}
}

func TestCancelKillsTheGroup(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ready := filepath.Join(t.TempDir(), "ready")
	cmd := Cmd{Path: "sh", Args: []string{"-c", fmt.Sprintf("trap '' TERM INT; sleep 1000 & echo $! >%s.tmp; mv %[1]s.tmp %[1]s; wait", ready)}}
	done := make(chan error)
	go func() { done <- cmd.Run(ctx) }()
	child := await(t, ready)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Run = %v, want context.Canceled", err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		stat, err := os.ReadFile("/proc/" + child + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the child of the killed program is alive: %s", stat)
		}
	}
}

// A daemon that a program leaves behind with its output must not hold up Run.
func TestLeftChildDoesNotBlock(t *testing.T) {
	started := time.Now()
	got, err := Cmd{Path: "sh", Args: []string{"-c", "sleep 600 & echo $!"}}.Output(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(started); took > time.Minute {
		t.Errorf("Run waited %v for the child", took)
	}
	var pid int
	if _, err := fmt.Sscan(string(got), &pid); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Errorf("the child: %v", err)
	}
}

func TestCandidates(t *testing.T) {
	for _, test := range []struct {
		cmd  Cmd
		want []string
	}{
		{Cmd{Path: "/bin/sh"}, []string{"/bin/sh"}},
		{Cmd{Path: "./x"}, []string{"./x"}},
		{Cmd{Path: "x", Env: []string{"PATH=/a", "PATH=/b:c:/d/"}}, []string{"/b/x", "/d/x"}},
	} {
		if got := test.cmd.candidates(); !reflect.DeepEqual(got, test.want) {
			t.Errorf("candidates of %v = %q, want %q", test.cmd, got, test.want)
		}
	}
}

func TestString(t *testing.T) {
	cmd := Cmd{Path: "mkfs.ext4", Args: []string{"-L", "a b", "", "/dev/loop0"}}
	if got, want := cmd.String(), `mkfs.ext4 -L "a b" "" /dev/loop0`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	long := Cmd{Path: "x", Args: []string{strings.Repeat("é", 1000)}}.String()
	if len(long) > maxShown+len("…") {
		t.Errorf("a long command line is shown with %d bytes", len(long))
	}
}

func script(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), mode); err != nil {
		t.Fatal(err)
	}
}

// await waits for a file and returns its content without the newline.
func await(t *testing.T, path string) string {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if text, err := os.ReadFile(path); err == nil {
			return strings.TrimSpace(string(text))
		}
	}
	t.Fatalf("%s did not appear", path)
	return ""
}
