package sandbox

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/internal/command"
	"github.com/dibgraph/dibgraph/internal/mount"
	"github.com/dibgraph/dibgraph/internal/testroot"
	"golang.org/x/sys/unix"
)

func TestInputAndResult(t *testing.T) {
	testroot.Require(t)
	// The long one is more than a pipe holds at once.
	for _, text := range []string{"", "hello", strings.Repeat("long ", 1<<18)} {
		var got string
		if err := Run(t.Context(), Config{Program: "echo", Input: text}, &got); err != nil || got != text {
			t.Errorf("%d bytes went in, %d came back, %v", len(text), len(got), err)
		}
	}
	if err := Run(t.Context(), Config{Program: "echo"}, nil); err != nil {
		t.Errorf("no input, no result: %v", err)
	}
}

func TestWhatAProgramSees(t *testing.T) {
	testroot.Require(t)
	var got view
	if err := Run(t.Context(), Config{Program: "look"}, &got); err != nil {
		t.Fatal(err)
	}
	want := view{PID: got.PID, Host: "dibgraph", Env: environment, Dir: "/", Processes: 2, Mask: 0o022,
		ProcOfInit: "dibgraph-sandbox-init look 0"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("a program sees %+v, want %+v", got, want)
	}
}

func TestFailure(t *testing.T) {
	testroot.Require(t)
	var did map[string]string
	err := Run(t.Context(), Config{Program: "fail"}, &did)
	var failed *ProgramError
	var exit *command.ExitError
	if !errors.As(err, &failed) || !errors.As(err, &exit) || exit.Status != 7 || !strings.HasPrefix(err.Error(), "hook: ") {
		t.Errorf("error %#v, want a ProgramError with the command's exit status 7", err)
	}
	if did["did"] != "something" {
		t.Errorf("result beside the error: %v", did)
	}
}

func TestEndWithoutResult(t *testing.T) {
	testroot.Require(t)
	for _, test := range []struct {
		program string
		want    ProgramError
	}{
		{"panic", ProgramError{Status: 2}},
		{"exit", ProgramError{Status: 9}},
		{"killed", ProgramError{Status: -1, Signal: syscall.SIGKILL}},
	} {
		err := Run(t.Context(), Config{Program: test.program}, nil)
		var got *ProgramError
		if !errors.As(err, &got) || *got != test.want || !strings.Contains(err.Error(), test.program) {
			t.Errorf("%s: %v, want %+v", test.program, err, test.want)
		}
	}
}

func TestBadPrograms(t *testing.T) {
	testroot.Require(t)
	for _, test := range []struct{ program, want string }{
		{"no such", `no program "no such"`},
		{"unmarshalable", "result: json"},
	} {
		err := Run(t.Context(), Config{Program: test.program}, nil)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q in it", test.program, err, test.want)
		}
	}
	err := Run(t.Context(), Config{Program: "echo", Input: "text"}, new(int))
	if err == nil || !strings.Contains(err.Error(), "result") {
		t.Errorf("a result of another type: %v", err)
	}
}

func TestStandardFiles(t *testing.T) {
	testroot.Require(t)
	script := `cat; echo out; echo err >&2; (exec </dev/tty) 2>/dev/null && echo terminal; true`
	for _, in := range []string{"", "in\n"} {
		c := Config{Program: "shell", Input: script, Stdout: temp(t, ""), Stderr: temp(t, "")}
		if in != "" {
			c.Stdin = temp(t, in)
		}
		if err := Run(t.Context(), c, nil); err != nil {
			t.Fatal(err)
		}
		if out, errs := text(t, c.Stdout), text(t, c.Stderr); out != in+"out\n" || errs != "err\n" {
			t.Errorf("stdin %q: stdout %q, stderr %q", in, out, errs)
		}
	}
}

func TestExtraFiles(t *testing.T) {
	testroot.Require(t)
	var got []string
	c := Config{Program: "files", Extra: []*os.File{temp(t, "first"), temp(t, "second")}}
	if err := Run(t.Context(), c, &got); err != nil {
		t.Fatal(err)
	}
	// 3 is the directory that ls itself reads.
	if want := []string{"first", "second", "0 1 2 3"}; !reflect.DeepEqual(got, want) {
		t.Errorf("extra files, and the descriptors of a command: %q, want %q", got, want)
	}
}

