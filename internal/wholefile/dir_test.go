package wholefile

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestDir(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "tree")
	for _, before := range []string{"nothing", "an empty directory"} {
		d, err := CreateDir(path + "/")
		if err != nil {
			t.Fatalf("where there is %s: %v", before, err)
		}
		if err := os.WriteFile(filepath.Join(d.Part, "file"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(path, "file")); err == nil {
			t.Error("the file is there before it is published")
		}
		if err := d.Publish(); err != nil {
			t.Fatal(err)
		}
		if got := names(t, path); !slices.Equal(got, []string{"file"}) {
			t.Errorf("where there is %s, the directory holds %q", before, got)
		}
		if _, err := CreateDir(path); !errors.Is(err, ErrNotEmpty) {
			t.Errorf("where there is a file: %v", err)
		}
		if err := os.Remove(filepath.Join(path, "file")); err != nil {
			t.Fatal(err)
		}
	}
	d, err := CreateDir(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, "late"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := d.Publish(); err == nil {
		t.Error("a directory with a file was replaced")
	}
	if got := names(t, dir); !slices.Equal(got, []string{"tree"}) {
		t.Errorf("there are left %q", got)
	}
}
