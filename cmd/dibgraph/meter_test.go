package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/internal/testserver"
)

// A meter is before a server, and counts what is asked of it and what is moved.
type meter struct {
	host  string // with the port
	mu    sync.Mutex
	log   []*exchange
	delay time.Duration
}

// An exchange is a request and its answer.
type exchange struct {
	line  string       // method and path
	bytes atomic.Int64 // of bodies, both ways
}

// newMeter hands everything on to a server that dial leads to.
func newMeter(t testing.TB, dial func(context.Context, string, string) (net.Conn, error), behind string) *meter {
	t.Helper()
	m := &meter{}
	transport := &http.Transport{DialContext: dial, MaxIdleConnsPerHost: 32, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	proxy := &httputil.ReverseProxy{
		Transport: transport,
		// The Host stays: a registry sends clients back to where they asked.
		Rewrite:      func(q *httputil.ProxyRequest) { q.Out.URL.Scheme, q.Out.URL.Host = "http", behind },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		e := &exchange{line: q.Method + " " + q.URL.Path}
		e.bytes.Store(max(q.ContentLength, 0))
		m.mu.Lock()
		m.log = append(m.log, e)
		m.mu.Unlock()
		time.Sleep(m.delay) // the way there and back
		proxy.ServeHTTP(&counted{w, e}, q)
	}))
	t.Cleanup(server.Close)
	m.host = strings.TrimPrefix(server.URL, "http://")
	return m
}

type counted struct {
	http.ResponseWriter
	e *exchange
}

func (c *counted) Write(p []byte) (int, error) {
	c.e.bytes.Add(int64(len(p)))
	return c.ResponseWriter.Write(p)
}

// newRegistry runs Debian's registry behind a meter.
func newRegistry(t testing.TB) *meter {
	t.Helper()
	host, _ := testserver.Registry(t, testserver.RegistryDeletes, "")
	return newMeter(t, (&net.Dialer{}).DialContext, host)
}

// since returns what was asked and moved since the last call.
func (m *meter) since() (requests []string, bytes int64) {
	for _, e := range m.exchanges() {
		requests, bytes = append(requests, e.line), bytes+e.bytes.Load()
	}
	return requests, bytes
}

// exchanges returns and forgets those since the last call.
func (m *meter) exchanges() []*exchange {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.log
	m.log = nil
	return all
}

func (m *meter) forget() { m.since() }

// asked returns how often what was asked since the last since or forget.
func (m *meter) asked(method, part string) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.log {
		if strings.HasPrefix(e.line, method) && strings.Contains(e.line, part) {
			n++
		}
	}
	return n
}

// image is the address of an image or a repository there.
func (m *meter) image(name string) string { return "oci://" + m.host + "/" + name }