// Mounts stay inside even where the mounts outside are shared, as systemd makes
// them all.
func TestMountsDoNotPropagate(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	dir := t.TempDir()
	if err := mount.Type("tmpfs", "tmpfs", dir, 0, ""); err != nil {
		t.Fatal(err)
	}
	defer mount.UnmountTree(dir)
	if err := unix.Mount("", dir, "", unix.MS_SHARED, ""); err != nil {
		t.Fatal(err)
	}
	inside := filepath.Join(dir, "inside")
	if err := os.Mkdir(inside, 0o755); err != nil {
		t.Fatal(err)
	}
	var seen bool
	if err := Run(t.Context(), Config{Program: "mounts", Input: inside}, &seen); err != nil || !seen {
		t.Fatalf("mount inside: seen %v, %v", seen, err)
	}
	var v view
	if err := Run(t.Context(), Config{Program: "look"}, &v); err != nil || v.Tags != nil {
		t.Errorf("mounts that are not private in a sandbox: %v, %v", v.Tags, err)
	}
	list, err := mount.Self()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		if m.Point == inside {
			t.Errorf("the mount shows outside: %+v", m)
		}
	}
}

func TestKillOthers(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	var counts []int
	if err := Run(t.Context(), Config{Program: "daemons", Input: t.TempDir()}, &counts); err != nil {
		t.Fatal(err)
	}
	if len(counts) != 2 || counts[0] != 6 || counts[1] != 0 {
		t.Errorf("processes before and after: %v, want 6 and 0", counts)
	}
}

func TestOrphansAreReaped(t *testing.T) {
	testroot.Require(t)
	var reaped bool
	if err := Run(t.Context(), Config{Program: "orphans"}, &reaped); err != nil || !reaped {
		t.Errorf("a dead orphan was reaped: %v, %v", reaped, err)
	}
}

func TestCancelKillsEverything(t *testing.T) {
	testroot.Require(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("changed my mind")
	mark := uniqueSeconds()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	done := make(chan error)
	go func() {
		done <- Run(ctx, Config{Program: "stay", Input: mark, Stdout: w}, nil)
		w.Close()
	}()
	if line, err := bufio.NewReader(r).ReadString('\n'); line != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	seen(t, mark)
	cancel(why)
	if err := <-done; !errors.Is(err, why) {
		t.Errorf("Run = %v, want the cause of the cancel", err)
	}
	if found := processes(t, mark); len(found) > 0 {
		t.Errorf("still alive when Run returned: %q", found)
	}
	if err := Run(ctx, Config{Program: "echo"}, nil); !errors.Is(err, why) {
		t.Errorf("Run with a context that has ended = %v", err)
	}
}

// A program may start sandboxes of its own; many run at the same time.
func TestManyAtOnce(t *testing.T) {
	testroot.Require(t)
	for i := range 8 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			var got int
			if err := Run(t.Context(), Config{Program: "echo", Input: i}, &got); err != nil || got != i {
				t.Errorf("got %d, %v", got, err)
			}
		})
	}
}

func BenchmarkRun(b *testing.B) {
	testroot.Require(b)
	for b.Loop() {
		if err := Run(b.Context(), Config{Program: "echo"}, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// uniqueSeconds is an argument for sleep(1) by which the process is found again.
func uniqueSeconds() string {
	return fmt.Sprintf("%d.%d", 100000+os.Getpid()%1000, time.Now().UnixNano())
}

// seen waits until a process with mark shows on this machine: what is looked for
// after a kill has to be there before it.
func seen(t *testing.T, mark string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); len(processes(t, mark)) == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the sandboxed process does not show outside")
		}
	}
}

// processes lists the command lines on this machine that contain mark.
func processes(t *testing.T, mark string) []string {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, path := range lines {
		if line, _ := os.ReadFile(path); strings.Contains(string(line), mark) {
			found = append(found, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}

func temp(t *testing.T, content string) *os.File {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if _, err := f.WriteString(content); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Seek(0, 0); err != nil {
		t.Fatal(err)
	}
	return f
}

func text(t *testing.T, f *os.File) string {
	t.Helper()
	content, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
