package fetch

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// A Version is what a server says about the present content of a file, in one
// line: the same version is the same content, as far as the server can tell.
// The empty version is that of a server which says nothing of use.
type Version string

// versionOf reads the header of an answer. A length alone is no version: a
// file can change and keep it.
func versionOf(header http.Header, length int64) Version {
	if tag := header.Get("ETag"); tag != "" {
		return Version("ETag " + tag)
	}
	modified := header.Get("Last-Modified")
	if modified == "" {
		return ""
	}
	if length >= 0 {
		return Version(fmt.Sprintf("modified %s, %d bytes", modified, length))
	}
	return Version("modified " + modified)
}

// validator returns what a request for the rest of a file can name, so that
// the server sends all of it if it has changed; empty if nothing is good
// enough for that.
func validator(header http.Header) string {
	if tag := header.Get("ETag"); tag != "" && !strings.HasPrefix(tag, "W/") {
		return tag
	}
	return header.Get("Last-Modified")
}

// Ask returns the version of a file without getting it. The error is an
// [*Error].
func (c *Client) Ask(ctx context.Context, a Address) (version Version, err error) {
	err = c.again(ctx, askAttempts, func() error {
		response, err := c.send(ctx, http.MethodHead, a, nil)
		if err != nil && !Passing(err) {
			// Some servers answer GET only, and signed addresses may be good
			// for that alone. The body is not read.
			response, err = c.send(ctx, http.MethodGet, a, nil)
		}
		if err != nil {
			return err
		}
		response.Body.Close()
		version = versionOf(response.Header, response.ContentLength)
		return nil
	})
	return version, err
}
