package helper

import "fmt"

// A positionError is a mistake in a file.
type positionError struct {
	file string
	line int
	err  error
}

// at returns an error at a line of a file.
func at(file string, line int, format string, args ...any) error {
	return &positionError{file, line, fmt.Errorf(format, args...)}
}

func (e *positionError) Error() string { return fmt.Sprintf("%s:%d: %v", e.file, e.line, e.err) }
func (e *positionError) Unwrap() error { return e.err }
