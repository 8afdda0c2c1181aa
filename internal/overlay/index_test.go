package overlay

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestParseHandle(t *testing.T) {
	uuid := strings.Repeat("0a", 16)
	for _, test := range []struct {
		name, entry string
		kind        int32
		bytes       string
		bad         bool
	}{
		{name: "ext4", entry: "00fb1d0001" + uuid + "d140980084c64c24", kind: 1, bytes: "\xd1\x40\x98\x00\x84\xc6\x4c\x24"},
		{name: "type above 127", entry: "00fb190081" + uuid + "01020304", kind: 0x81, bytes: "\x01\x02\x03\x04"},
		{name: "empty", bad: true},
		{name: "odd digits", entry: "00f", bad: true},
		{name: "temporary name", entry: "#3", bad: true},
		{name: "no handle", entry: "00fb150001" + uuid, bad: true},
		{name: "wrong length", entry: "00fb1c0001" + uuid + "d140980084c64c24", bad: true},
		{name: "wrong magic", entry: "00fc1d0001" + uuid + "d140980084c64c24", bad: true},
		{name: "other version", entry: "01fb1d0001" + uuid + "d140980084c64c24", bad: true},
	} {
		got, err := parseHandle(test.entry)
		if (err != nil) != test.bad {
			t.Errorf("%s: error %v, want one: %v", test.name, err, test.bad)
		}
		if !test.bad && (got.Type() != test.kind || !bytes.Equal(got.Bytes(), []byte(test.bytes))) {
			t.Errorf("%s: type %d bytes %x", test.name, got.Type(), got.Bytes())
		}
	}
}

func TestReadIndexMissing(t *testing.T) {
	if entries, err := readIndex(t.TempDir()); err != nil || entries != nil {
		t.Errorf("readIndex without an index = %v, %v", entries, err)
	}
	work := t.TempDir()
	if err := os.MkdirAll(filepath.Join(work, indexDir, "unexpected"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := readIndex(work); err == nil || !strings.Contains(err.Error(), "unexpected") {
		t.Errorf("an entry that is none: error %v, want one that names it", err)
	}
}

// The names and numbers of walk are those that filepath.WalkDir and lstat give.
func TestWalk(t *testing.T) {
	root := t.TempDir()
	var want []string
	for _, name := range []string{"a", "d/b", "d/e/c", "d/odd\n\xff", "d/.hidden"} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		want = append(want, name)
	}
	if err := os.Symlink("/", filepath.Join(root, "link")); err != nil {
		t.Fatal(err)
	}
	want = append(want, "link")
	// More entries than one call of getdents returns.
	for i := range 2000 {
		name := strings.Repeat("n", 50+i%100) + string(rune('a'+i%26)) + strings.Repeat("m", i/100)
		if err := os.WriteFile(filepath.Join(root, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		want = append(want, name)
	}
	slices.Sort(want)
	want = slices.Compact(want)

	var got []string
	err := walk(root, func(path string, inode uint64) (bool, error) {
		var stat unix.Stat_t
		if err := unix.Lstat(filepath.Join(root, path), &stat); err != nil || stat.Ino != inode {
			t.Errorf("%q: inode %d, lstat says %d, %v", path, inode, stat.Ino, err)
		}
		got = append(got, path)
		return true, nil
	})
	slices.Sort(got)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("walk found %d names, want %d, %v", len(got), len(want), err)
	}

	visited := 0
	if err := walk(root, func(string, uint64) (bool, error) { visited++; return visited < 3, nil }); err != nil || visited != 3 {
		t.Errorf("a walk that stops after 3 visited %d, %v", visited, err)
	}
}
