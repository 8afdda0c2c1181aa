package oci

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"sync/atomic"

	"github.com/dibgraph/dibgraph/cache/remote"
	"github.com/dibgraph/dibgraph/internal/network"
	"github.com/dibgraph/dibgraph/internal/registry"
	"oras.land/oras-go/v2/registry/remote/auth"
)

// Options are what an address does not say.
type Options struct {
	// Env gives variables of the environment, which name the files of logins.
	Env func(name string) string
	// TLS is how to meet servers; nil is the way of this machine.
	TLS *tls.Config
	// Wrap puts something before the transport, if it is not nil.
	Wrap func(http.RoundTripper) http.RoundTripper
}

// A Registry is a repository of a registry as a [remote.Keeper].
type Registry struct {
	address
	text   string
	client *auth.Client
	// chunked is true once the registry, or what is before it, refused a content
	// in one piece.
	chunked atomic.Bool
	chunk   int64
	// layers is how many contents a manifest speaks of at most.
	layers int
}

var _ remote.Keeper = (*Registry)(nil)

// New returns the remote of an address oci://host[:port]/repository. It asks the
// registry nothing yet. Registries on this machine are asked by plain http, as are
// those with the parameter plain-http=true.
func New(text string, o Options) (*Registry, error) {
	a, err := parse(text)
	if err != nil {
		return nil, err
	}
	transport := http.RoundTripper(network.Transport(o.TLS))
	if o.Wrap != nil {
		transport = o.Wrap(transport)
	}
	client := &auth.Client{
		Client:     &http.Client{Transport: transport},
		Header:     http.Header{"User-Agent": {"dibgraph"}},
		Cache:      auth.NewCache(),
		ClientID:   "dibgraph",
		Credential: registry.Credential(a.reference.Repository, registry.Logins(o.Env)),
	}
	if network.Local(a.reference.Registry) {
		// What gives tokens for a registry of this machine may be there too.
		client.BlockedRealmPrefixes = []netip.Prefix{}
	}
	return &Registry{address: a, text: text, client: client, chunk: chunkSize, layers: layersLimit}, nil
}

// String is the address as the user wrote it.
func (r *Registry) String() string { return r.text }

// request asks the registry. Actions are pull, push and delete, for which one
// token each set is asked for and kept.
func (r *Registry) request(ctx context.Context, method, url string, body func() (io.ReadCloser, error), size int64, header http.Header, actions ...string) (*http.Response, error) {
	ctx = auth.AppendRepositoryScope(ctx, r.reference, actions...)
	request, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return nil, err
	}
	if header != nil {
		request.Header = header
	}
	if body != nil {
		if request.Body, err = body(); err != nil {
			return nil, err
		}
		request.GetBody, request.ContentLength = body, size
		if size == 0 {
			request.Body.Close()
			request.Body, request.GetBody = http.NoBody, nil
		}
	}
	return r.client.Do(request)
}

// failed says what was asked for, where, and what to do.
func (r *Registry) failed(ctx context.Context, asked string, err error) error {
	return fmt.Errorf("%s %s: %w", asked, r.text, r.explain(ctx, err))
}
