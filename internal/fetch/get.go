package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// errStalled is the cause when a server falls silent.
var errStalled = fmt.Errorf("nothing came for %v", stallPatience)

// Get writes the content of a file to w, which is empty, and returns its
// version. The error is an [*Error], or one of writing; what is in w then is
// worth nothing.
func (c *Client) Get(ctx context.Context, a Address, w *os.File) (Version, error) {
	t := transfer{client: c, from: a, to: w}
	err := c.again(ctx, getAttempts, func() error { return t.attempt(ctx) })
	return t.version, err
}

// Read returns the content of a file of at most limit bytes.
func (c *Client) Read(ctx context.Context, a Address, limit int64) (content []byte, err error) {
	err = c.again(ctx, getAttempts, func() error {
		response, err := c.send(ctx, http.MethodGet, a, nil)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		content, err = io.ReadAll(io.LimitReader(response.Body, limit+1))
		if err != nil {
			return &Error{URL: a.String(), Err: brokenOff(int64(len(content)), err), Passing: ctx.Err() == nil}
		}
		if int64(len(content)) > limit {
			return &Error{URL: a.String(), Err: fmt.Errorf("it has more than %d bytes, which is more than a list of checksums would", limit)}
		}
		return nil
	})
	return content, err
}

// A transfer is one file on its way, over several attempts.
type transfer struct {
	client  *Client
	from    Address
	to      *os.File
	have    int64  // bytes of it that are written
	same    string // validates that they are of what is there now
	version Version
}

// attempt gets what is missing.
func (t *transfer) attempt(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	header := map[string]string{}
	if t.have > 0 && t.same != "" {
		header["Range"] = fmt.Sprintf("bytes=%d-", t.have)
		header["If-Range"] = t.same
	}
	response, err := t.client.send(ctx, http.MethodGet, t.from, header, http.StatusRequestedRangeNotSatisfiable)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if !t.continues(response) {
		if err := t.restart(); err != nil {
			return err
		}
		if response.StatusCode != http.StatusOK {
			// The rest that was asked for is none that the server has.
			return &Error{URL: t.from.String(), Status: response.StatusCode, Passing: true}
		}
		t.same, t.version = validator(response.Header), versionOf(response.Header, response.ContentLength)
	}
	return t.copy(ctx, cancel, response.Body)
}

// continues reports whether an answer is the rest that was asked for.
func (t *transfer) continues(r *http.Response) bool {
	return t.have > 0 && r.StatusCode == http.StatusPartialContent &&
		strings.HasPrefix(r.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", t.have))
}

func (t *transfer) restart() error {
	t.have, t.same = 0, ""
	_, err := t.to.Seek(0, io.SeekStart)
	return errors.Join(err, t.to.Truncate(0))
}

// copy writes the body until its end, or until nothing comes any more.
func (t *transfer) copy(ctx context.Context, cancel context.CancelCauseFunc, body io.Reader) error {
	stall := time.AfterFunc(stallPatience, func() { cancel(errStalled) })
	defer stall.Stop()
	buffer := make([]byte, 256<<10)
	for {
		n, err := body.Read(buffer)
		stall.Reset(stallPatience)
		if n > 0 {
			if _, err := t.to.Write(buffer[:n]); err != nil {
				return fmt.Errorf("write what comes from %s: %w", t.from, err)
			}
			t.have += int64(n)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			cause := context.Cause(ctx)
			if errors.Is(cause, errStalled) {
				err = cause
			}
			return &Error{URL: t.from.String(), Err: brokenOff(t.have, err), Passing: cause == nil || errors.Is(cause, errStalled)}
		}
	}
}

// brokenOff says where a transfer ended that should have gone on.
func brokenOff(after int64, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the connection ended after %d bytes, before the file did: %w", after, err)
	}
	return fmt.Errorf("after %d bytes: %w", after, err)
}
