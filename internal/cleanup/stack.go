package cleanup

import "errors"

// A Stack holds undo functions. The zero value is an empty stack, ready to use.
// A Stack belongs to one goroutine and must not be copied after the first Add.
type Stack struct {
	undo []func() error
}

// Add puts fn on top of the stack: Close calls it before everything added
// earlier.
func (s *Stack) Add(fn func() error) {
	s.undo = append(s.undo, fn)
}

// Close calls all functions, the last added first, and empties the stack, so
// that a second Close does nothing. A function that fails or panics does not
// keep the others from running: the errors are joined, and a panic goes on
// after the rest has run. Functions added while Close runs are called too.
func (s *Stack) Close() error {
	var failed []error
	for len(s.undo) > 0 {
		failed = append(failed, s.pop())
	}
	return errors.Join(failed...)
}

// Move returns a stack with everything s holds and leaves s empty. A
// constructor uses it on success, to hand its undo over to what it returns.
func (s *Stack) Move() Stack {
	moved := Stack{undo: s.undo}
	s.undo = nil
	return moved
}

// pop calls the top function. When that panics, the rest of the stack is
// closed on the way out; its errors are dropped in favour of the panic.
func (s *Stack) pop() error {
	top := s.undo[len(s.undo)-1]
	s.undo = s.undo[:len(s.undo)-1]
	returned := false
	defer func() {
		if !returned {
			s.Close()
		}
	}()
	err := top()
	returned = true
	return err
}
