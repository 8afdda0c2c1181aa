package steps

import (
	"archive/tar"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// writeTarFile writes a tar file of entries that differ from call to call by
// what is changed in them.
func writeTarFile(t *testing.T, change func(h *tar.Header, content *string)) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "image.tar")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := tar.NewWriter(f)
	for _, h := range []tar.Header{
		{Name: "./", Typeflag: tar.TypeDir, Mode: 0o755},
		{Name: "./a", Typeflag: tar.TypeReg, Mode: 0o644, PAXRecords: map[string]string{"SCHILY.xattr.user.a": "b"}},
		{Name: "./b", Typeflag: tar.TypeLink, Linkname: "./a"},
		{Name: "./c", Typeflag: tar.TypeSymlink, Linkname: "a"},
		{Name: "./d", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 3},
		{Name: "./var/log/x", Typeflag: tar.TypeReg, Mode: 0o644},
	} {
		content := "text"
		change(&h, &content)
		if h.Typeflag == tar.TypeReg {
			h.Size = int64(len(content))
		}
		h.Format = tar.FormatPAX
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := w.Write([]byte(content)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestCompareTar(t *testing.T) {
	before := writeTarFile(t, func(*tar.Header, *string) {})
	for name, test := range map[string]struct {
		change func(h *tar.Header, content *string)
		path   string // that differs
		masked int
	}{
		"nothing": {func(*tar.Header, *string) {}, "", 0},
		"time":    {func(h *tar.Header, _ *string) { h.ModTime = time.Unix(1, 0) }, "", 0},
		"content": {func(h *tar.Header, c *string) {
			if h.Name == "./a" {
				*c = "other"
			}
		}, "mnt/a", 0},
		"log": {func(h *tar.Header, c *string) {
			if h.Name == "./var/log/x" {
				*c = "other"
			}
		}, "", 1},
		"xattr": {func(h *tar.Header, _ *string) {
			if h.PAXRecords != nil {
				h.PAXRecords = map[string]string{"SCHILY.xattr.user.a": "c"}
			}
		}, "mnt/a", 0},
		"link": {func(h *tar.Header, _ *string) {
			if h.Typeflag == tar.TypeSymlink {
				h.Linkname = "d"
			}
		}, "mnt/c", 0},
		"device": {func(h *tar.Header, _ *string) {
			if h.Typeflag == tar.TypeChar {
				h.Devminor = 5
			}
		}, "mnt/d", 0},
	} {
		disk := &Disk{Volatile: []string{"mnt/var/log/**"}}
		c, ok, err := disk.CompareOutput(t.Context(), TarOutput, before, writeTarFile(t, test.change), t.TempDir())
		if err != nil || !ok {
			t.Fatalf("%s: %t, %v", name, ok, err)
		}
		var path string
		for _, d := range c.Differences {
			path += d.Path
		}
		if path != test.path || c.Masked != test.masked {
			t.Errorf("%s: %q differs and %d are masked, want %q and %d", name, path, c.Masked, test.path, test.masked)
		}
	}
}

// What cannot be mounted can be told to be the same, but not to be another.
func TestCompareImagesBlind(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, make([]byte, 1<<20), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteAt([]byte(text), 1<<19); err != nil {
			t.Fatal(err)
		}
		return path
	}
	one := write("one", "one")
	for name, able := range map[string]bool{write("same", "one"): true, write("other", "other"): false} {
		r, err := imageComparison{Before: one, After: name, Dir: t.TempDir()}.inSandbox()
		if err != nil || r.Able != able || len(r.Comparison.Differences) != 0 {
			t.Errorf("%s: able %t with %+v, %v; want %t", filepath.Base(name), r.Able, r.Comparison, err, able)
		}
	}
}
