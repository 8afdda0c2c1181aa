package oci

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/dibgraph/dibgraph/cache/remote"
	"github.com/dibgraph/dibgraph/internal/network"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// answer is an answer of the registry that is not what was asked for.
type answer struct {
	status int
	codes  []string
	text   string
	wait   time.Duration
}

func (a *answer) Error() string { return a.text }

// Is finds the errors of package remote that an answer means.
func (a *answer) Is(target error) bool {
	switch target {
	case remote.ErrNotFound:
		return a.status == http.StatusNotFound
	case remote.ErrUnsupported:
		return a.status == http.StatusMethodNotAllowed || slices.Contains(a.codes, errcode.ErrorCodeUnsupported)
	}
	return false
}

// Code is the status of the answer.
func (a *answer) Code() int { return a.status }

// RetryAfter is how long the registry asks to be left alone.
func (a *answer) RetryAfter() time.Duration { return a.wait }

// refused reads what is in an answer, and closes it.
func refused(response *http.Response) *answer {
	defer response.Body.Close()
	a := &answer{status: response.StatusCode, wait: remote.RetryAfter(response.Header)}
	var body struct{ Errors errcode.Errors }
	const most = 16 << 10
	if json.NewDecoder(io.LimitReader(response.Body, most)).Decode(&body) == nil {
		for _, e := range body.Errors {
			a.codes = append(a.codes, e.Code)
		}
	}
	a.text = "the registry answers " + describe(a)
	return a
}

func describe(a *answer) string {
	text := strings.TrimSpace(fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)))
	if len(a.codes) > 0 {
		text += fmt.Sprintf(" (%.200q)", strings.Join(a.codes, ", "))
	}
	return text
}

// explain adds what to do.
func (r *Registry) explain(ctx context.Context, err error) error {
	var a *answer
	host := r.reference.Registry
	switch {
	case ctx.Err() != nil:
		return network.Explain(ctx, err)
	case errors.Is(err, auth.ErrBasicCredentialNotFound):
		return fmt.Errorf("the registry wants a login, and there is none: log in with docker login %s or podman login %s", host, host)
	case errors.As(err, &a):
		return fmt.Errorf("%w%s", err, hint(a, host))
	}
	if a := translate(err); a != err {
		return r.explain(ctx, a)
	}
	return network.Explain(ctx, err)
}

// translate turns an answer in the words of the library, as that of a server of
// tokens, into one of ours.
func translate(err error) error {
	var theirs *errcode.ErrorResponse
	if !errors.As(err, &theirs) {
		return err
	}
	a := &answer{status: theirs.StatusCode}
	for _, e := range theirs.Errors {
		a.codes = append(a.codes, e.Code)
	}
	a.text = fmt.Sprintf("%s answers %s", theirs.URL.Host, describe(a))
	return a
}

func hint(a *answer, host string) string {
	switch {
	case a.status == http.StatusUnauthorized:
		return fmt.Sprintf(": check the login with docker login %s or podman login %s", host, host)
	case a.status == http.StatusForbidden:
		return ": this login may not do that: ask who keeps the registry for the permission"
	case slices.Contains(a.codes, errcode.ErrorCodeNameUnknown):
		return ": there is no such repository; most registries make it when something is first stored in it, others want it made first"
	case a.status == http.StatusTooManyRequests:
		return ": the registry has enough of us for now; a login often raises the limit"
	}
	return ""
}
