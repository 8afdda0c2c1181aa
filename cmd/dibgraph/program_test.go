package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dibgraph/dibgraph/internal/testroot"
)

// A program runs dibgraph as a process, in a directory with a store, a home and
// elements of its own besides those of testdata.
type program struct {
	t   *testing.T
	dir string
	env []string
}

// newProgram begins a root test of the program. Such tests run in parallel:
// much of their time is spent waiting for disks and processes.
func newProgram(t *testing.T) *program {
	t.Helper()
	testroot.Require(t)
	t.Parallel()
	testroot.CheckMounts(t)
	shared, err := filepath.Abs(filepath.Join("testdata", "elements"))
	if err != nil {
		t.Fatal(err)
	}
	p := &program{t: t, dir: t.TempDir()}
	p.env = []string{
		"PATH=" + os.Getenv("PATH"), // with dibgraph in front, see TestMain
		"HOME=" + p.path("home"),
		"DIBGRAPH_CACHE=" + p.path("store"),
		"ELEMENTS_PATH=" + p.path("elements") + ":" + shared,
		"DIB_JOURNAL_SIZE=4", // most of the work for a tiny image
	}
	p.write("home/.keep", "")
	p.write("elements/app/README.md", "An element of a test.\n")
	return p
}

func (p *program) path(name string) string { return filepath.Join(p.dir, name) }

// write makes a file; one that starts with "#!" is executable.
func (p *program) write(name, text string) {
	p.t.Helper()
	mode := os.FileMode(0o644)
	if strings.HasPrefix(text, "#!") {
		mode = 0o755
	}
	at := p.path(name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, []byte(text), mode)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *program) read(name string) string {
	p.t.Helper()
	content, err := os.ReadFile(p.path(name))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(content)
}

// command prepares a call of dibgraph.
func (p *program) command(args ...string) *exec.Cmd {
	cmd := exec.Command("dibgraph", args...)
	cmd.Dir, cmd.Env = p.dir, p.env
	return cmd
}

// run runs dibgraph, which must succeed, and returns what it printed.
func (p *program) run(args ...string) (stdout, stderr string) {
	p.t.Helper()
	cmd := p.command(args...)
	var out, err strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &err
	if runErr := cmd.Run(); runErr != nil {
		p.t.Fatalf("dibgraph %q: %v\n%s", args, runErr, &err)
	}
	return out.String(), err.String()
}

// fails runs dibgraph, which must end with an exit status, and returns what it
// said.
func (p *program) fails(status int, args ...string) (stderr string) {
	p.t.Helper()
	cmd := p.command(args...)
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Run(); cmd.ProcessState.ExitCode() != status {
		p.t.Fatalf("dibgraph %q: %v, want status %d\n%s", args, err, status, &said)
	}
	return said.String()
}

// tool runs a program of the host, which must succeed, in the directory.
func (p *program) tool(name string, args ...string) string {
	p.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = p.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		p.t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}
