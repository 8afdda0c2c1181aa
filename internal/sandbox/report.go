package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"syscall"

	"github.com/dibgraph/dibgraph/internal/command"
)

// A report is what comes back from a sandbox.
type report struct {
	Out     json.RawMessage `json:",omitempty"`
	Failure *ProgramError   `json:",omitempty"`
}

func (r report) failure() error {
	if r.Failure == nil {
		return nil
	}
	return r.Failure
}

// A ProgramError says that a program failed, or that it ended without a result.
// Of the error the program returned, its text has crossed, and the parts that a
// caller may ask for with errors.As or errors.Is: an *ExitError of package
// command and a system error number.
type ProgramError struct {
	Message string             // the text of the program's error; empty: it ended without a result
	Exit    *command.ExitError `json:",omitempty"` // the command that failed, if one is the cause
	Errno   syscall.Errno      `json:",omitempty"` // the system error that is the cause, or 0
	Status  int                // of a program without a result: exit status, -1 after a signal
	Signal  syscall.Signal     `json:",omitempty"` // of a program without a result: what killed it
}

func newProgramError(err error) *ProgramError {
	e := &ProgramError{Message: err.Error()}
	errors.As(err, &e.Exit)
	errors.As(err, &e.Errno)
	return e
}

func (e *ProgramError) Error() string {
	switch {
	case e.Message != "":
		return e.Message
	case e.Signal != 0:
		return "killed by signal " + e.Signal.String() + " before it had a result"
	default:
		return fmt.Sprintf("exit status %d without a result", e.Status)
	}
}

// Unwrap gives what crossed of the program's error.
func (e *ProgramError) Unwrap() []error {
	var causes []error
	if e.Exit != nil {
		causes = append(causes, e.Exit)
	}
	if e.Errno != 0 {
		causes = append(causes, e.Errno)
	}
	return causes
}

// signalStatus is the exit status by which init tells that the program was
// killed: 128 plus the signal's number, as shells do. A program that exits with
// such a status by itself is taken for killed.
const signalStatus = 128

// withoutResult makes the error for a program that sent nothing.
func withoutResult(status syscall.WaitStatus) *ProgramError {
	switch {
	case status.Signaled():
		return &ProgramError{Status: -1, Signal: status.Signal()}
	case status.ExitStatus() > signalStatus:
		return &ProgramError{Status: -1, Signal: syscall.Signal(status.ExitStatus() - signalStatus)}
	default:
		return &ProgramError{Status: status.ExitStatus()}
	}
}
