package cache

import (
	"archive/tar"
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func tarOf(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		content := ""
		if h.Typeflag == tar.TypeReg {
			content = strings.Repeat("x", int(h.Size))
		}
		h.ModTime = time.Unix(1700000000, 0)
		check(t, w.WriteHeader(&h))
		must[int](t)(w.Write([]byte(content)))
	}
	check(t, w.Close())
	return b.Bytes()
}

func TestListTar(t *testing.T) {
	at := time.Unix(1700000000, 0).UTC()
	text := tarOf(t,
		tar.Header{Typeflag: tar.TypeDir, Name: "./", Mode: 0o755},
		tar.Header{Typeflag: tar.TypeReg, Name: "./b", Mode: 0o4755, Uid: 12, Gid: 34, Size: 3,
			PAXRecords: map[string]string{"SCHILY.xattr.user.note": "n", "SCHILY.xattr.security.selinux": "s"}},
		tar.Header{Typeflag: tar.TypeDir, Name: "./a-dir/", Mode: 0o1777},
		tar.Header{Typeflag: tar.TypeDir, Name: "./a/", Mode: 0o700},
		tar.Header{Typeflag: tar.TypeLink, Name: "./a/linked", Linkname: "./b"},
		tar.Header{Typeflag: tar.TypeSymlink, Name: "./a/link", Linkname: "../b", Mode: 0o777},
		tar.Header{Typeflag: tar.TypeChar, Name: "./a/null", Mode: 0o666, Devmajor: 1, Devminor: 3},
		tar.Header{Typeflag: tar.TypeFifo, Name: "./a/pipe", Mode: 0o600},
		tar.Header{Typeflag: tar.TypeReg, Name: "./c", Mode: 0o644, Size: 1},
		tar.Header{Typeflag: tar.TypeReg, Name: "./c", Mode: 0o600, Size: 2},
	)
	b := Entry{
		Type: TypeFile, Mode: 0o4755, UID: 12, GID: 34, ModTime: at, Size: 3, Digest: DigestBytes([]byte("xxx")),
		Xattrs: []Xattr{{"user.note", "n"}},
	}
	linked, last := b, b
	linked.Path, last.Path, last.HardLink = "a/linked", "b", "a/linked"
	want := []Entry{
		{Path: "a", Type: TypeDir, Mode: 0o700, ModTime: at},
		{Path: "a/link", Type: TypeSymlink, Mode: 0o777, ModTime: at, Link: "../b"},
		linked,
		{Path: "a/null", Type: TypeChar, Mode: 0o666, ModTime: at, Rdev: unix.Mkdev(1, 3)},
		{Path: "a/pipe", Type: TypeFIFO, Mode: 0o600, ModTime: at},
		{Path: "a-dir", Type: TypeDir, Mode: 0o1777, ModTime: at},
		last,
		{Path: "c", Type: TypeFile, Mode: 0o600, ModTime: at, Size: 2, Digest: DigestBytes([]byte("xx"))},
	}
	l, kept, err := ListTar(bytes.NewReader(text), "c", "none")
	check(t, err)
	if !reflect.DeepEqual(l.Entries, want) {
		t.Errorf("got\n%+v, want\n%+v", l.Entries, want)
	}
	if len(kept) != 1 || string(kept["c"]) != "xx" {
		t.Errorf("kept %q", kept)
	}
}

// What replaces a file of several paths is not that file.
func TestListTarReplaces(t *testing.T) {
	text := tarOf(t,
		tar.Header{Typeflag: tar.TypeReg, Name: "b", Size: 3},
		tar.Header{Typeflag: tar.TypeLink, Name: "a", Linkname: "b"},
		tar.Header{Typeflag: tar.TypeReg, Name: "b", Size: 5},
	)
	l, _, err := ListTar(bytes.NewReader(text))
	check(t, err)
	if a, b := l.Entries[0], l.Entries[1]; a.Size != 3 || b.Size != 5 || b.HardLink != "" {
		t.Errorf("got %+v and %+v", a, b)
	}
}

func TestListTarRefuses(t *testing.T) {
	for name, text := range map[string][]byte{
		"no tar file":   bytes.Repeat([]byte("no tar file "), 100),
		"a link before": tarOf(t, tar.Header{Typeflag: tar.TypeLink, Name: "a", Linkname: "b"}),
		"cut off":       tarOf(t, tar.Header{Typeflag: tar.TypeReg, Name: "a", Size: 5000})[:2000],
	} {
		if l, _, err := ListTar(bytes.NewReader(text)); err == nil {
			t.Errorf("%s: got %+v, want an error", name, l)
		}
	}
}

// Whatever is read, the listing is one that a tree can have, as far as it goes.
func FuzzListTar(f *testing.F) {
	f.Add(tarOf(f, tar.Header{Typeflag: tar.TypeReg, Name: "./b", Size: 3}, tar.Header{Typeflag: tar.TypeLink, Name: "a", Linkname: "b"}))
	f.Fuzz(func(t *testing.T, text []byte) {
		l, _, err := ListTar(bytes.NewReader(text))
		if err != nil {
			return
		}
		for i, e := range l.Entries {
			if i > 0 && comparePaths(l.Entries[i-1].Path, e.Path) >= 0 {
				t.Errorf("%q is out of order", e.Path)
			}
			if first := l.Find(e.HardLink); e.HardLink != "" && (first == nil || first.HardLink != "" || comparePaths(first.Path, e.Path) >= 0) {
				t.Errorf("%q is a hard link to %q, which is no earlier file", e.Path, e.HardLink)
			}
		}
	})
}
