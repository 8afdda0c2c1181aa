package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"

	"github.com/dibgraph/dibgraph/internal/cleanup"
	"golang.org/x/sys/unix"
)

// Config says what to run in a sandbox. Its working directory is "/", whatever
// the caller's is, so that paths in Input have to be absolute.
type Config struct {
	Program string // a name given to Register
	Input   any    // goes to the program as JSON
	// Stdout and Stderr of everything in the sandbox; nil: /dev/null. Run does
	// not close them, nor Stdin and Extra.
	Stdout, Stderr *os.File
	// Stdin: nil means /dev/null, and a session without a controlling terminal,
	// which no interrupt key reaches.
	Stdin *os.File
	// Extra files for the program, which gets them by the function Extra.
	Extra []*os.File
}

// Run runs the program in new namespaces and waits until every process in them
// is gone. What the program returned is stored in out, which is a pointer or nil,
// also when it returned an error as well. The error wraps a *ProgramError when
// the program failed, and the context's cause when the context has ended; then
// the program was killed.
func Run(ctx context.Context, c Config, out any) error {
	r, err := run(ctx, c)
	if err != nil {
		return fmt.Errorf("sandbox %q: %w", c.Program, err)
	}
	if out != nil && r.Out != nil {
		if err := json.Unmarshal(r.Out, out); err != nil {
			return errors.Join(fmt.Errorf("sandbox %q: result: %w", c.Program, err), r.failure())
		}
	}
	return r.failure()
}

func run(ctx context.Context, c Config) (report, error) {
	input, err := json.Marshal(c.Input)
	if err != nil {
		return report{}, fmt.Errorf("input: %w", err)
	}
	var undo cleanup.Stack
	defer undo.Close() // closing pipes that are done with cannot fail in a way that matters
	pipes, err := openPipes(&undo)
	if err != nil {
		return report{}, err
	}
	// The parent-death signal is sent when the thread that started the child
	// dies, so that this thread stays until the child is gone.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	child := c.command(ctx, pipes)
	if err := child.Start(); ctx.Err() != nil && err != nil {
		return report{}, context.Cause(ctx)
	} else if err != nil {
		return report{}, fmt.Errorf("start in new namespaces, which takes root: %w", err)
	}
	pipes.closeChildEnds()

	sent := make(chan struct{})
	go func() {
		defer close(sent)
		// A program that ends without reading its input says why itself.
		pipes.input[1].Write(input)
		pipes.input[1].Close()
	}()
	received := make(chan []byte, 1)
	go func() {
		text, _ := io.ReadAll(pipes.result[0])
		received <- text
	}()
	waited := child.Wait()
	// Every process of the namespace is gone now, and with them all other ends.
	<-sent
	text := <-received
	if ctx.Err() != nil && waited != nil {
		return report{}, context.Cause(ctx)
	}
	return decode(text, child.ProcessState, waited)
}

// command describes the init process.
func (c Config) command(ctx context.Context, p *pipes) *exec.Cmd {
	child := exec.CommandContext(ctx, "/proc/self/exe")
	child.Args = []string{initName, c.Program, strconv.Itoa(len(c.Extra))}
	child.Env = environment
	child.Dir = "/"
	// An *os.File that is nil must not become an interface that is not.
	if c.Stdin != nil {
		child.Stdin = c.Stdin
	}
	if c.Stdout != nil {
		child.Stdout = c.Stdout
	}
	if c.Stderr != nil {
		child.Stderr = c.Stderr
	}
	child.ExtraFiles = append([]*os.File{p.input[0], p.result[1], p.liveness[0]}, c.Extra...)
	child.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS,
		Pdeathsig:  syscall.SIGKILL,
		Setsid:     c.Stdin == nil,
	}
	return child
}

func decode(text []byte, state *os.ProcessState, waited error) (report, error) {
	status, ok := state.Sys().(syscall.WaitStatus)
	if !ok {
		return report{}, waited
	}
	if len(text) == 0 {
		return report{}, withoutResult(status)
	}
	var r report
	if err := json.Unmarshal(text, &r); err != nil {
		return report{}, fmt.Errorf("result: %w (%v)", err, state)
	}
	if r.Failure == nil && waited != nil {
		// The race detector ends a program in this way, for one.
		return report{}, fmt.Errorf("after it had sent its result: %w", waited)
	}
	return r, nil
}

// pipes between Run and the sandbox, each with its read end first.
type pipes struct {
	input    [2]*os.File // the program's input
	result   [2]*os.File // the report
	liveness [2]*os.File // nothing is ever written; its end means that Run is gone
}

// openPipes opens them all; undo closes every end that is still open.
func openPipes(undo *cleanup.Stack) (*pipes, error) {
	var p pipes
	for _, pipe := range []*[2]*os.File{&p.input, &p.result, &p.liveness} {
		r, w, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		*pipe = [2]*os.File{r, w}
		undo.Add(func() error { return errors.Join(r.Close(), w.Close()) })
	}
	return &p, nil
}

// closeChildEnds closes the ends that the child has inherited.
func (p *pipes) closeChildEnds() {
	p.input[0].Close()
	p.result[1].Close()
	p.liveness[0].Close()
}
