package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"
	"oras.land/oras-go/v2/registry/remote/retry"

	"github.com/dibgraph/dibgraph/internal/fetch"
	"github.com/dibgraph/dibgraph/internal/ociimage"
)

// answerPatience is how long a registry may take to answer: some look at a large
// part before they say that they have it.
const answerPatience = 5 * time.Minute

// A Client makes requests. It may be used concurrently.
type Client struct {
	http   *http.Client
	logins []string
}

// New returns a client that uses the proxies and the logins which the
// environment names. Nothing is read before it is needed.
func New(environment map[string]string) *Client {
	transport := fetch.Transport(environment)
	transport.ResponseHeaderTimeout = answerPatience
	return &Client{
		http:   &http.Client{Transport: retry.NewTransport(transport)},
		logins: Logins(func(name string) string { return environment[name] }),
	}
}

// repository returns what holds the image of an address.
func (c *Client) repository(a Address) (*remote.Repository, error) {
	r, err := remote.NewRepository(a.Registry + "/" + a.Repository)
	if err != nil {
		return nil, err
	}
	r.PlainHTTP = a.Plain
	r.Client = &auth.Client{
		// Two repositories may have different logins.
		Client: c.http, Cache: auth.NewCache(), Header: http.Header{"User-Agent": {"dibgraph"}},
		Credential: Credential(a.Repository, c.logins),
	}
	return r, nil
}

// failure returns an error as a [fetch.Error] that names the address.
func failure(ctx context.Context, a Address, err error) error {
	if err == nil {
		return nil
	}
	e := &fetch.Error{URL: a.String(), Err: err, Passing: ctx.Err() == nil}
	var answer *errcode.ErrorResponse
	switch {
	case errors.Is(err, errdef.ErrNotFound):
		e.Passing, e.Err = false, errors.New("the registry has no such image")
	case errors.As(err, &answer):
		e.Passing = answer.StatusCode >= 500 || answer.StatusCode == http.StatusTooManyRequests
		if answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden {
			e.Err = fmt.Errorf("the registry does not let us: log in with docker login or podman login %s: %w", a.Registry, err)
		}
	case errors.Is(err, errdef.ErrInvalidReference), errors.Is(err, errdef.ErrUnsupported), errors.Is(err, errBad), errors.Is(err, ociimage.ErrFormat):
		e.Passing = false
	}
	return e
}

// errBad is an answer that will be no better next time.
var errBad = errors.New("not what was asked for")
