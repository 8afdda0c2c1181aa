package elements

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Nothing that was set aside is replaced.
func TestAsideName(t *testing.T) {
	dir := t.TempDir()
	at := filepath.Join(dir, "image.raw")
	now := time.Date(2026, 11, 9, 8, 7, 6, 0, time.UTC)
	for _, want := range []string{"image-2026.11.09-08.07.06.raw", "image-2026.11.09-08.07.06-2.raw", "image-2026.11.09-08.07.06-3.raw"} {
		got := asideName(at, now)
		if got != filepath.Join(dir, want) {
			t.Errorf("the name is %s, want %s", got, want)
		}
		if err := os.WriteFile(got, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
