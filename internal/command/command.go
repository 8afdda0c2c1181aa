package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// outputPatience is how long Run waits, after the program has ended, for
// children it left behind to close an output that is not an *os.File. Nobody
// needs it who passes files, as for the log of a hook.
const outputPatience = 2 * time.Second

// A Cmd says what to run. It may be run more than once, and is not changed.
type Cmd struct {
	// Path of the program; without a slash it is looked up in the PATH of Env
	// (in a default one if Env has none), as seen from Root.
	Path string
	Args []string // what follows the program's name
	Env  []string // the whole environment, "NAME=value"; nothing is inherited
	Dir  string   // working directory, seen from Root; empty: the caller's, in a Root "/"
	Root string   // directory to chroot into; empty: none

	Stdin io.Reader // nil: /dev/null
	// Stdout and Stderr: nil discards, but the end of what went to a nil Stderr
	// (and to Stdout, if that is nil as well) is kept for the error.
	Stdout, Stderr io.Writer

	// Setsid starts the program as the leader of a new session, one without a
	// controlling terminal. Without it, and without a Stdin, it still has a
	// process group of its own: an interrupt from the terminal reaches this
	// process only, which then ends the context.
	Setsid bool
}

// Run runs the program and waits for it. It returns nil when the program exits
// with status 0, an error that wraps *ExitError when it ends in another way, and
// one that wraps the context's cause when the context ended it: then the
// program's process group is killed, without a warning.
func (c Cmd) Run(ctx context.Context) error {
	// The kernel sends the parent-death signal when the thread that started the
	// program ends, so that this one must not end before the program.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	said := &tail{}
	running, err := c.start(ctx, said)
	if err != nil {
		return fmt.Errorf("run %s: %w", c, err)
	}
	err = running.Wait()
	var exit *exec.ExitError
	switch {
	case err == nil || errors.Is(err, exec.ErrWaitDelay):
		// ErrWaitDelay: the program ended well, but a child of it still holds
		// the output. What it says from now on concerns nobody.
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("run %s: %w", c, context.Cause(ctx))
	case errors.As(err, &exit):
		return newExitError(c.String(), exit.ProcessState, said.String())
	default:
		return fmt.Errorf("run %s: %w", c, err)
	}
}

// Output is Run, and returns what the program wrote to its standard output.
// Stdout must be nil.
func (c Cmd) Output(ctx context.Context) ([]byte, error) {
	var out bytes.Buffer
	c.Stdout = &out
	err := c.Run(ctx)
	return out.Bytes(), err
}

// start tries each place where the program can be, as execvp(3) does: the file
// is looked for by the kernel, inside the chroot, where absolute symbolic links
// mean something else than here.
func (c Cmd) start(ctx context.Context, said *tail) (*exec.Cmd, error) {
	if c.Root != "" {
		if info, err := os.Stat(c.Root); err != nil {
			return nil, fmt.Errorf("chroot: %w", err)
		} else if !info.IsDir() {
			return nil, fmt.Errorf("chroot: %q is not a directory", c.Root)
		}
	}
	var refused error
	for _, path := range c.candidates() {
		cmd := c.prepare(ctx, path, said)
		err := cmd.Start()
		switch {
		case err == nil:
			return cmd, nil
		case errors.Is(err, syscall.EACCES):
			refused = err
		case !errors.Is(err, syscall.ENOENT) && !errors.Is(err, syscall.ENOTDIR):
			return nil, err
		case refused == nil:
			refused = err
		}
	}
	if refused == nil {
		return nil, fmt.Errorf("PATH names no absolute directory: %w", os.ErrNotExist)
	}
	return nil, refused
}

func (c Cmd) prepare(ctx context.Context, path string, said *tail) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path)
	// Command notes an error when its own look-up fails; the kernel decides.
	cmd.Err = nil
	cmd.Path = path
	cmd.Args = append([]string{c.Path}, c.Args...)
	cmd.Env = append([]string{}, c.Env...)
	cmd.Dir = c.Dir
	if cmd.Dir == "" && c.Root != "" {
		cmd.Dir = "/"
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Stdin, c.Stdout, c.Stderr
	if c.Stderr == nil {
		cmd.Stderr = said
		if c.Stdout == nil {
			cmd.Stdout = said
		}
	}
	ownGroup := c.Setsid || c.Stdin == nil
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Chroot:    c.Root,
		Setsid:    c.Setsid,
		Setpgid:   ownGroup && !c.Setsid,
		Pdeathsig: syscall.SIGKILL,
	}
	cmd.WaitDelay = outputPatience
	cmd.Cancel = func() error {
		if ownGroup {
			return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		}
		return cmd.Process.Kill()
	}
	return cmd
}
