package main

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// A mirror serves files, each with an ETag of its own, and counts requests.
type mirror struct {
	*httptest.Server
	mu       sync.Mutex
	files    map[string]mirrored
	requests map[string]int // by method and path
}

type mirrored struct{ tag, content string }

func newMirror(t *testing.T) *mirror {
	m := &mirror{files: make(map[string]mirrored), requests: make(map[string]int)}
	m.Server = httptest.NewServer(http.HandlerFunc(m.serve))
	t.Cleanup(m.Close)
	return m
}

func (m *mirror) serve(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests[r.Method+" "+r.URL.Path]++
	f, ok := m.files[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	if f.tag != "" {
		w.Header().Set("ETag", `"`+f.tag+`"`)
	}
	fmt.Fprint(w, f.content)
}

func (m *mirror) put(path, tag, content string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.files[path] = mirrored{tag, content}
}

// asked returns the requests since the last call.
func (m *mirror) asked() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	text := strings.TrimPrefix(fmt.Sprint(m.requests), "map")
	m.requests = make(map[string]int)
	return text
}

// buildApp builds an image of the element app and returns what was said.
func (p *program) buildApp(args ...string) string {
	p.t.Helper()
	_, stderr := p.run(append(append([]string{"build", "-n", "-t", "tar"}, args...), "tiny", "app")...)
	return stderr
}

// wants reports texts that are not said, or, after "!", that are.
func wants(t *testing.T, said string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		not, unwanted := strings.CutPrefix(text, "!")
		if strings.Contains(said, not) == unwanted {
			t.Errorf("want %q in:\n%s", text, said)
		}
	}
}

func TestSource(t *testing.T) {
	p, m := newProgram(t), newMirror(t)
	m.put("/base.txt", "one", "one\n")
	p.write("elements/app/dibgraph.yaml", "sources:\n- name: base\n  url: "+m.URL+"/${DIB_FILE:-base}.txt\n")
	p.write("elements/app/root.d/50-base", "#!/bin/sh\nset -e\ncp $DIB_SOURCES/base $TARGET_ROOT/etc/base\nls $DIB_SOURCES\n")
	p.write("elements/app/root.d/40-other", "#!/bin/sh\ntest -e $DIB_SOURCES/base\n")
	content := func(want string) {
		t.Helper()
		if got := p.tool("tar", "-xOf", "image.tar", "./etc/base"); got != want {
			t.Errorf("the image has %q, want %q", got, want)
		}
	}

	wants(t, p.buildApp(), "ran   source:base", "ran   root.d/50-base")
	content("one\n")
	if got := m.asked(); got != "[GET /base.txt:1]" {
		t.Errorf("the first build made the requests %s", got)
	}

	// Nothing changed: the server is asked, and nothing is fetched.
	wants(t, p.buildApp(), "image: nothing ran")
	if got := m.asked(); got != "[HEAD /base.txt:1]" {
		t.Errorf("a build of nothing made the requests %s", got)
	}

	// Nor is a source fetched again to see whether it is what is recorded.
	wants(t, p.buildApp("--check=source:*"), "image: nothing ran")
	if got := m.asked(); got != "[HEAD /base.txt:1]" {
		t.Errorf("a check made the requests %s", got)
	}

	// The same content under another ETag runs the source alone.
	m.put("/base.txt", "two", "one\n")
	wants(t, p.buildApp(), "run   source:base: "+m.URL+"/base.txt has a new ETag\n", ", same result as before", "image: 1 ran")
	m.asked()

	// Other content runs the hook that was seen to open it.
	m.put("/base.txt", "three", "three\n")
	wants(t, p.buildApp(), "ran   source:base", "run   root.d/50-base: content of source:base changed\n", "!hit   root.d/50", "hit   root.d/40")
	content("three\n")
	out, _ := p.run("explain", "--node", "source:base")
	wants(t, out, "because "+m.URL+"/base.txt has a new ETag\n      - ETag \"two\"\n      + ETag \"three\"\n")
	out, _ = p.run("explain", "--node", "root.d/50-base")
	wants(t, out, "because "+m.URL+"/base.txt has a new ETag\n", "root.d/50-base works on that: content of source:base changed")
	m.asked()

	// A plan asks nobody.
	m.put("/base.txt", "four", "four\n")
	out, _ = p.run("plan", "-n", "-t", "tar", "tiny", "app")
	wants(t, out, "hit   source:base", "!run ", "!maybe ")
	out, _ = p.run("graph", "-n", "-t", "tar", "tiny", "app")
	wants(t, out, "├── source:base (hit)\n")
	if got := m.asked(); got != "[]" {
		t.Errorf("a plan made the requests %s", got)
	}
}

