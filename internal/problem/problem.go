// Package problem holds what is wrong with something that a person wrote, with
// its place in a file and a hint, so that all of it can be shown at once.
package problem

import (
	"errors"
	"fmt"
)

// A Problem is one thing that is wrong with what a person wrote.
type Problem struct {
	// File is where it is written, as the user knows it; empty when it was
	// asked for on the command line or in the environment.
	File string
	// Line counts from 1; 0 is the file as a whole.
	Line int
	// Message says what is wrong.
	Message string
	// Hint says what to do about it, if that is known. It is not part of
	// Error: the program shows it in its own way.
	Hint string
}

// Error returns "file:line: message" in one line, without the hint.
func (p *Problem) Error() string {
	switch {
	case p.File == "":
		return p.Message
	case p.Line == 0:
		return p.File + ": " + p.Message
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Message)
}

// All returns the problems that err is made of, in the order in which
// they were found. It is empty when err holds none.
func All(err error) []*Problem {
	var problems []*Problem
	switch e := err.(type) {
	case *Problem:
		problems = append(problems, e)
	case interface{ Unwrap() []error }:
		for _, part := range e.Unwrap() {
			problems = append(problems, All(part)...)
		}
	case interface{ Unwrap() error }:
		return All(e.Unwrap())
	}
	return problems
}

// Join returns all problems as one error, nil when there are none.
func Join(problems []*Problem) error {
	errs := make([]error, len(problems))
	for i, p := range problems {
		errs[i] = p
	}
	return errors.Join(errs...)
}
