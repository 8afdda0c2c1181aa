package faulty

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var whole = strings.Repeat("0123456789", 100)

// serve runs a server that has one text everywhere, behind a proxy.
func serve(t *testing.T) *Proxy {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Length", strconv.Itoa(len(whole)))
		_, _ = io.WriteString(w, whole)
	}))
	t.Cleanup(server.Close)
	return New(t, (&net.Dialer{}).DialContext, server.Listener.Addr().String())
}

// ask returns the status and the body of an answer, and what failed.
func ask(p *Proxy, method, path string, timeout time.Duration) (int, string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, "http://"+p.Host+path, nil)
	if err != nil {
		return 0, "", err
	}
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

func TestEachFault(t *testing.T) {
	for _, fault := range Faults() {
		t.Run(fault.Name, func(t *testing.T) {
			p := serve(t)
			p.Begin(Plan{Fault: fault, Of: Everything, OneIn: 1, Seed: 7})
			patience := time.Minute
			hangs := strings.HasPrefix(fault.Name, "hang")
			if hangs {
				patience = 100 * time.Millisecond
			}
			status, body, err := ask(p, http.MethodGet, "/cas/x", patience)
			well := status == http.StatusOK && body == whole && err == nil
			switch {
			case well != (fault.Name == "slow"):
				t.Errorf("answered %d, %d bytes, %v", status, len(body), err)
			case hangs && !errors.Is(err, context.DeadlineExceeded):
				t.Errorf("failed by %v", err)
			}
			if p.End() == 0 {
				t.Error("no request met it")
			}
			if status, body, err := ask(p, http.MethodGet, "/cas/x", time.Minute); status != http.StatusOK || body != whole || err != nil {
				t.Errorf("after its end: answered %d, %d bytes, %v", status, len(body), err)
			}
		})
	}
}

// outcome is which of a number of requests fail.
func outcome(t *testing.T, p *Proxy) (failed []bool) {
	t.Helper()
	for i := range 20 {
		for _, kind := range []string{"/cas/", "/ac/"} {
			status, _, err := ask(p, http.MethodGet, kind+strconv.Itoa(i%5), time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			failed = append(failed, status != http.StatusOK)
		}
	}
	return failed
}

func TestPlans(t *testing.T) {
	p := serve(t)
	unavailable := Faults()[7]
	begin := func(of Kind, oneIn uint64, first int, seed uint64) []bool {
		p.Begin(Plan{Fault: unavailable, Of: of, OneIn: oneIn, First: first, Seed: seed})
		return outcome(t, p)
	}
	count := func(failed []bool) (contents, objects int) {
		for i, f := range failed {
			switch {
			case f && i%2 == 0:
				contents++
			case f:
				objects++
			}
		}
		return contents, objects
	}
	if c, o := count(begin(Contents, 1, 0, 1)); c != 20 || o != 0 {
		t.Errorf("of contents: %d and %d", c, o)
	}
	if c, o := count(begin(Objects, 1, 0, 1)); c != 0 || o != 20 {
		t.Errorf("of objects: %d and %d", c, o)
	}
	if c, o := count(begin(Everything, 1, 1, 1)); c != 5 || o != 5 {
		t.Errorf("the first time: %d and %d", c, o)
	}
	once, again, other := begin(Everything, 2, 0, 1), begin(Everything, 2, 0, 1), begin(Everything, 2, 0, 2)
	if c, o := count(once); c+o == 0 || c+o == 40 {
		t.Errorf("one in two: %d and %d", c, o)
	}
	if !slices.Equal(once, again) || slices.Equal(once, other) {
		t.Errorf("by seed:\n%v\n%v\n%v", once, again, other)
	}
}

func TestLie(t *testing.T) {
	p := serve(t)
	p.Lie(func(r *http.Request, body []byte) []byte {
		if r.URL.Path == "/ac/x" {
			return append(body, "!"...)
		}
		return nil
	})
	for path, want := range map[string]string{"/ac/x": whole + "!", "/ac/y": whole} {
		if _, body, err := ask(p, http.MethodGet, path, time.Minute); body != want || err != nil {
			t.Errorf("%s: %d bytes, %v", path, len(body), err)
		}
	}
	if n := p.End(); n != 1 {
		t.Errorf("lied %d times", n)
	}
}

func TestDamages(t *testing.T) {
	for _, damage := range Damages() {
		t.Run(damage.Name, func(t *testing.T) {
			dir := t.TempDir()
			want := map[string][]byte{"ac/one": []byte("first object"), "ac/two": []byte("second"), "cas/00/00": []byte("content")}
			for name, data := range want {
				file := filepath.Join(dir, name)
				if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, data, 0o644)); err != nil {
					t.Fatal(err)
				}
			}
			if n, err := DamageFiles(dir, damage, Objects, 1, 1); n != 2 || err != nil {
				t.Errorf("damaged %d files, %v", n, err)
			}
			damaged := 0
			for name, data := range want {
				info, err := os.Lstat(filepath.Join(dir, name))
				if err != nil || !info.Mode().IsRegular() {
					damaged++
					continue
				}
				if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(got, data) {
					damaged++
				}
			}
			if damaged == 0 || damaged > 2 {
				t.Errorf("%d of 3 files are others", damaged)
			}
		})
	}
}