// A source with a checksum is never asked for, and one that is wrong says both
// values and becomes nothing.
func TestSourceWithChecksum(t *testing.T) {
	p, m := newProgram(t), newMirror(t)
	m.put("/base.txt", "", "one\n")
	sum := func(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }
	declare := func(text string) { p.write("elements/app/dibgraph.yaml", "sources:\n- name: base\n"+text) }
	p.write("elements/app/extra-data.d/50-base", "#!/bin/sh\ncp $DIB_SOURCES/base $TMP_MOUNT_PATH/etc/base\n")

	declare("  url: " + m.URL + "/base.txt\n  checksum: sha256:" + sum("other") + "\n")
	said := p.fails(1, "build", "-n", "-t", "tar", "tiny", "app")
	wants(t, said, "elements/app/dibgraph.yaml:2: "+m.URL+"/base.txt: the checksum is wrong: want sha256:"+sum("other")+", got sha256:"+sum("one\n"))

	declare("  url: " + m.URL + "/base.txt\n  checksum: sha256:" + sum("one\n") + "\n")
	wants(t, p.buildApp(), "ran   source:base", "ran   extra-data.d/50-base")
	m.asked()
	wants(t, p.buildApp("--offline"), "hit   source:base", "!note:")
	// Where it is from does not matter any more.
	declare("  url: " + m.URL + "/moved.txt\n  checksum: sha256:" + sum("one\n") + "\n")
	wants(t, p.buildApp(), "image: nothing ran")
	if got := m.asked(); got != "[]" {
		t.Errorf("a known checksum made the requests %s", got)
	}

	// A list of checksums is what is asked for.
	m.put("/SHA256SUMS", "", sum("other")+"  other\n"+sum("one\n")+" *base.txt\n")
	declare("  url: " + m.URL + "/base.txt\n  checksum-url: " + m.URL + "/SHA256SUMS\n")
	wants(t, p.buildApp(), "ran   source:base", "hit   extra-data.d/50-base")
	m.asked()
	m.put("/SHA256SUMS", "", "# made later\n"+sum("one\n")+" *base.txt\n")
	wants(t, p.buildApp(), "image: nothing ran")
	if got := m.asked(); got != "[GET /SHA256SUMS:1]" {
		t.Errorf("a list of checksums made the requests %s", got)
	}
	m.put("/SHA256SUMS", "", sum("two\n")+" *base.txt\n")
	wants(t, p.fails(1, "build", "-n", "-t", "tar", "tiny", "app"),
		"run   source:base: "+m.URL+"/SHA256SUMS lists another checksum\n", "the checksum is wrong")
	m.put("/base.txt", "", "two\n")
	wants(t, p.buildApp(), "run   extra-data.d/50-base: content of source:base changed\n")
	m.put("/SHA256SUMS", "", "")
	wants(t, p.fails(1, "build", "-n", "-t", "tar", "tiny", "app"), "look for newer sources: ", `the list has no checksum of "base.txt"`)
}

// A server that does not answer, or must not be asked, leaves what is known; a
// server that has nothing is an error.
func TestSourceWithoutAnswer(t *testing.T) {
	p, m := newProgram(t), newMirror(t)
	p.write("elements/app/dibgraph.yaml", "sources: [{name: base, url: \""+m.URL+"/base\"}]\n")
	p.write("elements/app/root.d/50-base", "#!/bin/sh\ncat $DIB_SOURCES/base > $TARGET_ROOT/base\n")

	wants(t, p.fails(1, "build", "-n", "-t", "tar", "--offline", "tiny", "app"), "build once without --offline")
	wants(t, p.fails(1, "build", "-n", "-t", "tar", "tiny", "app"), "elements/app/dibgraph.yaml:1: "+m.URL+"/base: the server answers 404 Not Found")

	// Without ETag and Last-Modified it is fetched every time.
	m.put("/base", "", "one")
	p.buildApp()
	wants(t, p.buildApp(), "ran   source:base in ", "same result as before", "image: 1 ran")
	m.put("/base", "tag", "one")
	wants(t, p.buildApp(), "run   source:base: "+m.URL+"/base has a new ETag")
	wants(t, p.buildApp(), "image: nothing ran")

	m.asked()
	wants(t, p.buildApp("--offline"), "note: source \"base\": offline, so "+m.URL+"/base is not asked: what it was on ", "hit   source:base")
	if got := m.asked(); got != "[]" {
		t.Errorf("offline made the requests %s", got)
	}
	p.write("elements/app/dibgraph.yaml", "sources: [{name: base, url: \""+m.URL+"/base\", fresh: 7d}]\n")
	wants(t, p.buildApp(), "image: nothing ran")
	if got := m.asked(); got != "[]" {
		t.Errorf("a fresh source made the requests %s", got)
	}
	p.write("elements/app/dibgraph.yaml", "sources: [{name: base, url: \""+m.URL+"/base\"}]\n")
	m.Close()
	wants(t, p.buildApp(), "note: source \"base\": "+m.URL+"/base: ", "connection refused: what it was on ", "hit   source:base")
}

