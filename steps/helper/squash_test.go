package helper

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tree writes files below a new directory and returns it.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func environment(vars ...string) Env {
	m := map[string]string{"ARCH": "amd64"}
	for _, v := range vars {
		name, value, _ := strings.Cut(v, "=")
		m[name] = value
	}
	return func(name string) (string, bool) { value, ok := m[name]; return value, ok }
}

// squash runs the helper over elements in one directory and returns the flat
// list with spaces for tabs, and what went to stderr.
func squash(t *testing.T, names string, env Env, files map[string]string) (list, stderr string, status int) {
	t.Helper()
	dir := tree(t, files)
	out := filepath.Join(t.TempDir(), "package-installs.json")
	var errs bytes.Buffer
	status = Main("package-installs-squash", []string{"--elements=" + names, "--path=" + dir, out}, env, &errs, &errs)
	data, err := os.ReadFile(strings.TrimSuffix(out, ".json") + ".list")
	if err != nil && status == 0 {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(data), "\t", " "), strings.ReplaceAll(errs.String(), dir+"/", ""), status
}

func TestSquash(t *testing.T) {
	for _, test := range []struct {
		name, yaml string
		env        []string
		want       string
	}{
		{"defaults", "curl:\nvim: {}\n", nil, "install.d install a curl\ninstall.d install a vim\n"},
		{"empty list is defaults", "curl: []\n", nil, "install.d install a curl\n"},
		{"empty file", "# nothing\n", nil, ""},
		{"phase", "curl:\n  phase: pre-install.d\n", nil, "pre-install.d install a curl\n"},
		{"phase that nothing runs", "curl:\n  phase: moon.d\n", nil, "moon.d install a curl\n"},
		{"uninstall counts by presence", "curl:\n  uninstall: false\n", nil, "install.d uninstall a curl\n"},
		{"build-only", "gcc:\n  build-only: true\n", nil, "install.d install a gcc\ninstall.d uninstall a gcc\n"},
		{"build-only says more than uninstall", "gcc:\n  build-only:\n  uninstall:\n", nil, "install.d install a gcc\ninstall.d uninstall a gcc\n"},
		{"list of options", "curl:\n  - arch: amd64\n  - phase: post-install.d\n", nil, "install.d install a curl\npost-install.d install a curl\n"},
		{"last of two keys", "curl:\n  phase: x.d\ncurl:\n  phase: y.d\n", nil, "y.d install a curl\n"},
		{"alias", "one: &x\n  phase: x.d\ntwo: *x\n", nil, "x.d install a one\nx.d install a two\n"},

		{"arch", "one:\n  arch: amd64,arm64\ntwo:\n  arch: arm64\n", nil, "install.d install a one\n"},
		{"arch words are not trimmed", "one:\n  arch: arm64, amd64\n", nil, ""},
		{"not-arch", "one:\n  not-arch: amd64,arm64\ntwo:\n  not-arch: arm64, amd64\n", nil, "install.d install a two\n"},
		{"python version", "one:\n  dib_python_version: 3\ntwo:\n  dib_python_version: '2'\n", []string{"DIB_PYTHON_VERSION=3"}, "install.d install a one\n"},
		{"python version, none set", "one:\n  dib_python_version: 3\n", nil, ""},
		{"install type default", "one:\n  installtype: source\ntwo:\n  installtype: package\n", nil, "install.d install a one\n"},
		{"install type of all", "one:\n  installtype: source\ntwo:\n  installtype: package\n", []string{"DIB_DEFAULT_INSTALLTYPE=package"}, "install.d install a two\n"},
		{"install type of the element", "one:\n  installtype: package\n", []string{"DIB_INSTALLTYPE_a=package"}, "install.d install a one\n"},

		{"when", "one:\n  when: X=1\ntwo:\n  when: X=2\nthree:\n  when: X!=2\n", []string{"X=1"}, "install.d install a one\ninstall.d install a three\n"},
		{"when, spaces", "one:\n  when: 'X  =  y z '\n", []string{"X=y z "}, "install.d install a one\n"},
		{"when, trailing space counts", "one:\n  when: 'X=y '\n", []string{"X=y"}, ""},
		{"when, two equals signs", "one:\n  when: X==1\ntwo:\n  when: 'X==1'\n", []string{"X=1"}, ""},
		{"when, value that begins with one", "one:\n  when: X==1\n", []string{"X==1"}, "install.d install a one\n"},
		{"when, empty value", "one:\n  when: X=\n", []string{"X="}, "install.d install a one\n"},
		{"when, all must hold", "one:\n  when: [X=1, Y!=2]\ntwo:\n  when: [X=1, Y=2]\n", []string{"X=1", "Y=3"}, "install.d install a one\n"},
		{"when is not looked at after another filter", "one:\n  arch: arm64\n  when: UNSET=1\n", nil, ""},
		{"when stops at the first that fails", "one:\n  when: [X=2, UNSET=1]\n", []string{"X=1"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, stderr, status := squash(t, "a", environment(test.env...), map[string]string{"a/package-installs.yaml": test.yaml})
			if got != test.want || status != 0 {
				t.Errorf("squash(%q) = %q, status %d, want %q\n%s", test.yaml, got, status, test.want, stderr)
			}
		})
	}
}

