// Package testtree makes trees with everything that a filesystem can hold, and
// describes them, for tests of what copies trees.
package testtree

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Describe lists everything the copy is to keep, one line an entry, with hard links
// named by the first name of their file.
func Describe(t testing.TB, root string) []string {
	t.Helper()
	var lines []string
	first := map[[2]uint64]string{}
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if name == "lost+found" {
			return fs.SkipDir
		}
		var stat unix.Stat_t
		if err := unix.Lstat(path, &stat); err != nil {
			return err
		}
		line := fmt.Sprintf("%q %o %d:%d %d.%09d", name, stat.Mode, stat.Uid, stat.Gid, stat.Mtim.Sec, stat.Mtim.Nsec)
		switch stat.Mode & unix.S_IFMT {
		case unix.S_IFDIR:
		case unix.S_IFREG:
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			line += fmt.Sprintf(" size=%d sum=%x", stat.Size, sum(content))
		case unix.S_IFLNK:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			line += fmt.Sprintf(" -> %q", target)
		default:
			line += fmt.Sprintf(" dev=%x", stat.Rdev)
		}
		if stat.Nlink > 1 && stat.Mode&unix.S_IFMT != unix.S_IFDIR {
			id := [2]uint64{stat.Dev, stat.Ino}
			if first[id] == "" {
				first[id] = name
			}
			line += fmt.Sprintf(" links=%d first=%q", stat.Nlink, first[id])
		}
		lines = append(lines, line+xattrs(t, path))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func sum(content []byte) uint64 {
	h := uint64(14695981039346656037) // FNV-1a
	for _, b := range content {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return h
}

func xattrs(t testing.TB, path string) string {
	t.Helper()
	buffer := make([]byte, 64<<10)
	n, err := unix.Llistxattr(path, buffer)
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Split(strings.TrimSuffix(string(buffer[:n]), "\x00"), "\x00")
	slices.Sort(names)
	var text strings.Builder
	for _, name := range names {
		if name == "" {
			continue
		}
		value := make([]byte, 64<<10)
		n, err := unix.Lgetxattr(path, name, value)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&text, " %s=%s", name, hex.EncodeToString(value[:n]))
	}
	return text.String()
}

// must stops the test at the first of errs.
func must(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// acl is a POSIX ACL as the kernel stores it: version 2, then tag, permissions, id.
func acl(entries ...[3]uint32) []byte {
	value := []byte{2, 0, 0, 0}
	for _, e := range entries {
		value = append(value, byte(e[0]), 0, byte(e[1]), 0, byte(e[2]), byte(e[2]>>8), byte(e[2]>>16), byte(e[2]>>24))
	}
	return value
}

const noID = 0xFFFFFFFF

var (
	// user::rw- user:1000:rwx group::r-- mask::rwx other::r--
	accessACL = acl([3]uint32{1, 6, noID}, [3]uint32{2, 7, 1000}, [3]uint32{4, 4, noID}, [3]uint32{16, 7, noID}, [3]uint32{32, 4, noID})
	// cap_net_raw=ep, revision 2
	capability = []byte{1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
)

// Special makes one of everything.
func Special(t testing.TB, root string) {
	t.Helper()
	in := func(name string) string { return filepath.Join(root, name) }
	write := func(name string, content []byte, mode uint32) {
		t.Helper()
		must(t, os.MkdirAll(filepath.Dir(in(name)), 0o755), os.WriteFile(in(name), content, 0o600), unix.Chmod(in(name), mode))
	}
	write("etc/empty", nil, 0o644)
	write("etc/shadow", []byte("root:!\n"), 0o640)
	must(t, unix.Chown(in("etc/shadow"), 0, 42))
	write("bin/su", bytes.Repeat([]byte("x"), 70_000), 0o755)
	must(t, unix.Chown(in("bin/su"), 7, 8), unix.Chmod(in("bin/su"), 0o6755))
	write("bin/ping", []byte("#!"), 0o755)
	must(t, unix.Chown(in("bin/ping"), 5, 5), unix.Setxattr(in("bin/ping"), "security.capability", capability, 0))
	write("big", bytes.Repeat([]byte("0123456789abcdef"), (3<<20)/16+1), 0o600)
	write("acl/file", []byte("a"), 0o644)
	must(t, unix.Setxattr(in("acl/file"), "system.posix_acl_access", accessACL, 0),
		unix.Setxattr(in("acl/file"), "user.comment", []byte("a\x00b"), 0),
		unix.Setxattr(in("acl/file"), "user.empty", nil, 0),
		os.MkdirAll(in("acl/dir/child"), 0o750))
	write("acl/dir/plain", []byte("p"), 0o600)
	// Set after the entries were made, so that they have not inherited it.
	must(t, unix.Setxattr(in("acl/dir"), "system.posix_acl_default", accessACL, 0), unix.Chmod(in("acl/dir"), 0o2775))

	write("links/z", []byte("linked"), 0o644)
	must(t, os.Link(in("links/z"), in("links/a")), os.MkdirAll(in("a"), 0o755), os.Link(in("links/z"), in("a/other")))
	must(t, os.Symlink("/etc/passwd", in("absolute")), os.Symlink("no/where", in("dangling")),
		os.Symlink("..", in("links/up")), unix.Lchown(in("absolute"), 11, 12), os.Link(in("dangling"), in("dangling2")),
		os.Symlink(strings.Repeat("l", 900), in("long")))
	must(t, unix.Mkfifo(in("fifo"), 0o622), unix.Mknod(in("tty"), unix.S_IFCHR|0o620, int(unix.Mkdev(4, 300))),
		unix.Chmod(in("fifo"), 0o4622), unix.Chmod(in("tty"), 0o620),
		unix.Mknod(in("disk"), unix.S_IFBLK|0o660, int(unix.Mkdev(259, 70_000))), unix.Mknod(in("socket"), unix.S_IFSOCK|0o777, 0),
		unix.Setxattr(in("tty"), "trusted.note", []byte("t"), 0), unix.Lsetxattr(in("absolute"), "trusted.note", []byte("l"), 0))
	for _, name := range []string{"odd/new\nline", "odd/ leading space", "odd/-rf", "odd/\xff\xfe not utf-8", "odd/ü", "odd/" + strings.Repeat("n", 255)} {
		write(name, []byte(name), 0o644)
	}
	must(t, os.MkdirAll(in("tmp"), 0o777), unix.Chmod(in("tmp"), 0o1777), os.MkdirAll(in("empty"), 0o711), unix.Chmod(in("empty"), 0))
	Sparse(t, in("sparse"))
	must(t, os.WriteFile(in("hole"), nil, 0o600), os.Truncate(in("hole"), 5<<20+123))

	// Times last, deepest first.
	var names []string
	must(t, filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		names = append(names, path)
		return err
	}))
	slices.Reverse(names)
	for i, name := range names {
		when := []unix.Timespec{{Sec: 1_500_000_000, Nsec: 5}, {Sec: 1_000_000_000 + int64(i), Nsec: 123_456_789}}
		must(t, unix.UtimesNanoAt(unix.AT_FDCWD, name, when, unix.AT_SYMLINK_NOFOLLOW))
	}
}

// Sparse makes a file of 20 MiB with data at its beginning and in the middle.
func Sparse(t testing.TB, path string) {
	t.Helper()
	file, err := os.Create(path)
	must(t, err)
	_, err = file.WriteAt([]byte("start"), 0)
	_, err2 := file.WriteAt([]byte("middle"), 9<<20+7)
	must(t, err, err2, file.Truncate(20<<20), file.Close())
}

// Compare reports the differences of two descriptions.
func Compare(t testing.TB, got, want []string) {
	t.Helper()
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("the copy has  %s", line)
		}
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("the copy lacks %s", line)
		}
	}
}
