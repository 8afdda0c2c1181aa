package steps

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/steps/mention"
)

// Variables that are left out of the look for files of the host name none.
func TestNaming(t *testing.T) {
	work := t.TempDir()
	for _, name := range []string{"file", "dir/file", "with.dot"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(work, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(work, name), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	h := HostFiles{Home: filepath.Join(work, "home"), WorkDir: filepath.Join(work, "dir")}
	everything := readers{mention.Words{All: true}}
	files := func(env map[string]string) map[string]string {
		t.Helper()
		var d graph.Description
		if err := h.describe(&d, someVariables, env, everything, nil); err != nil {
			t.Fatal(err)
		}
		got := make(map[string]string)
		for _, l := range d.Lines() {
			got[l.Name] = l.Value
		}
		return got
	}
	none := files(nil)
	for value, names := range map[string]bool{
		"bookworm": false, "1 2,3": false, "https://example.org/file": false, "absent/file": false, "file/below": false,
		"file": true, "absent file": true, "x:file": true, "./absent": true, "../file": true, "other/../file": true,
		"a/../../with.dot": true, "/absolute": true, "~/in-home": true, "file:///some/where": true,
	} {
		env := map[string]string{"DIB_V": value, "DIB_OTHER": "other"}
		all, few := files(env), files(someVariables.prepare(env).naming(h))
		if !maps.Equal(all, few) {
			t.Errorf("%q: files %q of those that may name some, want %q", value, slices.Sorted(maps.Keys(few)), slices.Sorted(maps.Keys(all)))
		}
		if found := len(all) > len(none); found != names {
			t.Errorf("%q names a file: %t, want %t", value, found, names)
		}
	}
	if _, kept := someVariables.prepare(map[string]string{"DIB_V": "bookworm"}).naming(h)["DIB_V"]; kept {
		t.Error("a word that is no file is looked for")
	}
}
