package cache

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// layerOf commits a layer with files of the given contents.
func layerOf(t testing.TB, s *Store, contents map[string]string) Digest {
	t.Helper()
	upper := must[string](t)(s.TempDir("upper"))
	for path, content := range contents {
		check(t, os.MkdirAll(filepath.Dir(upper+"/"+path), 0o755))
		check(t, os.WriteFile(upper+"/"+path, []byte(content), 0o644))
	}
	return must[Layer](t)(s.CommitLayer(upper, LayerOptions{})).Digest
}

func TestReadFile(t *testing.T) {
	s := newStore(t)
	layers := []Digest{
		layerOf(t, s, map[string]string{"etc/a": "old", "etc/b": "kept", "hidden/x": "x"}),
		layerOf(t, s, map[string]string{"etc/a": "new"}),
		layerOf(t, s, map[string]string{"hidden": "a file now"}),
	}
	for path, want := range map[string]string{"etc/a": "new", "etc/b": "kept", "hidden": "a file now"} {
		if got := must[[]byte](t)(s.ReadFile(layers, path)); string(got) != want {
			t.Errorf("ReadFile(%q) = %q, want %q", path, got, want)
		}
	}
	for _, path := range []string{"etc", "none", "hidden/x", "etc/a/below"} {
		if got, err := s.ReadFile(layers, path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("ReadFile(%q) = %q, %v, want fs.ErrNotExist", path, got, err)
		}
	}
	if got := must[[]byte](t)(s.ReadFile(layers[:1], "etc/a")); string(got) != "old" {
		t.Errorf("below the second layer it is %q", got)
	}
}
