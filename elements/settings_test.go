package elements

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/dibgraph/dibgraph/internal/fetch"
	"github.com/dibgraph/dibgraph/internal/strictyaml"
)

const anySum = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

// readText reads a dibgraph.yaml of an element with a few hooks.
func readText(text string) (Settings, []*Problem) {
	r := settingsReader{
		Reader:    strictyaml.Reader{File: "app/dibgraph.yaml"},
		variables: map[string]string{"ARCH": "amd64", "DIB_RELEASE": "trixie", "DIB_TOKEN": "hidden", "EMPTY": "", "USERINFO": "me:hidden@"},
		hooks:     []string{"install.d", "install.d/50-app", "post-root.d"},
	}
	return r.read([]byte(text)), r.Problems
}

func TestSettings(t *testing.T) {
	got, problems := readText(`
sources:
- name: base
  url: https://example.org/$DIB_RELEASE/base-${ARCH}.tar.xz
  checksum: ` + strings.ToUpper(anySum[:10]) + anySum[10:] + `
- name: tool-1.2_x+y
  url: http://example.org/tool?key=${DIB_TOKEN}
  checksum-url: http://user:pw@example.org/SHA256SUMS
  fresh: 24h
- {name: local, url: files/local.tar, fresh: never}
- {name: other, url: 'file:///srv/${NOWHERE:-other}$$.tar'}
inputs:
  files: [/etc/app.conf, ~/.app, "${EMPTY:-x}/y"]
  variables: [BUILD_NUMBER]
volatile: [/var/lib/app/**, 'srv/*.log']
network:
  install.d: false
  install.d/50-app: true
refresh:
  install.d/*: max-age=7d
  finalise.d/*: keep
`)
	if len(problems) > 0 {
		t.Fatalf("problems: %v", problems)
	}
	place := func(line int, s Source) Source {
		s.file, s.line = "app/dibgraph.yaml", line
		return s
	}
	same := func(url string) fetch.Address { return fetch.Address{URL: url, Shown: url} }
	want := Settings{
		Sources: []Source{
			place(3, Source{Name: "base", Address: same("https://example.org/trixie/base-amd64.tar.xz"), Checksum: anySum}),
			place(6, Source{
				Name:        "tool-1.2_x+y",
				Address:     fetch.Address{URL: "http://example.org/tool?key=hidden", Shown: "http://example.org/tool?key=${DIB_TOKEN}"},
				ChecksumURL: fetch.Address{URL: "http://user:pw@example.org/SHA256SUMS", Shown: "http://user:xxxxx@example.org/SHA256SUMS"},
				Fresh:       "24h",
			}),
			place(10, Source{Name: "local", Address: same("files/local.tar"), Fresh: "never"}),
			place(11, Source{Name: "other", Address: same("file:///srv/other$.tar")}),
		},
		InputFiles:     []string{"/etc/app.conf", "~/.app", "x/y"},
		InputVariables: []string{"BUILD_NUMBER"},
		Volatile:       []string{"var/lib/app/**", "srv/*.log"},
		Refresh:        []Refresh{{"install.d/*", Freshness{MaxAge: 7 * 24 * time.Hour}}, {"finalise.d/*", Freshness{Keep: true}}},
		network:        map[string]bool{"install.d": false, "install.d/50-app": true},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v, want %+v", got, want)
	}
	for name, want := range map[string]bool{"50-app": false, "60-more": true} {
		if off := got.noNetwork("install.d", name); off != want {
			t.Errorf("install.d/%s without a network: %t, want %t", name, off, want)
		}
	}
	if got.noNetwork("post-root.d", "50-app") {
		t.Error("post-root.d is without a network")
	}
}

func TestSettingsShort(t *testing.T) {
	for text, want := range map[string]Settings{
		"":                      {},
		"# nothing":             {},
		"---":                   {},
		"network: false":        {network: map[string]bool{"": false}},
		"refresh: follow":       {Refresh: []Refresh{{"*", Freshness{Follow: true}}}},
		"sources: []":           {},
		"inputs: {}":            {},
		"volatile: [a]\n...\n":  {Volatile: []string{"a"}},
		"{volatile: ['a b/?']}": {Volatile: []string{"a b/?"}},
	} {
		if got, problems := readText(text); !reflect.DeepEqual(got, want) || len(problems) > 0 {
			t.Errorf("%q: %+v, %v, want %+v", text, got, problems, want)
		}
	}
}

