package stock_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/dibgraph/dibgraph/elements/stock"
)

// phases are the directories whose executable files are hooks.
var phases = []string{"root.d", "extra-data.d", "pre-install.d", "install.d", "post-install.d", "post-root.d", "block-device.d", "pre-finalise.d", "finalise.d", "cleanup.d"}

// names returns the elements of the library, sorted.
func names(t *testing.T) []string {
	t.Helper()
	entries, err := fs.ReadDir(stock.Elements(), ".")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// words returns the lines of a file of the library, none if it is not there.
func words(name string) []string {
	data, err := fs.ReadFile(stock.Elements(), name)
	if err != nil {
		return nil
	}
	return strings.Fields(string(data))
}

// eachFile calls f for every file of the library.
func eachFile(t *testing.T, f func(name string, data []byte)) {
	t.Helper()
	err := fs.WalkDir(stock.Elements(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(stock.Elements(), name)
		if err == nil {
			f(name, data)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEveryElementDirectoryIsEmbedded(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, e := range entries {
		if e.IsDir() && e.Name() != "testdata" {
			want = append(want, e.Name())
		}
	}
	if got := names(t); !slices.Equal(got, want) {
		t.Errorf("embedded elements %q, directories %q", got, want)
	}
}

func TestDependenciesAreInTheLibrary(t *testing.T) {
	known := map[string]bool{}
	for _, name := range names(t) {
		known[name] = true
		for _, provided := range words(path.Join(name, "element-provides")) {
			known[provided] = true
		}
	}
	for _, name := range names(t) {
		for _, dep := range words(path.Join(name, "element-deps")) {
			if !known[dep] {
				t.Errorf("%s depends on %q, which is not in the library", name, dep)
			}
		}
		if readme, err := fs.ReadFile(stock.Elements(), path.Join(name, "README.md")); err != nil || !strings.HasPrefix(string(readme), "# "+name+"\n") {
			t.Errorf("%s: README.md does not begin with its name: %v", name, err)
		}
	}
}

// One image must be able to hold every element, one layout and one package
// manager aside: two files of
// one name in one directory of the merged hooks are an error.
func TestNoTwoElementsCollide(t *testing.T) {
	// dpkg and yum both install packages, and no image has both.
	alike := map[string]bool{"bin/install-packages": true}
	first := map[string]string{}
	eachFile(t, func(name string, _ []byte) {
		element, rest, _ := strings.Cut(name, "/")
		if strings.HasPrefix(element, "block-device-") || strings.Count(rest, "/") != 1 {
			return
		}
		if other, ok := first[rest]; ok && !alike[rest] {
			t.Errorf("%s is in both %s and %s", rest, other, element)
		}
		first[rest] = element
	})
}

func TestHooks(t *testing.T) {
	hookName := regexp.MustCompile(`^[0-9]{2}-[0-9A-Za-z_-]+$`)
	hooks := 0
	eachFile(t, func(name string, data []byte) {
		dir := strings.Split(name, "/")
		if len(dir) != 3 || !slices.Contains(phases, dir[1]) {
			return
		}
		if strings.Contains(dir[2], ".") {
			return // data beside a hook
		}
		hooks++
		if !hookName.MatchString(dir[2]) {
			t.Errorf("%s: the name is not a number and a word", name)
		}
		for _, want := range []string{"#!/bin/bash\n# ", "\n[ \"${DIB_DEBUG_TRACE:-0}\" = 0 ] || set -x\n", "\nset -eu -o pipefail\n"} {
			if !bytes.Contains(data, []byte(want)) {
				t.Errorf("%s lacks %q", name, want)
			}
		}
	})
	if hooks < 50 {
		t.Errorf("%d hooks were looked at", hooks)
	}
}

// Which mirror a build uses is the user's choice, or the host's, or the
// bootstrap tool's; the library must not make it. Where a project publishes its
// sources and images is no mirror.
func TestNoHostNames(t *testing.T) {
	address := regexp.MustCompile(`(?i)(https?|ftp)://[^\s"']*|\b[a-z0-9.-]+\.(debian|ubuntu)\.(org|com|net)\b`)
	eachFile(t, func(name string, data []byte) {
		if base := path.Base(name); strings.HasPrefix(base, "source-repository-") || base == "dibgraph.yaml" || strings.Contains(name, "/yum.repos.d/") {
			return
		}
		for _, found := range address.FindAll(data, -1) {
			t.Errorf("%s names %s", name, found)
		}
	})
}

func TestShellcheck(t *testing.T) {
	if _, err := exec.LookPath("shellcheck"); err != nil {
		t.Skip("shellcheck is not installed")
	}
	var scripts, fragments []string
	eachFile(t, func(name string, data []byte) {
		switch {
		case bytes.HasPrefix(data, []byte("#!/bin/")):
			scripts = append(scripts, filepath.FromSlash(name))
		case strings.Contains(name, "/environment.d/"):
			fragments = append(fragments, filepath.FromSlash(name))
		}
	})
	for _, args := range [][]string{scripts, append([]string{"--shell=bash"}, fragments...)} {
		if out, err := exec.CommandContext(t.Context(), "shellcheck", args...).CombinedOutput(); err != nil {
			t.Errorf("shellcheck: %v\n%s", err, out)
		}
	}
}

// A script is executable in the checkout as it is in a build, where its first
// two characters decide.
func TestScriptsAreExecutable(t *testing.T) {
	eachFile(t, func(name string, data []byte) {
		info, err := os.Stat(filepath.FromSlash(name))
		if err != nil {
			t.Fatal(err)
		}
		if script := bytes.HasPrefix(data, []byte("#!")); script != (info.Mode()&0o111 != 0) {
			t.Errorf("%s: mode %v, script %v", name, info.Mode(), script)
		}
	})
}
