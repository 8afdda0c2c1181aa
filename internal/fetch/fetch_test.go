package fetch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// impatient is a client that does not wait between attempts.
func impatient(environment map[string]string) *Client {
	c := New(environment)
	c.pause = func(int) time.Duration { return 0 }
	return c
}

// serve runs a server that answers the requests in turn, the last answer for
// all further ones. It notes each request in log.
func serve(t *testing.T, log *[]string, answers ...http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := min(len(*log), len(answers)-1)
		*log = append(*log, strings.TrimSpace(r.Method+" "+r.Header.Get("Range")+" "+r.Header.Get("If-Range")))
		answers[n](w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/file"
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// content sends a whole file, with headers "Name: value".
func content(text string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ": ")
			w.Header().Set(name, value)
		}
		fmt.Fprint(w, text)
	}
}

// cut promises a whole file and breaks off after the text.
func cut(text string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		content(text, headers...)(w, r)
		if err := http.NewResponseController(w).Flush(); err != nil {
			panic(err)
		}
		panic(http.ErrAbortHandler)
	}
}

func rest(text, span string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Range", span)
		w.WriteHeader(http.StatusPartialContent)
		fmt.Fprint(w, text)
	}
}

const date = "Fri, 01 May 2026 12:00:00 GMT"

func TestGet(t *testing.T) {
	for _, test := range []struct {
		name     string
		answers  []http.HandlerFunc
		requests string
		want     string // the content and the version, or
		err      string
	}{
		{"whole", []http.HandlerFunc{content("all", `ETag: "a"`)}, "GET", `all ETag "a"`, ""},
		{"date", []http.HandlerFunc{content("all", "Last-Modified: "+date)}, "GET", "all modified " + date + ", 3 bytes", ""},
		{"neither", []http.HandlerFunc{content("all")}, "GET", "all ", ""},
		{"empty", []http.HandlerFunc{content("")}, "GET", " ", ""},
		{"gone on", []http.HandlerFunc{cut("al", `ETag: "a"`), rest("l", "bytes 2-2/3")}, `GET|GET bytes=2- "a"`, `all ETag "a"`, ""},
		{"gone on by date", []http.HandlerFunc{cut("al", "Last-Modified: "+date), rest("l", "bytes 2-2/3")}, "GET|GET bytes=2- " + date, "all modified " + date + ", 1000 bytes", ""},
		{"weak tag", []http.HandlerFunc{cut("xx", `ETag: W/"a"`), content("all")}, "GET|GET", "all ", ""},
		{"nothing to go on with", []http.HandlerFunc{cut("xx"), content("all")}, "GET|GET", "all ", ""},
		{"changed meanwhile", []http.HandlerFunc{cut("xxxxx", `ETag: "a"`), content("all", `ETag: "b"`)}, `GET|GET bytes=5- "a"`, `all ETag "b"`, ""},
		{"another rest", []http.HandlerFunc{cut("xx", `ETag: "a"`), rest("x", "bytes 1-1/3"), content("all")}, `GET|GET bytes=2- "a"|GET`, "all ", ""},
		{"shorter now", []http.HandlerFunc{cut("xx", `ETag: "a"`), status(416), content("all")}, `GET|GET bytes=2- "a"|GET`, "all ", ""},
		{"cut off each time", []http.HandlerFunc{cut("xx")}, "GET|GET|GET|GET", "", "the connection ended after 2 bytes, before the file did"},
		{"500 and then well", []http.HandlerFunc{status(500), status(503), content("all")}, "GET|GET|GET", "all ", ""},
		{"too many", []http.HandlerFunc{status(429), content("all")}, "GET|GET", "all ", ""},
		{"500 each time", []http.HandlerFunc{status(500)}, "GET|GET|GET|GET", "", "the server answers 500 Internal Server Error"},
		{"not found", []http.HandlerFunc{status(404)}, "GET", "", "the server answers 404 Not Found"},
		{"forbidden", []http.HandlerFunc{status(403)}, "GET", "", "the server answers 403 Forbidden"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log []string
			url := serve(t, &log, test.answers...)
			f, err := os.Create(filepath.Join(t.TempDir(), "file"))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			version, err := impatient(nil).Get(t.Context(), Address{URL: url}, f)
			if got := strings.Join(log, "|"); got != test.requests {
				t.Errorf("the requests were %q, want %q", got, test.requests)
			}
			if test.err != "" {
				var e *Error
				if !errors.As(err, &e) || !strings.Contains(err.Error(), test.err) || !strings.HasPrefix(err.Error(), url+": ") {
					t.Errorf("error %v, want one with %q", err, test.err)
				}
				return
			}
			text, readErr := os.ReadFile(f.Name())
			if got := string(text) + " " + string(version); err != nil || readErr != nil || got != test.want {
				t.Errorf("got %q, %v, %v, want %q", got, err, readErr, test.want)
			}
		})
	}
}

// A file that is compressed stays so.
func TestGetKeepsEncoding(t *testing.T) {
	url := serve(t, new([]string), func(w http.ResponseWriter, r *http.Request) {
		if accepted := r.Header.Get("Accept-Encoding"); accepted != "" {
			t.Errorf("the encodings %q are asked for", accepted)
		}
		content("not really", "Content-Encoding: gzip")(w, r)
	})
	text, err := impatient(nil).Read(t.Context(), Address{URL: url}, 100)
	if string(text) != "not really" || err != nil {
		t.Errorf("read %q, %v", text, err)
	}
}

func TestGetIsStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var log []string
	url := serve(t, &log, func(w http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := New(nil).Get(ctx, Address{URL: url}, f); err == nil || Passing(err) || len(log) != 1 {
		t.Errorf("error %v after the requests %q, want one that does not pass, after one", err, log)
	}
}

func TestAsk(t *testing.T) {
	for _, test := range []struct {
		name     string
		answers  []http.HandlerFunc
		requests string
		want     Version
		passing  bool
		err      string
	}{
		{"tag", []http.HandlerFunc{content("all", `ETag: "a"`, "Last-Modified: "+date)}, "HEAD", `ETag "a"`, false, ""},
		{"date", []http.HandlerFunc{content("", "Last-Modified: "+date, "Content-Length: 7")}, "HEAD", "modified " + date + ", 7 bytes", false, ""},
		{"nothing", []http.HandlerFunc{content("all")}, "HEAD", "", false, ""},
		{"no HEAD", []http.HandlerFunc{status(405), content("all", `ETag: "a"`)}, "HEAD|GET", `ETag "a"`, false, ""},
		{"HEAD forbidden", []http.HandlerFunc{status(403), content("all", `ETag: "a"`)}, "HEAD|GET", `ETag "a"`, false, ""},
		{"not there", []http.HandlerFunc{status(404)}, "HEAD|GET", "", false, "404 Not Found"},
		{"busy", []http.HandlerFunc{status(503), content("", `ETag: "a"`)}, "HEAD|HEAD", `ETag "a"`, false, ""},
		{"broken", []http.HandlerFunc{status(502)}, "HEAD|HEAD", "", true, "502 Bad Gateway"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log []string
			url := serve(t, &log, test.answers...)
			got, err := impatient(nil).Ask(t.Context(), Address{URL: url})
			if requests := strings.Join(log, "|"); requests != test.requests {
				t.Errorf("the requests were %q, want %q", requests, test.requests)
			}
			if got != test.want || Passing(err) != test.passing || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("got %q, %v, want %q, %q", got, err, test.want, test.err)
			}
		})
	}
}

func TestReadIsBounded(t *testing.T) {
	url := serve(t, new([]string), content("12345"))
	if text, err := impatient(nil).Read(t.Context(), Address{URL: url}, 5); string(text) != "12345" || err != nil {
		t.Errorf("read %q, %v", text, err)
	}
	if _, err := impatient(nil).Read(t.Context(), Address{URL: url}, 4); err == nil || Passing(err) {
		t.Errorf("error %v, want one that does not pass", err)
	}
}

// Nothing that is secret in an address gets into a message.
func TestErrorsShowNoSecrets(t *testing.T) {
	for _, a := range []Address{
		{URL: "http://me:hidden@127.0.0.1:1/file"},
		{URL: "http://127.0.0.1:1/file?key=hidden", Shown: "http://127.0.0.1:1/file?key=${KEY}"},
		{URL: "http://me:hidden@[::1%/file"},
	} {
		_, err := impatient(nil).Ask(t.Context(), a)
		if err == nil || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: error %v", a.URL, err)
		}
	}
}

func TestProxy(t *testing.T) {
	var log []string
	proxy := serve(t, &log, content("from the proxy", `ETag: "p"`))
	proxy = strings.TrimSuffix(proxy, "/file")
	c := impatient(map[string]string{"http_proxy": proxy})
	if version, err := c.Ask(t.Context(), Address{URL: "http://files.invalid/a"}); version != `ETag "p"` || err != nil {
		t.Errorf("by way of a proxy: %q, %v", version, err)
	}
	c = impatient(map[string]string{"HTTP_PROXY": "http://me:hidden@:bad"})
	if _, err := c.Ask(t.Context(), Address{URL: "http://files.invalid/a"}); err == nil || strings.Contains(err.Error(), "hidden") {
		t.Errorf("a proxy that is none: %v", err)
	}
}

func TestProxies(t *testing.T) {
	environment := map[string]string{"http_proxy": "http://p:1", "HTTPS_PROXY": "q:2", "no_proxy": "a.org,.b.org, *.c.org,192.0.2.0/24,198.51.100.7,d.org:8080"}
	for _, test := range []struct{ url, want string }{
		{"http://x.org/", "http://p:1"},
		{"https://x.org/", "http://q:2"},
		{"http://a.org/", ""}, {"http://sub.A.org/", ""}, {"http://aa.org/", "http://p:1"},
		{"http://b.org/", ""}, {"http://sub.b.org/", ""}, {"http://sub.c.org./", ""},
		{"http://192.0.2.9/", ""}, {"http://192.0.3.9/", "http://p:1"}, {"http://198.51.100.7/", ""},
		{"http://d.org/", "http://p:1"}, {"http://d.org:8080/", ""},
		{"http://localhost:99/", ""}, {"http://127.0.0.2/", ""}, {"http://[::1]/", ""},
	} {
		request, err := http.NewRequest(http.MethodGet, test.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := proxies(environment)(request)
		text := ""
		if got != nil {
			text = got.String()
		}
		if text != test.want || err != nil {
			t.Errorf("the proxy of %s is %q, %v, want %q", test.url, text, err, test.want)
		}
	}
	request, _ := http.NewRequest(http.MethodGet, "http://x.org/", nil)
	if got, err := proxies(map[string]string{"all_proxy": "http://r:3"})(request); err != nil || got.String() != "http://r:3" {
		t.Errorf("all_proxy: %v, %v", got, err)
	}
	if got, err := proxies(map[string]string{"http_proxy": "http://p:1", "NO_PROXY": "*"})(request); err != nil || got != nil {
		t.Errorf("no_proxy *: %v, %v", got, err)
	}
}
