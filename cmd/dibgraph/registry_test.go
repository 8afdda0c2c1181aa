package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// A testRegistry is Debian's registry on this machine, and what was asked of it.
type testRegistry struct {
	host string // with the port
	mu   sync.Mutex
	log  []string
}

var listening = regexp.MustCompile(`listening on (127\.0\.0\.1:\d+)`)

// newRegistry runs a registry that ends with the test, even if that is killed.
func newRegistry(t testing.TB) *testRegistry {
	t.Helper()
	dir := t.TempDir()
	config := "version: 0.1\nlog: {level: info}\nstorage: {filesystem: {rootdirectory: " + dir + "/data}, delete: {enabled: true}}\nhttp: {addr: 127.0.0.1:0}\n"
	if err := os.WriteFile(dir+"/config.yml", []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("docker-registry", "serve", dir+"/config.yml")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Env = []string{"OTEL_TRACES_EXPORTER=none", "PATH=" + os.Getenv("PATH")}
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: dibgraph doctor --install --for-tests installs it", err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill() // may have ended
		cmd.Wait()         // was killed
	})
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		if m := listening.FindStringSubmatch(lines.Text()); m != nil {
			go io.Copy(io.Discard, said) // until it ends
			return serveRegistry(t, m[1])
		}
	}
	t.Fatal("docker-registry did not say where it listens")
	return nil
}

// serveRegistry notes the requests on their way to the registry.
func serveRegistry(t testing.TB, behind string) *testRegistry {
	r := &testRegistry{}
	proxy := &httputil.ReverseProxy{
		// The Host stays: the registry sends clients back to where they asked.
		Rewrite:      func(q *httputil.ProxyRequest) { q.Out.URL.Scheme, q.Out.URL.Host = "http", behind },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.mu.Lock()
		r.log = append(r.log, q.Method+" "+q.URL.Path)
		r.mu.Unlock()
		proxy.ServeHTTP(w, q)
	}))
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	r.host = u.Host
	return r
}

// asked returns how often what was asked since the last call.
func (r *testRegistry) asked(method, part string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, line := range r.log {
		if strings.HasPrefix(line, method) && strings.Contains(line, part) {
			n++
		}
	}
	return n
}

func (r *testRegistry) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = nil
}

func (r *testRegistry) image(name string) string { return fmt.Sprintf("oci://%s/%s", r.host, name) }