func TestSquashPrecedence(t *testing.T) {
	const (
		plain     = "x:\n"
		uninstall = "x:\n  uninstall: true\n"
		build     = "x:\n  build-only: true\n"
		filtered  = "x:\n  arch: arm64\n"
		other     = "x:\n  phase: post-install.d\n"
	)
	for _, test := range []struct{ name, a, b, want string }{
		{"install after uninstall", uninstall, plain, "install.d install b x\n"},
		{"install before uninstall", plain, uninstall, "install.d install a x\n"},
		{"install after build-only", build, plain, "install.d install a x\ninstall.d install b x\n"},
		{"install before build-only", plain, build, "install.d install a x\ninstall.d install b x\n"},
		{"a filtered install cancels too", uninstall, filtered, ""},
		{"a filtered install is not recorded", filtered, uninstall, "install.d uninstall b x\n"},
		{"another phase is another matter", uninstall, other, "install.d uninstall a x\npost-install.d install b x\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			files := map[string]string{"a/package-installs.yaml": test.a, "b/package-installs.yaml": test.b}
			got, stderr, status := squash(t, "a b", environment(), files)
			if got != test.want || status != 0 {
				t.Errorf("squash = %q, status %d, want %q\n%s", got, status, test.want, stderr)
			}
		})
	}
}

