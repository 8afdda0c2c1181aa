package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// describeTree says of every file below root, other than lost+found, what an
// image must keep: type, mode, owner, links, device numbers, content, and the
// attribute user.app.
func describeTree(t *testing.T, root string) map[string]string {
	t.Helper()
	tree := make(map[string]string)
	first := make(map[uint64]string) // by inode: the name that came first
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if name == "lost+found" {
			return filepath.SkipDir
		}
		text, err := describeFile(path, name, first)
		tree[name] = text
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func describeFile(path, name string, first map[uint64]string) (string, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	stat := info.Sys().(*syscall.Stat_t)
	text := fmt.Sprintf("%s %d:%d", info.Mode(), stat.Uid, stat.Gid)
	if stat.Nlink > 1 && !info.IsDir() {
		if first[stat.Ino] == "" {
			first[stat.Ino] = name
		}
		text += fmt.Sprintf(" one of %d with %s", stat.Nlink, first[stat.Ino])
	}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(path)
		return text + " -> " + target, err
	case info.Mode()&fs.ModeDevice != 0:
		text += fmt.Sprintf(" %d:%d", unix.Major(stat.Rdev), unix.Minor(stat.Rdev))
	case info.Mode().IsRegular():
		content, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		text += fmt.Sprintf(" %d bytes %x", len(content), sha256.Sum256(content))
	}
	var value [256]byte
	n, err := unix.Lgetxattr(path, "user.app", value[:])
	if err == nil {
		text += " app=" + string(value[:n])
	} else if !errors.Is(err, unix.ENODATA) && !errors.Is(err, unix.EPERM) {
		return "", &fs.PathError{Op: "getxattr", Path: path, Err: err}
	}
	return text, nil
}

// compareTrees reports what differs between two descriptions.
func compareTrees(t *testing.T, got, want map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] {
			t.Errorf("%s is %q, want %q", name, got[name], want[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is %q, want none", name, got[name])
		}
	}
}

// wantFile reports a file whose description does not begin and end as wanted.
func wantFile(t *testing.T, tree map[string]string, name, begin, end string) {
	t.Helper()
	if got, ok := tree[name]; !ok || !strings.HasPrefix(got, begin) || !strings.HasSuffix(got, end) {
		t.Errorf("%s is %q, want %q … %q", name, got, begin, end)
	}
}
