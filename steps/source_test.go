package steps

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/internal/fetch"
)

// said keeps validators in memory.
type said map[string]string

var saidAt = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func (s said) Validator(name string) (string, time.Time, error) { return s[name], saidAt, nil }
func (s said) SetValidator(name, value string) error            { s[name] = value; return nil }

// descriptionOf returns the description of a source, with what it has observed.
func descriptionOf(t *testing.T, s *Source, observed ...string) string {
	t.Helper()
	var d graph.Description
	if err := s.Describe(&d, nil); err != nil {
		t.Fatal(err)
	}
	for _, name := range observed {
		if err := s.Observe(&d, name, nil); err != nil {
			t.Fatal(err)
		}
	}
	return strings.ReplaceAll(d.String(), "\t", ": ")
}

// runSource runs a source and returns what it observed and left.
func runSource(t *testing.T, s *Source) (observed []string, content string, err error) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	w := &graph.Work{Out: t.TempDir(), Log: log}
	if err := s.Run(t.Context(), w); err != nil {
		return nil, "", err
	}
	text, err := os.ReadFile(filepath.Join(w.Out, SourceOutput))
	return w.Observed, string(text), err
}

func TestSourceDescription(t *testing.T) {
	at := fetch.Address{URL: "http://a.invalid/base", Shown: "http://a.invalid/base"}
	secret := fetch.Address{URL: "http://a.invalid/base?key=hidden", Shown: "http://a.invalid/base?key=${KEY}"}
	hidden := graph.DigestText(secret.URL).String()
	list := fetch.Address{URL: "http://a.invalid/SUMS"}
	for _, test := range []struct {
		name   string
		source Source
		want   string
	}{
		{"checksum", Source{Address: at, Checksum: "sha256:00"}, "checksum: sha256:00\n"},
		{"unknown", Source{Address: at, Known: said{}}, "url: \"http://a.invalid/base\"\nvalidator \"http://a.invalid/base\": unknown\n"},
		{"known", Source{Address: at, Known: said{"source http://a.invalid/base": `ETag "a"`}}, "url: \"http://a.invalid/base\"\nvalidator \"http://a.invalid/base\": ETag \"a\"\n"},
		{"list", Source{Address: at, List: list, Known: said{"source http://a.invalid/SUMS base": "sha256:00"}},
			"url: \"http://a.invalid/base\"\nchecksum list: \"http://a.invalid/SUMS\"\nvalidator \"http://a.invalid/SUMS\": sha256:00\n"},
		{"secret", Source{Address: secret, Known: said{"source " + secret.Shown + " " + hidden: "ETag"}},
			"url: \"" + secret.Shown + "\" secret " + hidden + "\nvalidator \"" + secret.Shown + "\": ETag\n"},
		{"absent", Source{Address: fetch.Address{URL: "/nowhere/base"}}, "url: \"/nowhere/base\"\nhost \"/nowhere/base\": absent\n"},
	} {
		if got := descriptionOf(t, &test.source, observedValidator, "something else"); got != test.want {
			t.Errorf("%s: the description is\n%swant\n%s", test.name, got, test.want)
		}
	}
}

// The key of a run is that of what came, whatever was known before, and
// whatever another process learns meanwhile.
func TestSourceKeyIsOfWhatCame(t *testing.T) {
	tag := "b"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", tag)
		fmt.Fprint(w, "content of "+tag)
	}))
	defer server.Close()
	known := said{"source " + server.URL + "/base": "ETag a"}
	s := &Source{Address: fetch.Address{URL: server.URL + "/base"}, Known: known, Client: fetch.New(nil)}
	observed, content, err := runSource(t, s)
	if err != nil || content != "content of b" || len(observed) != 1 {
		t.Fatalf("got %q, observed %q, %v", content, observed, err)
	}
	if got := known["source "+server.URL+"/base"]; got != "ETag b" {
		t.Errorf("what is known afterwards is %q", got)
	}
	known["source "+server.URL+"/base"] = "ETag c"
	if got := descriptionOf(t, s, observed...); !strings.HasSuffix(got, "/base\": ETag b\n") {
		t.Errorf("the description is %s", got)
	}
	// Who asks learns of the next one.
	tag = "d"
	later := &Source{Address: s.Address, Known: known, Client: s.Client}
	if notice, err := later.Ask(t.Context()); notice != "" || err != nil {
		t.Errorf("asking gives %q, %v", notice, err)
	}
	if got := descriptionOf(t, later, observed...); !strings.HasSuffix(got, "/base\": ETag d\n") {
		t.Errorf("after asking the description is %s", got)
	}
}

// A copy of a file counts as what was copied.
func TestSourceOfPath(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "base"), []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &Source{Address: fetch.Address{URL: "base"}, Files: HostFiles{WorkDir: dir}, Offline: true}
	observed, content, err := runSource(t, s)
	if err != nil || content != "one" {
		t.Fatalf("got %q, %v", content, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "base"), []byte("two"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, want := descriptionOf(t, s, observed...), "host \"base\": "+graph.DigestText("one").String()+"\n"; !strings.HasSuffix(got, want) {
		t.Errorf("the description is %s, want %s", got, want)
	}
	s.found = ""
	if got, want := descriptionOf(t, s, observed...), "host \"base\": "+graph.DigestText("two").String()+"\n"; !strings.HasSuffix(got, want) {
		t.Errorf("the next description is %s, want %s", got, want)
	}
	for name, want := range map[string]string{".": "is not a regular file", "none": "no such file"} {
		s := &Source{Address: fetch.Address{URL: name}, Files: s.Files, Place: "dibgraph.yaml:2"}
		if _, _, err := runSource(t, s); err == nil || !strings.HasPrefix(err.Error(), "dibgraph.yaml:2: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", name, err, want)
		}
	}
	s.Checksum = fmt.Sprintf("sha256:%x", sha256.Sum256([]byte("two")))
	if observed, content, err := runSource(t, s); len(observed) > 0 || content != "two" || err != nil {
		t.Errorf("with a checksum: %q, observed %q, %v", content, observed, err)
	}
}

// Of a source that is a text, hooks that open it depend on what it mentions.
func TestTextOfSource(t *testing.T) {
	for text, want := range map[string]bool{
		"#!/bin/sh\necho $DIB_A\n":                  true,
		"\x00DIB_A env":                             false,
		strings.Repeat("DIB_A ", maxSourceText/6):   true,
		strings.Repeat("DIB_A ", maxSourceText/6+1): false,
		"": true,
	} {
		at := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(at)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := keepText(f, int64(len(text)), at+".text"); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(at + ".text")
		if (err == nil) != want || want && string(got) != text {
			t.Errorf("%.30q is kept as %.30q, %v, want a text: %t", text, got, err, want)
		}
	}
}

// Without observation every source counts.
func TestSourcesOpened(t *testing.T) {
	sources := Sources{{Name: SourceNode("base")}, {Name: SourceNode("other")}}
	for observation, want := range map[string]string{
		"all": "source:base source:other", "file sources/other": "source:other only", "file sources/gone": "only",
		"file hooks/sources/base": "", "dir hooks": "",
	} {
		nodes, only := sources.opened(observation)
		var got []string
		for _, n := range nodes {
			got = append(got, n.Name)
		}
		if only {
			got = append(got, "only")
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("opened(%q) = %q, want %q", observation, text, want)
		}
	}
}
