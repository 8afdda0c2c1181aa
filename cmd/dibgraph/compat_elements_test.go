package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dibgraph/dibgraph/elements"
)

// resolveOriginal resolves lists of elements, given as JSON, with the code of
// diskimage-builder, and prints what each list came to: names, or an error.
const resolveOriginal = `
import json, logging, os, sys
from diskimage_builder import element_dependencies
logging.disable(logging.CRITICAL)
every = element_dependencies._find_all_elements(sys.argv[1])
found = []
for wanted in json.load(sys.stdin):
    try:
        chosen = element_dependencies._expand_element_dependencies(wanted, every)
        found.append({"names": sorted(e.name for e in chosen), "paths": " ".join("[%s]=%s" % (e.name, e.path) for e in chosen)})
    except Exception as error:
        found.append({"error": type(error).__name__})
print(json.dumps(found))
`

// A resolution is what a list of elements came to.
type resolution struct {
	Names []string
	Paths string // as get_image_element_array prints them
	Error string
}

// mergeOriginal merges hooks with the code of diskimage-builder.
const mergeOriginal = `
_LIB=$1 TMP_HOOKS_PATH=$2/hooks DIB_DEBUG_TRACE=0
source "$_LIB/common-functions"
get_image_element_array() { echo "$PATHS"; }
generate_hooks
`

// merges reports whether diskimage-builder merges the hooks of elements.
func merges(t *testing.T, r resolution) bool {
	t.Helper()
	cmd := exec.Command("bash", "-e", "-c", mergeOriginal, "merge", filepath.Join(filepath.Dir(foreignElements), "lib"), t.TempDir())
	cmd.Env = []string{"PATH=" + compatPath(), "PATHS=" + r.Paths}
	out, err := cmd.CombinedOutput()
	if err != nil && !strings.Contains(string(out), "There is a duplicated hook") {
		t.Fatalf("merge of %q: %v\n%s", r.Names, err, out)
	}
	return err == nil
}

// Every element of diskimage-builder resolves to the same elements, or is refused,
// as it is there: by itself, with the image that it is for, and with a Debian.
func TestCompatElements(t *testing.T) {
	if os.Getenv(compatVariable) == "" {
		t.Skip("only in make compat: it needs diskimage-builder")
	}
	var wanted [][]string
	paths := []string{foreignElements}
	tests, err := filepath.Glob(filepath.Join(foreignElements, "*", "test-elements"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range append(paths, tests...) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.IsDir() && e.Name() != "__pycache__" {
				wanted = append(wanted, listsWith(e.Name())...)
			}
		}
		if dir != foreignElements {
			paths = append(paths, dir)
		}
	}
	theirs := resolveWithOriginal(t, paths, wanted)
	for i, names := range wanted {
		img, err := elements.Load(elements.Definition{
			Name: "image", OutputDir: t.TempDir(), Elements: names, ElementsPath: paths, SkipBase: true, Types: []string{"raw"},
		}, nil)
		if err != nil {
			if theirs[i].Error == "" && merges(t, theirs[i]) {
				t.Errorf("%q is refused: %v", names, err)
			}
			continue
		}
		var got []string
		for _, e := range img.Elements {
			got = append(got, e.Name)
		}
		slices.Sort(got)
		if theirs[i].Error != "" || !slices.Equal(got, theirs[i].Names) {
			t.Errorf("%q is %q, want %q %s", names, got, theirs[i].Names, theirs[i].Error)
		}
	}
	t.Logf("%d lists of elements", len(wanted))
}

// listsWith gives lists of elements with one of them in it. Those with vm have a
// layout, which is what disk-image-create adds and element-info does not.
func listsWith(name string) [][]string {
	debian := []string{"base", name, "debian-minimal"}
	if name == "vm" {
		debian = append(debian, "block-device-mbr")
	}
	return [][]string{{"base", name}, debian, {name, "ubuntu-minimal", "vm", "block-device-mbr"}}
}

func resolveWithOriginal(t *testing.T, paths []string, wanted [][]string) []resolution {
	t.Helper()
	question, err := json.Marshal(wanted)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/usr/bin/python3", "-c", resolveOriginal, strings.Join(paths, ":"))
	cmd.Stdin, cmd.Stderr = strings.NewReader(string(question)), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var found []resolution
	if err := json.Unmarshal(out, &found); err != nil {
		t.Fatal(err)
	}
	return found
}