// What a source mentions counts like what a hook mentions, also where the hook
// finds the source by way of another file.
func TestSourceIsScript(t *testing.T) {
	p, m := newProgram(t), newMirror(t)
	m.put("/install.sh", "one", "#!/bin/sh\nif test -e "+p.path("flag")+"; then echo flag; fi\necho $DIB_APP > $1/etc/app\n")
	p.write("elements/app/dibgraph.yaml", "sources: [{name: install.sh, url: \""+m.URL+"/install.sh\"}]\n")
	p.write("elements/app/root.d/50-app", "#!/bin/sh\n. $TMP_HOOKS_PATH/bin/run-source\n")
	p.write("elements/app/bin/run-source", "sh $DIB_SOURCES/install.sh $TARGET_ROOT\n")
	p.env = append(p.env, "DIB_APP=one")
	p.buildApp()
	p.env = append(p.env, "DIB_APP=two")
	wants(t, p.buildApp(), "run   root.d/50-app: the variable DIB_APP changed\n", "hit   source:install.sh")
	// A file of the host that it looks for in vain counts too.
	p.write("flag", "")
	wants(t, p.buildApp(), "run   root.d/50-app: flag of this host is new\n")
	m.put("/install.sh", "two", "#!/bin/sh\necho three > $1/etc/app\n")
	wants(t, p.buildApp(), "run   root.d/50-app: content of source:install.sh changed")
	if got := p.tool("tar", "-xOf", "image.tar", "./etc/app"); got != "three\n" {
		t.Errorf("the image has %q", got)
	}
}

// A build that is killed in the middle of a transfer leaves nothing that the
// next one would take for the file.
func TestSourceKilled(t *testing.T) {
	p := newProgram(t)
	half, whole := make(chan struct{}), make(chan struct{})
	var again atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"one"`)
		w.Header().Set("Content-Length", "8")
		fmt.Fprint(w, "half")
		if again.Swap(true) {
			fmt.Fprint(w, "half")
			return
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		close(half)
		<-whole
	}))
	defer server.Close()
	defer close(whole) // before the server waits for its requests
	p.write("elements/app/dibgraph.yaml", "sources: [{name: base, url: \""+server.URL+"/base\"}]\n")
	p.write("elements/app/root.d/50-base", "#!/bin/sh\ncp $DIB_SOURCES/base $TARGET_ROOT/etc/base\n")
	killed := p.command("build", "-n", "-t", "tar", "tiny", "app")
	if err := killed.Start(); err != nil {
		t.Fatal(err)
	}
	<-half
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := killed.Wait(); err == nil {
		t.Fatal("the build ended well before it had its source")
	}
	wants(t, p.buildApp(), "ran   source:base")
	if got := p.tool("tar", "-xOf", "image.tar", "./etc/base"); got != "halfhalf" {
		t.Errorf("the image has %q", got)
	}
	if left := p.tool("ls", "store/tmp", "store/trash"); strings.Join(strings.Fields(left), " ") != "store/tmp: store/trash:" {
		t.Errorf("the store has left over\n%s", left)
	}
}

// Hooks on the host that run on the disk can open sources too.
func TestSourceOnDisk(t *testing.T) {
	p, m := newProgram(t), newMirror(t)
	m.put("/late", "one", "one\n")
	m.put("/unused", "one", "one\n")
	p.write("elements/app/dibgraph.yaml", "sources:\n- {name: late, url: \""+m.URL+"/late\"}\n- {name: unused, url: \""+m.URL+"/unused\"}\n")
	p.write("elements/app/cleanup.d/50-late", "#!/bin/sh\ncp $DIB_SOURCES/late $TARGET_ROOT/etc/late\n")
	p.buildApp()
	m.put("/unused", "two", "two\n")
	wants(t, p.buildApp(), "ran   source:unused", "image: 1 ran")
	m.put("/late", "two", "two\n")
	wants(t, p.buildApp(), "run   disk: content of source:late changed\n", "image: 2 ran")
	if got := p.tool("tar", "-xOf", "image.tar", "./etc/late"); got != "two\n" {
		t.Errorf("the image has %q", got)
	}
}

func TestSourceOfThisMachine(t *testing.T) {
	p := newProgram(t)
	p.write("files/base", "one\n")
	p.write("elements/app/dibgraph.yaml", "sources:\n- {name: base, url: files/base}\n- {name: same, url: \"file://"+p.path("files/base")+"\"}\n")
	p.write("elements/app/root.d/50-base", "#!/bin/sh\ncat $DIB_SOURCES/base $DIB_SOURCES/same > $TARGET_ROOT/etc/base\n")
	p.buildApp()
	wants(t, p.buildApp("--offline"), "hit   source:base", "!note:")
	p.write("files/base", "two\n")
	out, _ := p.run("plan", "-n", "-t", "tar", "tiny", "app")
	wants(t, out, "run   source:base: files/base of this host changed")
	wants(t, p.buildApp(), "run   source:base: files/base of this host changed\n", "run   source:same: files/base of this host changed\n")
	if got := p.tool("tar", "-xOf", "image.tar", "./etc/base"); got != "two\ntwo\n" {
		t.Errorf("the image has %q", got)
	}
	p.tool("rm", "files/base")
	wants(t, p.fails(1, "build", "-n", "-t", "tar", "tiny", "app"), "elements/app/dibgraph.yaml:", "no such file or directory")
}
