package fetch

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// An Error says that a file could not be had.
type Error struct {
	// URL is the address without a password.
	URL string
	// Status is that of the answer, 0 if there was none that could be used.
	Status int
	// Err is what went wrong, if it was not the status.
	Err error
	// Passing says that the same request may succeed later: the server was not
	// reached, or did not answer as it usually would. Otherwise it has answered
	// that there is no such file for us.
	Passing bool
}

func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %v", e.URL, e.Err)
	}
	return fmt.Sprintf("%s: the server answers %d %s", e.URL, e.Status, http.StatusText(e.Status))
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Passing reports whether err is an [Error] that may pass.
func Passing(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Passing
}

// withoutURL takes the address off an error of package http: it is named
// anyway, and may hold a password.
func withoutURL(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
