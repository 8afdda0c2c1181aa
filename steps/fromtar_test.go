package steps

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writeTar makes a tar file of empty files with the given names and times.
func writeTar(t *testing.T, names []string, times ...time.Time) string {
	t.Helper()
	var content bytes.Buffer
	w := tar.NewWriter(&content)
	for i, name := range names {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Format: tar.FormatPAX}
		if i < len(times) {
			h.ModTime = times[i]
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "tree.tar")
	if err := os.WriteFile(file, content.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestCheckLayer(t *testing.T) {
	newest := time.Date(2024, 2, 3, 4, 5, 6, 0, time.UTC)
	got, err := checkLayer(writeTar(t, []string{"./a", "./b", "./c"}, newest.Add(-time.Hour), newest.Add(time.Millisecond), newest))
	if err != nil || !got.Equal(newest) {
		t.Errorf("newest %v, %v; want %v", got, err, newest)
	}
	if _, err := checkLayer(writeTar(t, []string{"./etc/.wh.hosts"})); err == nil || !strings.Contains(err.Error(), `"/etc/.wh.hosts"`) {
		t.Errorf("a name that removes a file: %v", err)
	}
	damaged := filepath.Join(t.TempDir(), "damaged")
	if err := os.WriteFile(damaged, bytes.Repeat([]byte("x"), 1024), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := checkLayer(damaged); err == nil {
		t.Error("no error for what is no tar file")
	}
}

func TestIntoRootfs(t *testing.T) {
	var from, to bytes.Buffer
	w := tar.NewWriter(&from)
	moment := time.Date(2024, 2, 3, 4, 5, 6, 789, time.UTC)
	for _, h := range []*tar.Header{
		{Typeflag: tar.TypeDir, Name: "./", Mode: 0o751, Uid: 7},
		{Typeflag: tar.TypeReg, Name: "./a", Size: 4, ModTime: moment, PAXRecords: map[string]string{"SCHILY.xattr.user.x": "y"}},
		{Typeflag: tar.TypeLink, Name: "./b", Linkname: "./a"},
		{Typeflag: tar.TypeSymlink, Name: "./c", Linkname: "./a"},
	} {
		h.Format = tar.FormatPAX
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := w.Write([]byte("text")); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	out := tar.NewWriter(&to)
	if err := intoRootfs(out, tar.NewReader(&from)); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	r := tar.NewReader(&to)
	for _, want := range []tar.Header{
		{Name: "rootfs/", Mode: 0o751, Uid: 7},
		{Name: "rootfs/a", Size: 4, ModTime: moment},
		{Name: "rootfs/b", Linkname: "rootfs/a"},
		{Name: "rootfs/c", Linkname: "./a"},
	} {
		got, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if got.Name != want.Name || got.Linkname != want.Linkname || got.Size != want.Size || got.Mode != want.Mode || got.Uid != want.Uid {
			t.Errorf("%+v, want %+v", got, want)
		}
		if want.Size > 0 && (!got.ModTime.Equal(moment) || got.PAXRecords["SCHILY.xattr.user.x"] != "y") {
			t.Errorf("%s: time %v, records %v", got.Name, got.ModTime, got.PAXRecords)
		}
	}
}
