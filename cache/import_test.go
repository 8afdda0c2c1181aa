package cache

import (
	"os"
	"strings"
	"testing"
)

// A damaged layer is replaced by one that comes from elsewhere, not taken for it.
func TestImportedLayersReplaceDamagedOnes(t *testing.T) {
	s := newStore(t)
	d := testLayer(t, s, "content")
	check(t, os.Remove(s.hashPath(layersDir, d)+"/meta"))
	dir := must[string](t)(s.TempDir("supply"))
	check(t, os.Mkdir(dir+"/d", 0o755))
	check(t, os.WriteFile(dir+"/d/file", []byte("content"), 0o644))
	check(t, s.ImportLayer(dir, d, nil))
	if !s.HasLayer(d) {
		t.Error("the layer is still damaged")
	}
}

// What came and is not what was asked for is not stored.
func TestImportedBlobsAreWhatWasAskedFor(t *testing.T) {
	s := newStore(t)
	want := Blob{DigestBytes([]byte("content")), 7}
	if err := s.ImportBlob(strings.NewReader("another"), want); err == nil || !strings.HasPrefix(err.Error(), "import blob: ") {
		t.Errorf("got %v", err)
	}
	if _, there := s.HasBlob(want.Digest); there {
		t.Error("it is there")
	}
	check(t, s.ImportBlob(strings.NewReader("content"), want))
	if got := must[[]byte](t)(s.ReadBlob(want.Digest)); string(got) != "content" {
		t.Errorf("it is %q", got)
	}
}
