package stock_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestCacheURL(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed")
	}
	changed := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	var content atomic.Value
	var hours atomic.Int64
	content.Store("first")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/file":
			at := changed.Add(time.Duration(hours.Load()) * time.Hour)
			http.ServeContent(w, r, "", at, strings.NewReader(content.Load().(string)))
		case "/forbidden":
			w.WriteHeader(http.StatusForbidden)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "sub", "file")
	fetch := func(args ...string) int {
		t.Helper()
		_, _, status := run(t, "", []string{"no_proxy=*", "HOME=" + dir}, "cache-url/bin/cache-url", args...)
		return status
	}
	expect := func(when, want string) {
		t.Helper()
		if got, err := os.ReadFile(file); string(got) != want {
			t.Errorf("%s: file holds %q, %v, want %q", when, got, err, want)
		}
	}
	if status := fetch(server.URL+"/file", file); status != 0 {
		t.Fatalf("status %d", status)
	}
	expect("first", "first")
	content.Store("unseen")
	fetch(server.URL+"/file", file)
	expect("up to date", "first")
	fetch("-f", server.URL+"/file", file)
	expect("forced", "unseen")
	content.Store("newer")
	hours.Store(1)
	fetch(server.URL+"/file", file)
	expect("newer on the server", "newer")
	for path, want := range map[string]int{"/missing": 44, "/forbidden": 22} {
		if status := fetch(server.URL+path, file); status != want {
			t.Errorf("%s: status %d, want %d", path, status, want)
		}
	}
	expect("after failures", "newer")
	if entries, err := os.ReadDir(filepath.Dir(file)); err != nil || len(entries) != 1 {
		t.Errorf("%d files are left in the directory, %v", len(entries), err)
	}
}
