package helper

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// elementMap is IMAGE_ELEMENT_YAML for elements below dir.
func elementMap(dir string, names ...string) string {
	var b strings.Builder
	for _, name := range names {
		b.WriteString(name + ": " + filepath.Join(dir, name) + "\n")
	}
	return "IMAGE_ELEMENT_YAML=" + b.String()
}

func TestPkgMapCompile(t *testing.T) {
	const doc = `{
	"_comment": "any other key is let alone",
	"default": {"x_package": "x", "nothing": ""},
	"family": {"debian": {"x_package": "x-deb"}},
	"distro": {"debian": {"two": "one two"}},
	"release": {"debian": {"bookworm": {"x_package": "x12"}}}
}
`
	dir := tree(t, map[string]string{"a/pkg-map": doc, "b/README.md": "no map"})
	out := t.TempDir()
	var stderr bytes.Buffer
	if status := Main("pkg-map-compile", []string{out}, environment(elementMap(dir, "a", "b")), &stderr, &stderr); status != 0 {
		t.Fatalf("status %d: %s", status, stderr.String())
	}
	want := map[string]string{
		"a": doc,
		"a.tsv": "default\t\t\tx_package\tx\ndefault\t\t\tnothing\t\nfamily\tdebian\t\tx_package\tx-deb\n" +
			"distro\tdebian\t\ttwo\tone two\nrelease\tdebian\tbookworm\tx_package\tx12\n",
	}
	entries, err := os.ReadDir(out)
	if err != nil || len(entries) != len(want) {
		t.Errorf("%d files, %v, want %d", len(entries), err, len(want))
	}
	for name, content := range want {
		if got, _ := os.ReadFile(filepath.Join(out, name)); string(got) != content {
			t.Errorf("%s = %q, want %q", name, got, content)
		}
	}
}

func TestPkgMapProblems(t *testing.T) {
	dir := tree(t, map[string]string{
		"a/pkg-map": "{\n\"default\": {\n\"x\": [1]\n}}",
		"b/pkg-map": "{\n\"default\": {},\n}",
		"c/pkg-map": "{\"distro\": {\"debian\": \"x\"}}",
		"d/pkg-map": "default:\n  x: y\n",
		"e/pkg-map": "{\"default\": {\"x\": \"a\\tb\"}} ",
		"f/pkg-map": "{\"default\": {}} {}",
		"g/pkg-map": "{\"default\":\n{",
	})
	var stderr bytes.Buffer
	out := t.TempDir()
	if status := Main("pkg-map-compile", []string{out}, environment(elementMap(dir, "a", "b", "c", "d", "e", "f", "g")), &stderr, &stderr); status != 1 {
		t.Errorf("status %d, want 1", status)
	}
	for _, want := range []string{
		`a/pkg-map:3: the package for "x" must be a single value`, `b/pkg-map:3: not JSON`,
		`c/pkg-map:1: "debian" must be a mapping`, `d/pkg-map:1: not JSON`,
		`e/pkg-map:1: a name cannot hold a tab`, `f/pkg-map:1: not JSON: text after`, `g/pkg-map:2: not JSON: unexpected EOF`,
	} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("stderr lacks %q:\n%s", want, stderr.String())
		}
	}
	if entries, _ := os.ReadDir(out); len(entries) != 0 {
		t.Errorf("%d files were written in spite of the problems", len(entries))
	}
}

func TestSvcMapMerge(t *testing.T) {
	dir := tree(t, map[string]string{
		"a/svc-map": "web:\n  debian: apache2\n  redhat: httpd\nplain:\n",
		"b/svc-map": "db:\n  default: mysql\n",
	})
	file := filepath.Join(t.TempDir(), "services")
	var stderr bytes.Buffer
	if status := Main("svc-map-merge", []string{file}, environment(elementMap(dir, "a", "b")), &stderr, &stderr); status != 0 {
		t.Fatalf("status %d: %s", status, stderr.String())
	}
	got, err := os.ReadFile(file)
	if want := "db:\n    default: mysql\nplain: {}\nweb:\n    debian: apache2\n    redhat: httpd\n"; err != nil || string(got) != want {
		t.Errorf("services = %q, %v, want %q", got, err, want)
	}
	got, err = os.ReadFile(file + ".tsv")
	if want := "db\tdefault\tmysql\nweb\tdebian\tapache2\nweb\tredhat\thttpd\n"; err != nil || string(got) != want {
		t.Errorf("services.tsv = %q, %v, want %q", got, err, want)
	}
}

func TestSvcMapTwoElements(t *testing.T) {
	dir := tree(t, map[string]string{
		"a/svc-map": "web:\n  debian: apache2\n",
		"b/svc-map": "db:\n  default: x\nweb:\n  debian: apache2\n",
	})
	var stderr bytes.Buffer
	file := filepath.Join(t.TempDir(), "services")
	status := Main("svc-map-merge", []string{file}, environment(elementMap(dir, "a", "b")), &stderr, &stderr)
	want := `b/svc-map:3: service "web" is defined by ` + dir + "/a/svc-map:1 already"
	if status != 1 || !strings.Contains(stderr.String(), want) {
		t.Errorf("status %d, stderr %q, want 1 and %q", status, stderr.String(), want)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a file was written in spite of the contradiction")
	}
}
