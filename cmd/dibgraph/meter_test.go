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
	log   []string
	bytes atomic.Int64 // of bodies, both ways
	delay time.Duration
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
		m.mu.Lock()
		m.log = append(m.log, q.Method+" "+q.URL.Path)
		m.mu.Unlock()
		time.Sleep(m.delay) // the way there and back
		m.bytes.Add(max(q.ContentLength, 0))
		proxy.ServeHTTP(&counted{w, m}, q)
	}))
	t.Cleanup(server.Close)
	m.host = strings.TrimPrefix(server.URL, "http://")
	return m
}

type counted struct {
	http.ResponseWriter
	m *meter
}

func (c *counted) Write(p []byte) (int, error) {
	c.m.bytes.Add(int64(len(p)))
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
	m.mu.Lock()
	defer m.mu.Unlock()
	requests, m.log = m.log, nil
	return requests, m.bytes.Swap(0)
}

func (m *meter) forget() { m.since() }

// asked returns how often what was asked since the last since or forget.
func (m *meter) asked(method, part string) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, line := range m.log {
		if strings.HasPrefix(line, method) && strings.Contains(line, part) {
			n++
		}
	}
	return n
}

// image is the address of an image or a repository there.
func (m *meter) image(name string) string { return "oci://" + m.host + "/" + name }
