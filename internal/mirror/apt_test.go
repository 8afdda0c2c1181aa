package mirror

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A fakeMirror serves files from memory.
type fakeMirror struct {
	*httptest.Server
	files    map[string]string
	requests atomic.Int32
}

func newFakeMirror(t *testing.T, files map[string]string) *fakeMirror {
	m := &fakeMirror{files: files}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.requests.Add(1)
		text, ok := m.files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("ETag", fmt.Sprintf(`"%d-%x"`, len(text), text[:min(len(text), 90)]))
		http.ServeContent(w, r, "", time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC), strings.NewReader(text))
	}))
	t.Cleanup(m.Close)
	return m
}

func TestApt(t *testing.T) {
	m := newFakeMirror(t, map[string]string{
		"/debian/dists/bookworm/InRelease":  signed(release(monday, "aaaa"), "one"),
		"/debian/dists/old/updates/Release": release(monday, "aaaa"),
		"/flat/InRelease":                   signed(release(monday, "bbbb"), "one"),
		"/flat/sub/Release":                 release(monday, "cccc"),
	})
	for _, test := range []struct{ uri, suite, sum string }{
		{"/debian", "bookworm", "aaaa"},
		{"/debian/", "bookworm", "aaaa"},
		{"/debian", "old/updates", "aaaa"},
		{"/flat", "./", "bbbb"},
		{"/flat", "/", "bbbb"},
		{"/flat", "sub/", "cccc"},
	} {
		got, err := new(Client).Apt(t.Context(), m.URL+test.uri, test.suite, Validators{})
		if err != nil || !strings.Contains(got.Content, test.sum) {
			t.Errorf("Apt(%q, %q) = %q, %v, want %q in it", test.uri, test.suite, got.Content, err, test.sum)
		}
		if got.Age <= 0 {
			t.Errorf("Apt(%q, %q): age %v", test.uri, test.suite, got.Age)
		}
	}
}

func TestAptUnchanged(t *testing.T) {
	m := newFakeMirror(t, map[string]string{"/dists/s/InRelease": signed(release(monday, "aaaa"), "one")})
	c := new(Client)
	first, err := c.Apt(t.Context(), m.URL, "s", Validators{})
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.Apt(t.Context(), m.URL, "s", first.Validators)
	if err != nil || !again.Unchanged || again.Validators != first.Validators {
		t.Errorf("asked again: %+v, %v, want it unchanged", again, err)
	}
	m.files["/dists/s/InRelease"] = signed(release(tuesday, "bbbb"), "two")
	changed, err := c.Apt(t.Context(), m.URL, "s", first.Validators)
	if err != nil || changed.Unchanged || changed.Content == first.Content {
		t.Errorf("after a change: %+v, %v", changed, err)
	}
}

func TestAptFailures(t *testing.T) {
	whole := signed(release(monday, "aaaa"), "one")
	tests := map[string]struct {
		serve    http.HandlerFunc
		attempts int32
	}{
		"absent":     {http.NotFound, 2}, // InRelease, then Release
		"forbidden":  {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, 1},
		"broken":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, 2},
		"login page": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>log in</html>") }, 1},
		"cut by the connection": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(whole)))
			fmt.Fprint(w, whole[:len(whole)/2])
		}, 2},
		"cut and whole by the length": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, whole[:len(whole)/2]) }, 1},
		"huge": {func(w http.ResponseWriter, _ *http.Request) {
			line := []byte(strings.Repeat("x", 1<<16) + "\n")
			for range maxBody>>16 + 1 {
				if _, err := w.Write(line); err != nil {
					return
				}
			}
		}, 2},
		"not modified, unasked": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) }, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var requests atomic.Int32
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				test.serve(w, r)
			}))
			defer s.Close()
			address := strings.Replace(s.URL, "http://", "http://user:word@", 1)
			got, err := new(Client).Apt(t.Context(), address, "bookworm", Validators{})
			if err == nil {
				t.Fatalf("Apt = %+v, want an error", got)
			}
			if strings.Contains(err.Error(), "word@") {
				t.Errorf("the error shows a password: %v", err)
			}
			if requests.Load() != test.attempts {
				t.Errorf("%d requests, want %d; %v", requests.Load(), test.attempts, err)
			}
		})
	}
}

func TestAptUnreachable(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	_, err := new(Client).Apt(t.Context(), strings.Replace(s.URL, "http://", "http://user:word@", 1), "bookworm", Validators{})
	if err == nil || strings.Contains(err.Error(), "word") {
		t.Errorf("error = %v", err)
	}
}

