package remote

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strconv"
	"time"
)

// ErrLeftOut says that a remote failed too often, and is not asked any more.
var ErrLeftOut = errors.New("left out after failures")

// A StatusError is an answer of a server that is neither what was asked for nor
// that there is none.
type StatusError struct {
	Status int
	// Text is what the server said about it, shortened; it may be empty.
	Text string
	// Wait is how long it asks to be left alone, see [RetryAfter]; 0 is not said.
	Wait time.Duration
}

// Error names the status, and what to do about the usual ones.
func (e *StatusError) Error() string {
	text := fmt.Sprintf("the server answered %d %s", e.Status, http.StatusText(e.Status))
	if e.Text != "" {
		text += ": " + e.Text
	}
	switch e.Status {
	case http.StatusUnauthorized:
		text += " (it wants credentials, or others)"
	case http.StatusForbidden:
		text += " (these credentials do not suffice)"
	case http.StatusInsufficientStorage:
		text += " (it is full)"
	}
	return text
}

// Code is the status.
func (e *StatusError) Code() int { return e.Status }

// RetryAfter is how long the server asks to be left alone.
func (e *StatusError) RetryAfter() time.Duration { return e.Wait }

// RetryAfter reads how long a server asks to be left alone: seconds, or a date
// (RFC 9110, 10.2.3). It is 0 if that is not said, or over.
func RetryAfter(header http.Header) time.Duration {
	text := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if date, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(date))
	}
	return 0
}

// maxWait is the longest that a server may ask for. A build has more to do than to
// wait for a cache: whoever asks for more has failed.
const maxWait = 10 * time.Second

// asksToWait returns how long the server behind an error asks to be left alone.
// Errors of servers tell that with a method RetryAfter.
func asksToWait(err error) time.Duration {
	var busy interface{ RetryAfter() time.Duration }
	if errors.As(err, &busy) {
		return busy.RetryAfter()
	}
	return 0
}

// OtherSize is the error of something that stands where a content belongs and has
// so many bytes: the content is not there. Trying again, or leaving the remote out
// for it, would mend nothing.
func OtherSize(where string, size int64, c Content) error {
	return fmt.Errorf("%s: %w: what is there has %d bytes, not %d", where, ErrNotFound, size, c.Size)
}

// temporary reports whether the same request may succeed a little later. Errors
// of servers tell their status with a method Code.
func temporary(err error) bool {
	var status interface{ Code() int }
	var path *fs.PathError
	var certificate *tls.CertificateVerificationError
	switch {
	case asksToWait(err) > maxWait:
		return false
	case errors.As(err, &status):
		code := status.Code()
		return code >= 500 && code != http.StatusNotImplemented && code != http.StatusInsufficientStorage ||
			code == http.StatusTooManyRequests || code == http.StatusRequestTimeout
	case errors.As(err, &path), errors.As(err, &certificate), errors.Is(err, ErrUnsupported), errors.Is(err, ErrTooLarge),
		errors.Is(err, errStalled):
		return false
	}
	return true // something about the connection
}

// ErrTooLarge says that a named object is larger than whoever asked for it takes.
var ErrTooLarge = errors.New("too large")
