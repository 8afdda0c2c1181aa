package command

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// An ExitError says that a program ran and did not end with status 0. It keeps
// its content through JSON, so that it can cross from a sandbox to its parent.
type ExitError struct {
	Command string         // the command line, for people
	Status  int            // exit status; -1 when a signal ended the program
	Signal  syscall.Signal // what ended it; 0 when it exited
	Output  string         // the last lines of output nobody else has got, may be empty
}

func newExitError(command string, state *os.ProcessState, output string) *ExitError {
	e := &ExitError{Command: command, Status: state.ExitCode(), Output: output}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		e.Signal = status.Signal()
	}
	return e
}

// Ending says how the program ended, and no more: "exit status 1".
func (e *ExitError) Ending() string {
	if e.Signal != 0 {
		return "killed by signal " + e.Signal.String()
	}
	return fmt.Sprintf("exit status %d", e.Status)
}

func (e *ExitError) Error() string {
	message := e.Command + ": " + e.Ending()
	for line := range strings.SplitSeq(e.Output, "\n") {
		if line != "" {
			message += "\n\t" + line
		}
	}
	return message
}

// maxTail is how much of the output is kept for an error: the last lines of a
// tool that complains, not its progress.
const maxTail = 2048

// A tail keeps the end of what is written to it.
type tail struct {
	kept []byte
	cut  bool
}

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - maxTail; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
		t.cut = true
	}
	return len(p), nil
}

// String gives whole lines: a first line that was cut is left out.
func (t *tail) String() string {
	text := string(t.kept)
	if t.cut {
		if _, rest, ok := strings.Cut(text, "\n"); ok {
			text = rest
		}
	}
	return strings.ToValidUTF8(strings.TrimRight(text, "\n"), "?")
}
