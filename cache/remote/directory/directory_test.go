package directory

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/dibgraph/dibgraph/cache/remote"
	"github.com/dibgraph/dibgraph/cache/remote/conformance"
)

func TestFaultsConformance(t *testing.T) {
	dir := t.TempDir() + "/remote"
	conformance.Run(t, New(dir))
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if strings.HasPrefix(e.Name(), temporary) {
			t.Errorf("%s was left behind", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A name is no path that leads out of the directory.
func TestNamesStayInside(t *testing.T) {
	dir := t.TempDir()
	outside := dir + "/outside"
	if err := os.WriteFile(outside, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	r := New(dir + "/remote")
	if err := r.Save(t.Context(), "inside", []byte("x"), nil); err != nil {
		t.Fatal(err)
	}
	const name = "../../outside"
	if data, err := r.Load(t.Context(), name, 10); err == nil {
		t.Errorf("loaded %q", data)
	}
	saved := r.Save(t.Context(), name, []byte("new"), nil)
	removed := r.Remove(t.Context(), remote.Item{Name: name})
	if text, err := os.ReadFile(outside); saved == nil || removed == nil || err != nil || string(text) != "old" {
		t.Errorf("saved %v, removed %v, there is %q, %v", saved, removed, text, err)
	}
}

// A pipe that nobody writes to must not be waited for.
func TestOnlyFilesAreOpened(t *testing.T) {
	dir := t.TempDir()
	c := remote.Content{Sum: remote.Sum{1}, Size: 4}
	r := New(dir)
	for _, place := range []string{r.object("pipe"), r.content(c)} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(place), 0o755), syscall.Mkfifo(place, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if data, err := r.Load(t.Context(), "pipe", 10); !errors.Is(err, errNotFile) {
		t.Errorf("loaded %q, %v", data, err)
	}
	if _, err := r.Open(t.Context(), c, 0, c.Size); !errors.Is(err, errNotFile) {
		t.Errorf("opened: %v", err)
	}
}

// What has another size is not the content, as for Has.
func TestContentsOfOtherSizesAreNotThere(t *testing.T) {
	c := remote.Content{Sum: remote.Sum{1}, Size: 4}
	r := New(t.TempDir())
	file := r.content(c)
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte("abc"), 0o644)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Open(t.Context(), c, 0, c.Size); !errors.Is(err, remote.ErrNotFound) {
		t.Errorf("opened: %v", err)
	}
}