// Defaults may hold variables, and a source that is not wanted is none.
func TestConditionalSources(t *testing.T) {
	got, problems := readText(`
sources:
- {name: nested, url: "${NOWHERE:-${EMPTY:-/srv/${ARCH}}/$DIB_RELEASE}$$"}
- {name: unneeded, url: "${ARCH:-$NOWHERE}"}
- {name: one, url: $NOWHERE, when: NOWHERE!=}
- {name: one, url: other, when: NOWHERE=}
- {name: both, url: x, when: [ARCH=amd64, DIB_RELEASE!=trixie]}
`)
	if len(problems) > 0 {
		t.Fatalf("problems: %v", problems)
	}
	var sources []string
	for _, s := range got.Sources {
		sources = append(sources, s.Name+" "+s.Address.URL)
	}
	if want := []string{"nested /srv/amd64/trixie$", "unneeded amd64", "one other"}; !slices.Equal(sources, want) {
		t.Errorf("sources %q, want %q", sources, want)
	}
}

func TestSettingsProblems(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"sources: [\n", "1: is not YAML: did not find expected node content"},
		{"a: b: c", "0: is not YAML: mapping values are not allowed in this context"},
		{"- a", `1: a dibgraph.yaml must be a map, and is a list`},
		{"word", `1: a dibgraph.yaml must be a map, and is "word"`},
		{"volatile: [a]\n---\nvolatile: [b]", "2: a second document; want one"},
		{"sorces: []", `1: unknown key "sorces" of a dibgraph.yaml; want sources, inputs, volatile, network or refresh (did you mean "sources"?)`},
		{"volatile: [a]\n\nvolatile: [b]", `3: a dibgraph.yaml has the key "volatile" twice; line 1 has it already`},
		{"[a]: b", "1: a key of a dibgraph.yaml must be a word, and is a list"},
		{"a: &x []\n<<: *x", "1: unknown key \"a\" of a dibgraph.yaml; want sources, inputs, volatile, network or refresh|2: unknown key \"<<\" of a dibgraph.yaml; want sources, inputs, volatile, network or refresh"},

		{"sources: {name: a}", "1: sources must be a list, and is a map"},
		{"sources:", "1: sources must be a list, and is empty"},
		{"sources: [a]", `1: a source must be a map, and is "a"`},
		{"sources:\n- {}", `2: a source needs the key "name"|2: a source needs the key "url"`},
		{"sources:\n- name: a\n  uri: b", `3: unknown key "uri" of a source; want name, url, checksum, checksum-url, fresh or when (did you mean "url"?)|2: a source needs the key "url"`},
		{"sources:\n- {name: a/b, url: /x}", `2: "a/b" is no name for a source; it becomes that of a file: letters, digits, and . _ + - after the first`},
		{"sources:\n- {name: .a, url: /x}", `2: ".a" is no name for a source; it becomes that of a file: letters, digits, and . _ + - after the first`},
		{"sources:\n- {name: 1, url: /x}", "2: name must be a text, and 1 is something else to YAML (put it in quotes)"},
		{"sources:\n- {name: a, url: /x}\n- {name: a, url: /x}", `3: source "a" is there already, at line 2`},
		{"sources:\n- {name: a, url: }", "2: url must be a text, and is empty"},
		{"sources:\n- {name: a, url: [b]}", "2: url must be a text, and is a list"},
		{"sources:\n- {name: a, url: \"a\\nb\"}", "2: url must be one line"},
		{"sources:\n- {name: a, url: \"ftp://example.org/x\"}", "2: url: ftp://example.org/x cannot be fetched; want an address with http, https, file or oci, or a path"},
		{"sources:\n- {name: a, url: \"oci://example.org/X\"}", "2: url: \"oci://example.org/X\" is no address of an image: want oci://HOST/REPOSITORY:TAG"},
		{"sources:\n- {name: a, url: \"https:///x\"}", "2: url: https:///x cannot be fetched; want an address with http, https, file or oci, or a path"},
		{"sources:\n- {name: a, url: \"file://host/x\"}", "2: url: file://host/x cannot be fetched; want an address with http, https, file or oci, or a path"},
		{"sources:\n- {name: a, url: \"http://[::1/x\"}", "2: url: http://[::1/x is no address"},
		{"sources:\n- {name: a, url: \"http://${USERINFO}[::1/x\"}", "2: url: the address, which holds a password, is no address"},
		{"sources:\n- {name: a, url: /x, checksum-url: SHA256SUMS}", "2: checksum-url: SHA256SUMS cannot be fetched; want an address with http or https"},
		{"sources:\n- {name: a, url: /x, checksum: md5:00}", `2: checksum "md5:00": files of the same md5 can be made on purpose; use sha256 or sha512`},
		{"sources:\n- {name: a, url: /x, checksum: \"sha256:00\"}", `2: checksum "sha256:00": a sha256 has 64 digits of 0-9 and a-f`},
		{"sources:\n- name: a\n  url: /x\n  checksum: " + anySum + "\n  checksum-url: http://a/b", "5: a source has a checksum or a checksum-url, not both"},
		{"sources:\n- {name: a, url: /x, fresh: nevr}", `2: fresh: "nevr" is no policy; want never, or a time such as 24h or 7d (did you mean "never"?)`},
		{"sources:\n- {name: a, url: /x, fresh: 0h}", `2: fresh: "0h" is no policy; want never, or a time such as 24h or 7d`},
		{"sources:\n- {name: a, url: /x, fresh: 24}", `2: fresh must be a text, and 24 is something else to YAML (put it in quotes)`},

		{"sources:\n- {name: a, url: $DIB_RELEAS/x}", `2: url: the variable DIB_RELEAS is not defined (did you mean "DIB_RELEASE"?)`},
		{"sources:\n- {name: a, url: \"${B}/${C}\"}", "2: url: the variable B is not defined (export it, or write ${B:-default}; what environment.d sets is not known yet when sources are fetched)|" +
			"2: url: the variable C is not defined (export it, or write ${C:-default}; what environment.d sets is not known yet when sources are fetched)"},
		{"sources:\n- {name: a, url: \"/${ARCH\"}", "2: url: a } is missing after ${"},
		{"sources:\n- {name: a, url: \"/${ARCH-x}\"}", `2: url: "ARCH-x" is no name of a variable (write $NAME, ${NAME} or ${NAME:-default}, and $$ for a dollar sign)`},
		{"sources:\n- {name: a, url: /$1}", `2: url: "" is no name of a variable (write $NAME, ${NAME} or ${NAME:-default}, and $$ for a dollar sign)`},
		{"sources:\n- {name: a, url: $EMPTY}", `2: url: "$EMPTY" is empty`},

		{"sources:\n- {name: a, url: \"${EMPTY:-/${B}}\"}", "2: url: the variable B is not defined (export it, or write ${B:-default}; what environment.d sets is not known yet when sources are fetched)"},
		{"sources:\n- {name: a, url: \"${EMPTY:-${ARCH}\"}", "2: url: a } is missing after ${"},
		{"sources:\n- {name: a, url: /x, when: ARCH}", `2: when: "ARCH" is not a condition; write VARIABLE=value or VARIABLE!=value`},
		{"sources:\n- {name: a, url: /x, when: [ARCH=amd64, [b]]}", "2: when must be a text, and is a list"},
		{"sources:\n- {name: a, uri: /x, when: ARCH=none}", `2: unknown key "uri" of a source; want name, url, checksum, checksum-url, fresh or when (did you mean "url"?)`},

		{"inputs: [a]", "1: inputs must be a map, and is a list"},
		{"inputs: {file: []}", `1: unknown key "file" of inputs; want files or variables (did you mean "files"?)`},
		{"inputs:\n  files: /etc/a", `2: inputs files must be a list, and is "/etc/a"`},
		{"inputs:\n  files:\n  - a\n  - a", `4: inputs files: "a" is there twice`},
		{"inputs:\n  files: [$NO]", "2: inputs files: the variable NO is not defined (export it, or write ${NO:-default}; what environment.d sets is not known yet when sources are fetched)"},
		{"inputs:\n  variables: [A-B]", `2: inputs variables: "A-B" is no name of a variable`},
		{"inputs:\n  variables: [PATH]", "2: inputs variables: PATH is never an input: says where tools of the host are, and these are no inputs; in the image it is always the same"},
		{"inputs:\n  variables: [_LIB]", "2: inputs variables: _LIB of the caller never reaches hooks"},
		{"inputs:\n  variables: [A, A]", `2: inputs variables: "A" is there twice`},

		{"volatile: a", `1: volatile must be a list, and is "a"`},
		{"volatile: [true]", "1: volatile must be a text, and true is something else to YAML (put it in quotes)"},
		{"volatile: ['[a']", `1: volatile: "[a" is no pattern (want a path below the root of the image, with * and ? for parts of a name and ** for any directories)`},
		{"volatile: [var//log]", `1: volatile: "var//log" is no pattern (want a path below the root of the image, with * and ? for parts of a name and ** for any directories)`},
		{"volatile: [/]", `1: volatile: "/" is no pattern (want a path below the root of the image, with * and ? for parts of a name and ** for any directories)`},
		{"volatile: [../etc/a, b/./c]", `1: volatile: "../etc/a" has a . or .. in it, and matches nothing|1: volatile: "b/./c" has a . or .. in it, and matches nothing`},
		{"volatile: ['**']", `1: volatile: with "**" nothing in the image would count`},
		{"volatile: ['/**/*']", `1: volatile: with "/**/*" nothing in the image would count`},

		{"network: off", `1: network must be true, false, or a map of phases and hooks to these, and is "off"`},
		{"network: [a]", "1: network must be a map, and is a list"},
		{"network:\n  instal.d: false", `2: network: "instal.d" is neither a phase, such as install.d, nor a hook of this element (did you mean "install.d"?)`},
		{"network:\n  install.d/50-ap: false", `2: network: "install.d/50-ap" is neither a phase, such as install.d, nor a hook of this element (did you mean "install.d/50-app"?)`},
		{"network:\n  install.d: no way", `2: network must be true, false, or a map of phases and hooks to these, and is "no way"`},
		{"network: &a {install.d: *a}", "1: network must be true, false, or a map of phases and hooks to these, and is an alias, which is not read here"},

		{"refresh: sometimes", `1: refresh: "sometimes" is no policy; want follow, keep, or max-age and a time as in max-age=7d`},
		{"refresh:\n  '[': keep", `2: refresh: "[" is no pattern for names of nodes`},
		{"refresh:\n  a: folow", `2: refresh a: "folow" is no policy; want follow, keep, or max-age and a time as in max-age=7d (did you mean "follow"?)`},
	} {
		_, problems := readText(test.text)
		var got []string
		for _, p := range problems {
			text := fmt.Sprintf("%d: %s", p.Line, p.Message)
			if p.Hint != "" {
				text += " (" + p.Hint + ")"
			}
			if p.File != "app/dibgraph.yaml" {
				t.Errorf("%q: the problem is in %q", test.text, p.File)
			}
			got = append(got, text)
		}
		if text := strings.Join(got, "|"); text != test.want {
			t.Errorf("%q:\n got %s\nwant %s", test.text, text, test.want)
		}
	}
}