func TestAptTimeout(t *testing.T) {
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-release:
		}
	}))
	defer s.Close()
	defer close(release)
	_, err := (&Client{Timeout: time.Millisecond}).Apt(t.Context(), s.URL, "s", Validators{})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error = %v, want that the time is over", err)
	}
}

func TestAptDirectory(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "dists/s"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "dists/s/Release"), []byte(release(monday, "aaaa")), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, uri := range []string{"file:" + dir, "file://" + dir, "copy:" + dir} {
		if got, err := new(Client).Apt(t.Context(), uri, "s", Validators{}); err != nil || !strings.Contains(got.Content, "aaaa") {
			t.Errorf("Apt(%q) = %+v, %v", uri, got, err)
		}
	}
	for _, uri := range []string{"cdrom:[Debian]", "mirror+file:/etc/apt/mirrors", "file:" + dir + "/none", ""} {
		if got, err := new(Client).Apt(t.Context(), uri, "s", Validators{}); err == nil {
			t.Errorf("Apt(%q) = %+v, want an error", uri, got)
		}
	}
}

func TestAptCredentialsAndProxy(t *testing.T) {
	var proxied atomic.Value
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, word, _ := r.BasicAuth()
		proxied.Store(r.URL.Host + " " + user + " " + word)
		fmt.Fprint(w, release(monday, "aaaa"))
	}))
	defer proxy.Close()
	c := &Client{
		Environment: map[string]string{"http_proxy": proxy.URL},
		Userinfo:    map[string]*url.Userinfo{"mirror.invalid": url.UserPassword("me", "secret")},
	}
	if _, err := c.Apt(t.Context(), "http://mirror.invalid/debian", "s", Validators{}); err != nil {
		t.Fatal(err)
	}
	if got := proxied.Load(); got != "mirror.invalid me secret" {
		t.Errorf("the proxy was asked for %q", got)
	}
}

func TestDirect(t *testing.T) {
	for _, test := range []struct {
		address, noProxy string
		want             bool
	}{
		{"http://localhost:80/", "", true},
		{"http://127.0.0.1/", "", true},
		{"http://a.example.org/", "", false},
		{"http://a.example.org/", "b.example.org,.example.org", true},
		{"http://a.example.org/", "example.org", true},
		{"http://a.example.org/", "*.example.org", true},
		{"http://aexample.org/", "example.org", false},
		{"http://a.example.org:8080/", "a.example.org:8080", true},
		{"http://a.example.org:8080/", "a.example.org:80", false},
		{"http://192.0.2.7/", "192.0.2.0/24", true},
		{"http://198.51.100.7/", "192.0.2.0/24", false},
		{"http://a.example.org/", "*", true},
	} {
		u, err := url.Parse(test.address)
		if err != nil {
			t.Fatal(err)
		}
		if got := direct(u, test.noProxy); got != test.want {
			t.Errorf("direct(%q, %q) = %t, want %t", test.address, test.noProxy, got, test.want)
		}
	}
}

// The names are what "apt-get --print-uris update" prints for these archives.
func TestListNames(t *testing.T) {
	for _, test := range []struct{ uri, suite, want string }{
		{"http://deb.example.org/debian", "bookworm", "deb.example.org_debian_dists_bookworm_InRelease"},
		{"http://localhost:8080/debian_x/~foo", "bookworm/updates", "localhost:8080_debian%5fx_%7efoo_dists_bookworm_updates_InRelease"},
		{"http://u:p@flat.example.org/a+b", "./", "flat.example.org_a+b_._InRelease"},
		{"http://flat2.example.org/r", "/", "flat2.example.org_r_InRelease"},
		{"http://flat3.example.org/r", "sub/dir/", "flat3.example.org_r_sub_dir_InRelease"},
		{"file:/srv/deb%20ian", "sid", "_srv_deb%20ian_dists_sid_InRelease"},
		{"file:///srv/debian", "sid", "_srv_debian_dists_sid_InRelease"},
	} {
		want := []string{test.want, strings.TrimSuffix(test.want, "InRelease") + "Release"}
		if got := ListNames(test.uri, test.suite); !slices.Equal(got, want) {
			t.Errorf("ListNames(%q, %q) = %q, want %q", test.uri, test.suite, got, want)
		}
	}
}