func TestSquashReadsJSONFirstAndOverriddenElements(t *testing.T) {
	winner := tree(t, map[string]string{
		"a/package-installs.json": "{\n\t\"one\": {},\n\t\"two\": {\"uninstall\": 1}\n}",
		"a/package-installs.yaml": "two:\n",
	})
	overridden := tree(t, map[string]string{"a/package-installs.yaml": "three:\n", "b/package-installs.yaml": "unused:\n"})
	out := filepath.Join(t.TempDir(), "out.json")
	var stderr bytes.Buffer
	if status := Main("package-installs-squash", []string{"--elements", "a", "--path", winner + ":" + overridden, out}, environment(), &stderr, &stderr); status != 0 {
		t.Fatal(stderr.String())
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"install.d":{"install":[["one","a"],["three","a"],["two","a"]],"uninstall":[]}}`
	if compact := strings.NewReplacer(" ", "", "\n", "").Replace(string(got)); compact != want {
		t.Errorf("out.json = %s, want %s", compact, want)
	}
}

func TestSquashProblemsAllAtOnce(t *testing.T) {
	_, stderr, status := squash(t, "a b c d", environment(), map[string]string{
		"a/package-installs.yaml": "one:\n  arch: amd64\n  not-arch: arm64\ntwo:\n  when: nothing to compare\n",
		"b/package-installs.yaml": "one:\n  phase: install.d\nthree:\n  when: UNSET=1\n",
		"c/package-installs.yaml": "- one\n- two\n",
		"d/package-installs.yaml": "one: [\n",
	})
	if status != 1 {
		t.Errorf("status %d, want 1", status)
	}
	for _, want := range []string{
		`a/package-installs.yaml:1: package "one" has both arch and not-arch`,
		`a/package-installs.yaml:5: when: "nothing to compare" is not a condition`,
		`b/package-installs.yaml:3: package "three": variable UNSET is not set`,
		`c/package-installs.yaml:1: the package list must be a mapping`,
		`d/package-installs.yaml: yaml: line`,
	} {
		if !strings.Contains(stderr, want) {
			t.Errorf("stderr lacks %q:\n%s", want, stderr)
		}
	}
}

func TestSquashUnknownOptionIsANotice(t *testing.T) {
	got, stderr, status := squash(t, "a", environment(), map[string]string{"a/package-installs.yaml": "one:\n  colour: red\n"})
	if status != 0 || got != "install.d install a one\n" || !strings.Contains(stderr, `a/package-installs.yaml:2: option "colour"`) {
		t.Errorf("squash = %q, status %d, stderr %q", got, status, stderr)
	}
}

func TestMainUsage(t *testing.T) {
	for _, call := range [][]string{
		{"no-such-helper"}, {"package-installs-squash"}, {"package-installs-squash", "--colour", "x"},
		{"pkg-map-compile"}, {"svc-map-merge"}, {"svc-map-merge", "file"},
	} {
		var stderr bytes.Buffer
		if status := Main(call[0], call[1:], environment(), &stderr, &stderr); status != 2 || stderr.Len() == 0 {
			t.Errorf("%q: status %d, want 2; stderr %q", call, status, stderr.String())
		}
	}
	var stdout bytes.Buffer
	if status := Main("--help", nil, environment(), &stdout, &stdout); status != 0 || !strings.Contains(stdout.String(), "svc-map-merge") {
		t.Errorf("--help: status %d, %q", status, stdout.String())
	}
}

func FuzzSquash(f *testing.F) {
	f.Add("a:\n  when: X=1\n")
	f.Add("{\"a\": [{\"arch\": \"x\"}, null]}")
	f.Add("a: &a\n  - *a\n")
	f.Fuzz(func(t *testing.T, text string) {
		s := &squasher{env: environment("X=1"), plain: map[[2]string]bool{}}
		if s.add(source{"e", "f", []byte(text)}) != nil {
			return
		}
		uninstalled := map[[2]string]bool{}
		for _, e := range s.sorted() {
			if key := [2]string{e.Phase, e.Package}; e.Action == uninstallAction {
				uninstalled[key] = true
			}
		}
		for key := range s.plain {
			if uninstalled[key] {
				t.Errorf("%q: %q is wanted and uninstalled", text, key)
			}
		}
	})
}

// The older lists are merged with the others.
func TestSquashOlderLists(t *testing.T) {
	dir := tree(t, map[string]string{
		"elements/app/package-installs.yaml":      "vim:\n",
		"hooks/install.d/package-installs-app":    "# tools\ncurl # to fetch\n-nano\n\n",
		"hooks/post-install.d/package-installs-b": "less\n",
		"hooks/install.d/50-app":                  "not a list\n",
	})
	out := filepath.Join(t.TempDir(), "package-installs.json")
	var stderr bytes.Buffer
	args := []string{"--elements=app", "--path=" + filepath.Join(dir, "elements"), "--hooks=" + filepath.Join(dir, "hooks"), out}
	if err := squashMain(args, environment(), &stderr); err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile(listName(out))
	if err != nil {
		t.Fatal(err)
	}
	want := "install.d\tinstall\tapp\tcurl\ninstall.d\tinstall\tapp\tvim\ninstall.d\tuninstall\tapp\tnano\npost-install.d\tinstall\tb\tless\n"
	if string(list) != want {
		t.Errorf("the merged list is %q, want %q", list, want)
	}
}
