package qemu

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/dibgraph/dibgraph/internal/cleanup"
	"github.com/dibgraph/dibgraph/internal/command"
)

// ErrOff means that the machine has been switched off, by itself or by Close.
var ErrOff = errors.New("the machine is off")

// A Console is the serial console of a running machine. Its methods may be
// called by several goroutines, but only one should wait in Expect.
type Console struct {
	input *os.File
	stop  context.CancelFunc
	undo  cleanup.Stack
	off   chan struct{} // closed when QEMU has ended

	mu      sync.Mutex
	screen  terminal
	read    int           // how much of the text Expect has gone through
	changed chan struct{} // closed and replaced when there is more text
	failure error         // how QEMU ended; valid once off is closed
}

// Boot starts a machine with image as its disk. It runs until it is switched
// off, ctx ends or Close is called, which the caller must do.
func Boot(ctx context.Context, image string, o Options) (_ *Console, err error) {
	c := &Console{off: make(chan struct{}), changed: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("boot %q: %w", image, err), c.undo.Close())
		}
	}()
	if image, err = filepath.Abs(image); err != nil {
		return nil, err
	}
	if _, err := os.Stat(image); err != nil {
		return nil, err
	}
	p, err := o.plan(image, onThisMachine)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "qemu-")
	if err != nil {
		return nil, err
	}
	c.undo.Add(func() error { return os.RemoveAll(dir) })
	if p.vars != "" {
		vars, err := os.ReadFile(p.vars)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, varsName), vars, 0o600)
		}
		if err != nil {
			return nil, err
		}
	}
	input, output, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	c.input = output
	c.undo.Add(output.Close)
	ctx, c.stop = context.WithCancel(ctx)
	go c.run(ctx, command.Cmd{
		Path: p.program, Args: p.args, Dir: dir, Env: []string{"TMPDIR=" + dir},
		Stdin: input, Stdout: (*sink)(c),
	}, input)
	return c, nil
}

// run runs QEMU to its end. Its input is closed after that, and not before: the
// end of the input would make QEMU close the console.
func (c *Console) run(ctx context.Context, qemu command.Cmd, input *os.File) {
	err := qemu.Run(ctx)
	input.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failure = err
	close(c.off)
}

// A sink is the Console as what QEMU writes to.
type sink Console

func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.screen.Write(p)
	close(s.changed)
	s.changed = make(chan struct{})
	return len(p), nil
}

// Expect waits until the console has shown something that matches the regular
// expression, and returns what was shown since the last call, the match
// included. Escape sequences and carriage returns are not seen. The error wraps
// ErrOff or the context's cause, and quotes the last lines of the console.
func (c *Console) Expect(ctx context.Context, pattern string) (string, error) {
	expression, err := regexp.Compile(pattern)
	if err != nil {
		return "", fmt.Errorf("console: %w", err)
	}
	for {
		shown, changed, ok := c.take(expression)
		if ok {
			return shown, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return "", c.missed(pattern, context.Cause(ctx))
		case <-c.off:
			// What came last may have come after take.
			if shown, _, ok := c.take(expression); ok {
				return shown, nil
			}
			return "", c.missed(pattern, c.ended())
		}
	}
}

// take looks for the expression in the text that is not read yet.
func (c *Console) take(expression *regexp.Regexp) (shown string, changed <-chan struct{}, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	unread := c.screen.text[c.read:]
	match := expression.FindIndex(unread)
	if match == nil {
		return "", c.changed, false
	}
	c.read += match[1]
	return string(unread[:match[1]]), nil, true
}

func (c *Console) ended() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failure != nil {
		return fmt.Errorf("%w: %w", ErrOff, c.failure)
	}
	return ErrOff
}

// lastLines is how many lines of the console go into an error: about a screen.
const lastLines = 25

func (c *Console) missed(pattern string, cause error) error {
	lines := strings.Split(strings.TrimRight(c.Log(), "\n"), "\n")
	lines = lines[max(0, len(lines)-lastLines):]
	return fmt.Errorf("console: waiting for %q: %w; its last lines:\n\t%s", pattern, cause, strings.Join(lines, "\n\t"))
}

// Send types text on the console; "\n" is the enter key.
func (c *Console) Send(text string) error {
	if _, err := c.input.WriteString(strings.ReplaceAll(text, "\n", "\r")); err != nil {
		return fmt.Errorf("console: send: %w", err)
	}
	return nil
}

// Log gives everything the console has shown so far, as Expect sees it.
func (c *Console) Log() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.screen.text)
}

// Close switches the machine off, if it is not, and waits for the end of QEMU.
// The log stays readable.
func (c *Console) Close() error {
	c.stop()
	<-c.off
	return c.undo.Close()
}
