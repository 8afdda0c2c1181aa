package steps

import "github.com/dibgraph/dibgraph/internal/command"

// A FailedError says how a command of an element failed.
type FailedError struct {
	message string
	// Status is its exit status, as a shell has it: 128 and the number of the
	// signal if one ended it.
	Status int
}

func (e *FailedError) Error() string { return e.message }

// shellStatus returns the exit status of a program as a shell has it.
func shellStatus(e *command.ExitError) int {
	if e.Signal != 0 {
		return 128 + int(e.Signal)
	}
	return e.Status
}
