package compat

import (
	"archive/tar"
	"bytes"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A file of an archive of a test. The zero mode is 0644, or 0755 of a directory.
type file struct {
	name, text, target string
	kind               byte
	mode               int64
	uid, gid           int
	major, minor       int64
	xattrs             map[string]string
}

// tree packs files and reads the archive.
func tree(t *testing.T, files ...file) Tree {
	t.Helper()
	var packed bytes.Buffer
	archive := tar.NewWriter(&packed)
	for _, f := range files {
		header := &tar.Header{
			Name: "./" + f.name, Typeflag: f.kind, Mode: f.mode, Uid: f.uid, Gid: f.gid, Linkname: f.target,
			Devmajor: f.major, Devminor: f.minor, Size: int64(len(f.text)), Format: tar.FormatPAX, PAXRecords: map[string]string{},
		}
		if f.kind == 0 {
			header.Typeflag = tar.TypeReg
		}
		if f.mode == 0 {
			header.Mode = 0o644
		}
		for name, value := range f.xattrs {
			header.PAXRecords[xattrPrefix+name] = value
		}
		if err := archive.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write([]byte(f.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	tree, err := ReadTar(&packed)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestCompare(t *testing.T) {
	plain := file{name: "etc/motd", text: "hello\n"}
	with := func(change func(*file)) []file {
		f := plain
		change(&f)
		return []file{f}
	}
	for _, test := range []struct {
		name         string
		ours, theirs []file
		want         string
	}{
		{"equal", []file{plain}, []file{plain}, ""},
		{"equal root", []file{{name: "", kind: tar.TypeDir, mode: 0o755}}, []file{{name: "", kind: tar.TypeDir, mode: 0o755}}, ""},
		{"root's mode", []file{{name: "", kind: tar.TypeDir, mode: 0o755}}, []file{{name: "", kind: tar.TypeDir, mode: 0o700}}, "/ has mode 0755, theirs 0700"},
		{"a name with a dot", []file{{name: ".hidden", text: "x"}}, nil, "/.hidden is there besides, a file of 1 bytes"},
		{"missing", nil, []file{plain}, "/etc/motd is missing, a file of 6 bytes"},
		{"besides", []file{plain}, nil, "/etc/motd is there besides, a file of 6 bytes"},
		{"content", []file{plain}, with(func(f *file) { f.text = "hallo\n" }), "/etc/motd has 6 bytes that are others than their 6\n    + \"hello\"\n    - \"hallo\""},
		{"mode", []file{plain}, with(func(f *file) { f.mode = 0o4755 }), "/etc/motd has mode 0644, theirs 4755"},
		{"owner", []file{plain}, with(func(f *file) { f.uid, f.gid = 1, 2 }), "/etc/motd belongs to 0:0, theirs 1:2"},
		{"type", []file{plain}, []file{{name: plain.name, kind: tar.TypeFifo}}, "/etc/motd is of type -, theirs p"},
		{"target", []file{{name: "a", kind: tar.TypeSymlink, target: "b"}}, []file{{name: "a", kind: tar.TypeSymlink, target: "c"}}, "/a is a link to b, theirs c"},
		{"device", []file{{name: "a", kind: tar.TypeChar, major: 1, minor: 3}}, []file{{name: "a", kind: tar.TypeChar, major: 1, minor: 5}}, "/a is the device 1:3, theirs 1:5"},
		{"attributes", []file{plain}, with(func(f *file) { f.xattrs = map[string]string{"security.capability": "\x01"} }),
			`/etc/motd has the attributes map[], theirs map["security.capability":"\x01"]`},
		{"equal links in another order",
			[]file{{name: "a", text: "x"}, {name: "b", kind: tar.TypeLink, target: "./a"}},
			[]file{{name: "b", text: "x"}, {name: "a", kind: tar.TypeLink, target: "./b"}}, ""},
		{"a link and a copy",
			[]file{{name: "a", text: "x"}, {name: "b", kind: tar.TypeLink, target: "a"}},
			[]file{{name: "a", text: "x"}, {name: "b", text: "x"}}, "/a has the names [a b], theirs []\n/b has the names [a b], theirs []"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := Compare(tree(t, test.ours...), tree(t, test.theirs...), nil)
			if text := strings.Join(got.Unexplained, "\n"); text != test.want {
				t.Errorf("got  %q\nwant %q", text, test.want)
			}
		})
	}
}

func TestLargeFilesCompareByDigest(t *testing.T) {
	large := strings.Repeat("x", textLimit+1)
	ours, theirs := tree(t, file{name: "a", text: large}), tree(t, file{name: "a", text: large[1:] + "y"})
	if ours["a"].Text != nil {
		t.Errorf("the text of a file of %d bytes is kept", len(large))
	}
	if got := Compare(ours, theirs, nil).Unexplained; len(got) != 1 {
		t.Errorf("got %q, want one difference", got)
	}
	normal := []Rule{{Paths: []string{"a"}, Normal: func([]byte) []byte { return nil }}}
	if got := Compare(ours, theirs, normal).Unexplained; len(got) != 1 {
		t.Errorf("a rule that looks into files excuses one that is too large for that")
	}
}

func TestRules(t *testing.T) {
	digits := regexp.MustCompile(`[0-9]+`)
	rules := []Rule{
		{Paths: []string{"var/log/**", "dev/*"}, Absent: true, Name: "logs"},
		{Paths: []string{"etc/machine-id", "var/cache/*/**"}, Name: "ids"},
		{Paths: []string{"etc/stamp"}, Normal: func(b []byte) []byte { return digits.ReplaceAll(b, nil) }, Name: "stamps"},
	}
	ours := tree(t,
		file{name: "var/log/a/b", text: "1"}, file{name: "dev/null", text: "1"}, file{name: "etc/machine-id", text: "1"},
		file{name: "var/cache/x/y/z", text: "1"}, file{name: "etc/stamp", text: "at 12"}, file{name: "var/logs", text: "1"})
	theirs := tree(t,
		file{name: "var/log/c", text: "1"}, file{name: "etc/machine-id", text: "2"},
		file{name: "var/cache/x/y/z", text: "2"}, file{name: "etc/stamp", text: "at 345"}, file{name: "var/logs", text: "2"})
	got := Compare(ours, theirs, rules)
	if want := map[string]int{"logs": 3, "ids": 2, "stamps": 1}; !maps.Equal(got.Explained, want) {
		t.Errorf("explained %v, want %v", got.Explained, want)
	}
	if len(got.Unexplained) != 1 || !strings.HasPrefix(got.Unexplained[0], "/var/logs ") {
		t.Errorf("unexplained %q, want /var/logs", got.Unexplained)
	}
	if got.Files != 7 {
		t.Errorf("%d files, want 7", got.Files)
	}

	// A rule about content excuses neither a mode nor absence, nor what differs
	// after it has made the same what may differ.
	theirs["etc/machine-id"].Mode = 0o600
	delete(theirs, "var/cache/x/y/z")
	theirs["etc/stamp"].Text, theirs["etc/stamp"].Digest = []byte("on 12"), "other"
	var paths []string
	for _, line := range Compare(ours, theirs, rules).Unexplained {
		name, _, _ := strings.Cut(line, " ")
		paths = append(paths, name)
	}
	if want := []string{"/etc/machine-id", "/etc/stamp", "/var/cache/x/y/z", "/var/logs"}; !slices.Equal(paths, want) {
		t.Errorf("unexplained %q, want %q", paths, want)
	}
}

func TestReadTarRefuses(t *testing.T) {
	if _, err := ReadTar(strings.NewReader("no archive, but long enough to be looked at" + strings.Repeat(" ", 600))); err == nil {
		t.Error("text was read as an archive")
	}
}