func FuzzSettings(f *testing.F) {
	f.Add("sources: [{name: a, url: /x}]\ninputs: {files: [a], variables: [B]}\nvolatile: [a]\nnetwork: false\nrefresh: {a: max-age=1h}")
	f.Add("a: &a [*a, *a]\n---\n$: ${")
	f.Add("sources:\n- name: b\n  url: ${ARCH}$$${DIB_TOKEN}\n  checksum-url: http://a/b")
	f.Fuzz(func(t *testing.T, text string) {
		s, problems := readText(text)
		lines := 1
		for _, end := range []string{"\n", "\r", "\u0085", "\u2028", "\u2029"} { // what ends a line of YAML
			lines += strings.Count(text, end)
		}
		for _, p := range problems {
			if p.Line < 0 || p.Line > lines+1 || p.Message == "" || strings.Contains(p.Message, "hidden") {
				t.Errorf("%q: problem %+v", text, p)
			}
		}
		if len(problems) > 0 {
			return
		}
		for _, source := range s.Sources {
			if source.Name == "" || source.Address.URL == "" {
				t.Errorf("%q: source %+v", text, source)
			}
			parseAge(source.Fresh)
		}
	})
}

// app is a library with an operating system and an element with files.
func app(files map[string]string) fstest.MapFS {
	stock := fstest.MapFS{"os/element-provides": {Data: []byte("operating-system")}}
	for name, text := range files {
		stock[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return stock
}

func TestSourcesOfElements(t *testing.T) {
	source := func(name, url string) string { return "sources:\n- {name: " + name + ", url: " + url + "}\n" }
	def := Definition{Arch: "amd64", Elements: []string{"os", "a", "b"}, SkipBase: true, OutputDir: t.TempDir()}
	img, err := Load(def, app(map[string]string{
		"a/dibgraph.yaml": source("two", "/x") + "- {name: one, url: /y}\n",
		"b/dibgraph.yaml": source("two", "/x"),
	}))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range img.Sources {
		names = append(names, s.Name+" "+s.place())
	}
	if want := []string{"one embedded:a/dibgraph.yaml:3", "two embedded:a/dibgraph.yaml:2"}; !slices.Equal(names, want) {
		t.Errorf("the sources are %q, want %q", names, want)
	}
	_, err = Load(def, app(map[string]string{
		"a/dibgraph.yaml": source("two", "/x"),
		"b/dibgraph.yaml": source("two", "/z") + "wrong: 1\n",
	}))
	want := "embedded:b/dibgraph.yaml:3: unknown key \"wrong\" of a dibgraph.yaml; want sources, inputs, volatile, network or refresh\n" +
		"embedded:b/dibgraph.yaml:2: source \"two\" is another file than the one of that name at embedded:a/dibgraph.yaml:2"
	if err == nil || err.Error() != want {
		t.Errorf("two sources of one name: %v, want %s", err, want)
	}
}

// What network can be switched off for, links to directories of hooks included.
func TestHookNames(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"app/root.d/10-a", "app/root.d/sub/file", "app/static/file", "hooks/50-linked"} {
		if err := errors.Join(os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755), os.WriteFile(filepath.Join(dir, name), nil, 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../hooks", filepath.Join(dir, "app/install.d")); err != nil {
		t.Fatal(err)
	}
	library, err := OpenLibrary([]string{dir}, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	e, err := library.Open("app")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Fields("root.d root.d/10-a extra-data.d pre-install.d install.d install.d/50-linked post-install.d post-root.d block-device.d pre-finalise.d finalise.d cleanup.d")
	if got := e.hookNames(); !slices.Equal(got, want) {
		t.Errorf("the names are %q, want %q", got, want)
	}
}

// Who declares a variable keeps it from hooks of others that do not mention it.
func TestDeclaredVariables(t *testing.T) {
	def := Definition{
		Arch: "amd64", Elements: []string{"os", "declares", "mentions", "other"}, SkipBase: true, OutputDir: t.TempDir(),
		Environment: map[string]string{"NUMBER": "1", "UNKNOWN": "2", "DIB_X": "3"},
	}
	img, err := Load(def, app(map[string]string{
		"declares/dibgraph.yaml":     "inputs: {variables: [NUMBER, DIB_X, ABSENT]}",
		"mentions/install.d/50-it":   "echo $NUMBER",
		"other/install.d/60-other":   "echo",
		"other/environment.d/10-any": "true",
	}))
	if err != nil {
		t.Fatal(err)
	}
	p := NewPlanner(img, nil, nil, "")
	install, _ := PhaseNamed("install")
	for element, want := range map[string]string{"declares": "DIB_X NUMBER", "mentions": "DIB_X NUMBER", "other": "DIB_X", "": "DIB_X"} {
		if got := strings.Join(p.variablesNamed(install, element, "NUMBER", "UNKNOWN", "DIB_X"), " "); got != want {
			t.Errorf("hooks of %q get %q, want %q", element, got, want)
		}
	}
}

// variablesNamed returns which of the variables the hooks of an element get.
func (p *Planner) variablesNamed(phase Phase, element string, names ...string) []string {
	var got []string
	for _, name := range slices.Sorted(slices.Values(names)) {
		if _, ok := p.variables(phase).of(element).Values[name]; ok {
			got = append(got, name)
		}
	}
	return got
}

// Every example of the documentation is right.
func TestDocumentedSettings(t *testing.T) {
	text, err := os.ReadFile("../docs/elements.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$").FindAllSubmatch(text, -1)
	if len(blocks) < 5 {
		t.Fatalf("%d examples, want several", len(blocks))
	}
	for _, block := range blocks {
		r := settingsReader{Reader: strictyaml.Reader{File: "docs/elements.md"}, variables: map[string]string{"ARCH": "amd64"}, hooks: []string{"finalise.d", "install.d", "install.d/50-app"}}
		if r.read(block[1]); len(r.Problems) > 0 {
			t.Errorf("%s\n%v", block[1], r.Problems)
		}
	}
}
