package remote

import (
	"io"
	"sync"
)

// A bodyError is an upload that failed because the bytes to send could not be
// read here, which trying again or leaving the remote out does not mend.
type bodyError struct{ err, cause error }

func (e *bodyError) Error() string   { return e.err.Error() }
func (e *bodyError) Unwrap() []error { return []error{e.err, e.cause} }

// An ownFailure keeps the first error of a body. Transports read bodies in
// goroutines of their own.
type ownFailure struct {
	mu  sync.Mutex
	err error
}

func (o *ownFailure) set(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil && err != io.EOF {
		o.err = err
	}
}

func (o *ownFailure) get() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}
