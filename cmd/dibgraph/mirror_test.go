package main

import (
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// A scriptMirror serves a directory of a script over HTTP, and counts what it
// is asked for. Each script has one.
type scriptMirror struct {
	server   *httptest.Server
	requests atomic.Int64
}

// mirrorKey is where a script keeps it.
type mirrorKey struct{}

// mirror start DIRECTORY serves it until "mirror stop" or the end, and puts
// the address into $MIRROR; what is in it by then is a day old. mirror requests N checks how often it was asked
// since the last such check.
func mirrorCommand(ts *testscript.TestScript, neg bool, args []string) {
	m := ts.Value(mirrorKey{}).(*scriptMirror)
	switch {
	case !neg && len(args) == 2 && args[0] == "start":
		m.start(ts, ts.MkAbs(args[1]))
	case !neg && len(args) == 1 && args[0] == "stop":
		m.server.Close()
	case !neg && len(args) == 2 && args[0] == "requests":
		if got := strconv.FormatInt(m.requests.Swap(0), 10); got != args[1] {
			ts.Fatalf("the mirror was asked %s times, want %s", got, args[1])
		}
	default:
		ts.Fatalf("usage: mirror start directory | stop | requests n")
	}
}

func (m *scriptMirror) start(ts *testscript.TestScript, dir string) {
	yesterday := time.Now().Add(-24 * time.Hour)
	ts.Check(filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Chtimes(path, yesterday, yesterday))
	}))
	files := http.FileServer(http.Dir(dir))
	m.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.requests.Add(1)
		if info, err := os.Stat(filepath.Join(dir, r.URL.Path)); err == nil {
			w.Header().Set("ETag", strconv.Quote(info.ModTime().String()))
		}
		files.ServeHTTP(w, r)
	}))
	ts.Defer(m.server.Close)
	ts.Setenv("MIRROR", m.server.URL)
}
