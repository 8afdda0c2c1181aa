package testserver

import (
	"net/http"
	"strings"
	"sync"
)

// A Counter is a transport that counts requests on their way to another.
type Counter struct {
	Base http.RoundTripper
	// Instead, if not nil, may answer or fail in place of the server: with two
	// nils it does not.
	Instead func(*http.Request) (*http.Response, error)

	mu    sync.Mutex
	asked []string
}

// Wrap puts the counter before a transport.
func (c *Counter) Wrap(base http.RoundTripper) http.RoundTripper {
	c.Base = base
	return c
}

// RoundTrip implements [http.RoundTripper].
func (c *Counter) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	c.asked = append(c.asked, r.Method)
	instead := c.Instead
	c.mu.Unlock()
	if instead != nil {
		if response, err := instead(r); response != nil || err != nil {
			return response, err
		}
	}
	return c.Base.RoundTrip(r)
}

// Since returns the methods of the requests since the last call.
func (c *Counter) Since() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() { c.asked = nil }()
	return strings.Join(c.asked, " ")
}
