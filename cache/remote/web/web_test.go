package web

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/cache/remote"
	"github.com/dibgraph/dibgraph/cache/remote/conformance"
)

// keep is a server that keeps what is put, in files.
func keep(t *testing.T) http.Handler {
	dir := t.TempDir()
	files := http.FileServer(http.Dir(dir))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPut {
			files.ServeHTTP(w, r)
			return
		}
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		name := dir + path.Clean("/"+r.URL.Path)
		part := fmt.Sprintf("%s.%p", name, r)
		err = errors.Join(os.MkdirAll(path.Dir(name), 0o755), os.WriteFile(part, data, 0o644), os.Rename(part, name))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
}

func serve(t *testing.T, h http.Handler, o Options) *Remote {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	r, err := New(server.URL+"/base", o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFaultsConformance(t *testing.T) { conformance.Run(t, serve(t, keep(t), Options{})) }

// A server that does not know ranges gives all of a content.
func TestFaultsConformanceWithoutRanges(t *testing.T) {
	h := keep(t)
	r := serve(t, http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		q.Header.Del("Range")
		h.ServeHTTP(w, q)
	}), Options{})
	conformance.Run(t, r)
}

func TestCredentials(t *testing.T) {
	var got []string
	h := http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		got = append(got, q.Header.Get("Authorization"))
		http.Error(w, "no\nsecond line", http.StatusForbidden)
	})
	server := httptest.NewServer(h)
	defer server.Close()
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	netrc := ParseNetrc("# ours\nmachine other login x password y\nmachine " + u.Hostname() + "\n login me password secret1\n")
	with := strings.Replace(server.URL, "://", "://you:secret2@", 1)
	for _, test := range []struct {
		address string
		o       Options
		want    string
	}{
		{server.URL, Options{}, ""},
		{server.URL, Options{Login: netrc}, "Basic bWU6c2VjcmV0MQ=="},
		{with, Options{Login: netrc, Token: "secret3"}, "Basic eW91OnNlY3JldDI="},
		{server.URL, Options{Token: "secret3"}, "Bearer secret3"},
	} {
		r, err := New(test.address, test.o)
		if err != nil {
			t.Fatal(err)
		}
		got = nil
		_, err = r.Load(t.Context(), "x", 10)
		var status *remote.StatusError
		if !errors.As(err, &status) || status.Status != http.StatusForbidden || status.Text != "no" {
			t.Errorf("%+v: %v", test, err)
		}
		if len(got) != 1 || got[0] != test.want {
			t.Errorf("%+v: sent %q", test, got)
		}
		if strings.Contains(err.Error()+r.String(), "secret") {
			t.Errorf("a secret is shown: %v", err)
		}
	}
}

// Neither content nor credentials go to a host that the user did not name.
func TestRedirects(t *testing.T) {
	asked := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer other.Close()
	r := serve(t, http.RedirectHandler(other.URL, http.StatusFound), Options{Token: "secret"})
	if _, err := r.Load(t.Context(), "x", 10); err == nil || !strings.Contains(err.Error(), "another host") {
		t.Errorf("got %v", err)
	}
	if asked {
		t.Error("the other host was asked")
	}
}

func TestBadAddresses(t *testing.T) {
	for _, address := range []string{"http://", "http:///x", "https://h/x?y=secret", "http://h/%zz", "http://h/#x"} {
		if _, err := New(address, Options{}); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	r := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3")
		http.Error(w, "busy", http.StatusTooManyRequests)
	}), Options{})
	_, err := r.Load(t.Context(), "x", 10)
	var status *remote.StatusError
	if !errors.As(err, &status) || status.Wait != 3*time.Second {
		t.Errorf("Load = %v (%+v), want one that asks for 3 s", err, status)
	}
}
