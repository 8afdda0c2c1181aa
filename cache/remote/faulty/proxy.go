package faulty

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"sync"
	"testing"
	"time"
)

// A Kind is what requests are about.
type Kind string

// The kinds. Everything is both.
const (
	Everything Kind = "everything"
	Objects    Kind = "objects"
	Contents   Kind = "contents"
)

// KindOf tells from a path what all backends call named objects and contents.
func KindOf(path string) Kind {
	for _, part := range []string{"/blobs/", "/cas/", "/contents/"} {
		if strings.Contains(path, part) {
			return Contents
		}
	}
	return Objects
}

// A Plan says which requests meet a fault.
type Plan struct {
	Fault Fault
	Of    Kind
	// OneIn is of how many requests one meets it, by chance: 1 is each.
	OneIn uint64
	// First is how many requests for the same thing may meet it at most; 0 is
	// any number.
	First int
	Seed  uint64
}

// A Proxy is a server on this machine that hands on to another one. It does no
// harm until it is told to.
type Proxy struct {
	// Host is its address, with the port.
	Host string

	behind    string
	transport *http.Transport
	forward   http.Handler
	ended     chan struct{}

	mu    sync.Mutex
	plan  *Plan
	lie   func(r *http.Request, body []byte) []byte
	asked map[string]int // by what is asked for
	met   int
}

// New runs a proxy until the test ends, before a server at an address that dial
// leads to.
func New(t testing.TB, dial func(ctx context.Context, network, address string) (net.Conn, error), behind string) *Proxy {
	t.Helper()
	p := &Proxy{
		behind: behind, ended: make(chan struct{}),
		transport: &http.Transport{DialContext: dial, MaxIdleConnsPerHost: 32, DisableCompression: true},
	}
	quiet := log.New(io.Discard, "", 0) // of connections that a fault ended
	p.forward = &httputil.ReverseProxy{
		Transport: p.transport, ErrorLog: quiet,
		// The Host stays: servers send clients back to where they asked.
		Rewrite:      func(q *httputil.ProxyRequest) { q.Out.URL.Scheme, q.Out.URL.Host = "http", behind },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	server := httptest.NewUnstartedServer(p)
	server.Config.ErrorLog = quiet
	server.Start()
	t.Cleanup(func() {
		close(p.ended)
		server.CloseClientConnections()
		server.Close()
		p.transport.CloseIdleConnections()
	})
	p.Host = server.Listener.Addr().String()
	return p
}

// Begin starts a plan, in place of an earlier one.
func (p *Proxy) Begin(plan Plan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan, p.met, p.asked = &plan, 0, make(map[string]int)
}

// End ends the plan, and returns how many requests met the fault.
func (p *Proxy) End() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan, p.lie = nil, nil
	return p.met
}

// Lie has the bodies of answers to GET changed until [Proxy.End]: by what a
// server says that somebody else has in his hands. Nil leaves a body as it is.
func (p *Proxy) Lie(change func(r *http.Request, body []byte) []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lie, p.met = change, 0
}

// ServeHTTP implements [http.Handler].
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{p: p, w: w, r: r}
	plan, lie := p.meets(x)
	switch {
	case plan != nil:
		plan.Fault.do(x)
	case lie != nil && r.Method == http.MethodGet:
		x.replace(func(body []byte) []byte {
			changed := lie(r, body)
			if changed == nil {
				return body
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			p.met++
			return changed
		})
	default:
		x.pass()
	}
}

// meets decides about a request.
func (p *Proxy) meets(x *exchange) (*Plan, func(*http.Request, []byte) []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.plan == nil {
		return nil, p.lie
	}
	kind := KindOf(x.r.URL.Path)
	// Registries name uploads at random.
	path, _, _ := strings.Cut(x.r.URL.Path, "/uploads/")
	what := x.r.Method + " " + path
	nth := p.asked[what]
	p.asked[what]++
	hash := fnv.New64a()
	fmt.Fprint(hash, what, " ", nth)
	chance := rand.New(rand.NewPCG(p.plan.Seed, hash.Sum64()))
	hit := chance.Uint64N(p.plan.OneIn) == 0
	x.at = chance.Float64()
	if !hit || p.plan.Of != Everything && p.plan.Of != kind || p.plan.First > 0 && nth >= p.plan.First {
		return nil, nil
	}
	p.met++
	return p.plan, nil
}

const forever = time.Hour

// wait waits for a while, or until the client or the proxy has ended.
func (p *Proxy) wait(r *http.Request, d time.Duration) {
	select {
	case <-time.After(d):
	case <-r.Context().Done():
	case <-p.ended:
	}
}
