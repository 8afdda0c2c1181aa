package copytree

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/internal/loop"
	"github.com/dibgraph/dibgraph/internal/testroot"
)

// describe lists everything the copy is to keep, one line an entry, with hard links
// named by the first name of their file.
func describe(t *testing.T, root string) []string {
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

func xattrs(t *testing.T, path string) string {
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
func must(t *testing.T, errs ...error) {
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

// specialTree makes one of everything.
func specialTree(t *testing.T, root string) {
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
	sparse(t, in("sparse"))
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

func sparse(t *testing.T, path string) {
	t.Helper()
	file, err := os.Create(path)
	must(t, err)
	_, err = file.WriteAt([]byte("start"), 0)
	_, err2 := file.WriteAt([]byte("middle"), 9<<20+7)
	must(t, err, err2, file.Truncate(20<<20), file.Close())
}

// ext4 mounts a new filesystem and returns its mount point.
func ext4(t *testing.T, size int64) string {
	t.Helper()
	dir := t.TempDir()
	image := filepath.Join(dir, "image")
	must(t, os.WriteFile(image, nil, 0o600), os.Truncate(image, size))
	run(t, "mkfs.ext4", "-q", "-F", "-O", "^has_journal", image)
	device, err := loop.Attach(image, loop.Options{})
	must(t, err)
	target := filepath.Join(dir, "mnt")
	must(t, os.Mkdir(target, 0o755), unix.Mount(device.Path, target, "ext4", unix.MS_NOATIME, ""))
	t.Cleanup(func() {
		if err := errors.Join(unix.Unmount(target, 0), device.Close()); err != nil {
			t.Error(err)
		}
		run(t, "e2fsck", "-fn", image)
	})
	return target
}

func TestCopyEverything(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	source := t.TempDir()
	specialTree(t, source)
	want := describe(t, source)
	for _, workers := range []int{0, 1, 16} {
		t.Run(fmt.Sprintf("workers=%d", workers), func(t *testing.T) {
			target := ext4(t, 64<<20)
			must(t, Copy(t.Context(), source, target, Options{Workers: workers}))
			compare(t, describe(t, target), want)
			// Twice: everything is in the way and must be replaced.
			must(t, Copy(t.Context(), source, target, Options{Workers: workers}))
			compare(t, describe(t, target), want)
		})
	}
	compare(t, describe(t, source), want)
}

func compare(t *testing.T, got, want []string) {
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

func TestCopyKeepsHoles(t *testing.T) {
	testroot.Require(t)
	source, target := t.TempDir(), ext4(t, 64<<20)
	sparse(t, filepath.Join(source, "sparse"))
	must(t, os.Truncate(filepath.Join(source, "sparse"), 4<<30))
	must(t, Copy(t.Context(), source, target, Options{}))
	var stat unix.Stat_t
	must(t, unix.Stat(filepath.Join(target, "sparse"), &stat))
	if stat.Size != 4<<30 || stat.Blocks*512 > 64<<10 {
		t.Errorf("the copy has %d bytes in %d sectors; want %d bytes, and only two blocks of data", stat.Size, stat.Blocks, int64(4<<30))
	}
}

func TestCopyNeverFollowsLinks(t *testing.T) {
	testroot.Require(t)
	source, target, outside := t.TempDir(), t.TempDir(), t.TempDir()
	must(t, os.Mkdir(filepath.Join(source, "dir"), 0o755),
		os.WriteFile(filepath.Join(source, "dir/evil"), []byte("x"), 0o644),
		os.WriteFile(filepath.Join(source, "file"), []byte("x"), 0o644),
		os.WriteFile(filepath.Join(outside, "precious"), []byte("precious"), 0o644),
		os.Symlink(outside, filepath.Join(target, "dir")),
		os.Symlink(filepath.Join(outside, "precious"), filepath.Join(target, "file")))
	err := Copy(t.Context(), source, target, Options{})
	if !errors.Is(err, unix.ENOTDIR) && !errors.Is(err, unix.ELOOP) {
		t.Errorf("Copy into a symbolic link to a directory = %v, want ENOTDIR", err)
	}
	must(t, os.Remove(filepath.Join(target, "dir")))
	must(t, Copy(t.Context(), source, target, Options{}))
	if _, err := os.Stat(filepath.Join(outside, "evil")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the copy left its target: %v", err)
	}
	if content, err := os.ReadFile(filepath.Join(outside, "precious")); string(content) != "precious" {
		t.Errorf("the copy wrote through a link: %q, %v", content, err)
	}
}

func TestCopyMergesIntoMounts(t *testing.T) {
	testroot.Require(t)
	source, target := t.TempDir(), t.TempDir()
	must(t, os.MkdirAll(filepath.Join(source, "boot/grub"), 0o700), os.MkdirAll(filepath.Join(source, "usr"), 0o755),
		os.WriteFile(filepath.Join(source, "boot/kernel"), []byte("k"), 0o644),
		os.Link(filepath.Join(source, "boot/kernel"), filepath.Join(source, "usr/kernel")),
		os.Link(filepath.Join(source, "boot/kernel"), filepath.Join(source, "usr/kernel2")),
		os.MkdirAll(filepath.Join(target, "boot"), 0o755), os.Chmod(target, 0o751))
	must(t, unix.Mount("scratch", filepath.Join(target, "boot"), "tmpfs", 0, ""))
	defer func() { must(t, unix.Unmount(filepath.Join(target, "boot"), 0)) }()
	must(t, Copy(t.Context(), source, target, Options{KeepRoot: true}))

	stat := func(name string) unix.Stat_t {
		var s unix.Stat_t
		must(t, unix.Stat(filepath.Join(target, name), &s))
		return s
	}
	if mode := stat(".").Mode & 0o7777; mode != 0o751 {
		t.Errorf("KeepRoot: mode of the target = %o, want 751", mode)
	}
	if mode := stat("boot").Mode & 0o7777; mode != 0o700 {
		t.Errorf("mode of the mounted directory = %o, want 700", mode)
	}
	// Names on two filesystems cannot be one file; those on one still are.
	if a, b := stat("boot/kernel"), stat("usr/kernel"); a.Dev == b.Dev || a.Nlink != 1 || b.Nlink != 2 || b.Ino != stat("usr/kernel2").Ino {
		t.Errorf("links: boot/kernel %d, usr/kernel %d; want 1, 2", a.Nlink, b.Nlink)
	}
}

func TestCopyOneFilesystem(t *testing.T) {
	testroot.Require(t)
	source, target := t.TempDir(), t.TempDir()
	must(t, os.Mkdir(filepath.Join(source, "proc"), 0o700), unix.Mount("other", filepath.Join(source, "proc"), "tmpfs", 0, "mode=555"))
	defer func() { must(t, unix.Unmount(filepath.Join(source, "proc"), 0)) }()
	must(t, os.WriteFile(filepath.Join(source, "proc/file"), nil, 0o644))
	must(t, Copy(t.Context(), source, target, Options{OneFilesystem: true}))
	entries, err := os.ReadDir(filepath.Join(target, "proc"))
	must(t, err)
	if len(entries) != 0 {
		t.Errorf("the mounted filesystem was copied: %v", entries)
	}
}

func TestCopyExclude(t *testing.T) {
	testroot.Require(t)
	source, target := t.TempDir(), t.TempDir()
	for _, name := range []string{".hidden", "dir/.kept", "dir/sub/file", "dir/other"} {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(source, name)), 0o755), os.WriteFile(filepath.Join(source, name), nil, 0o644))
	}
	exclude := func(name string) bool { return strings.HasPrefix(name, ".") || name == "dir/sub" }
	must(t, Copy(t.Context(), source, target, Options{Exclude: exclude}))
	var got []string
	must(t, filepath.WalkDir(target, func(path string, _ fs.DirEntry, err error) error {
		got = append(got, strings.TrimPrefix(path, target))
		return err
	}))
	if want := []string{"", "/dir", "/dir/.kept", "/dir/other"}; !slices.Equal(got, want) {
		t.Errorf("copied %q, want %q", got, want)
	}
}

func TestCopyFails(t *testing.T) {
	testroot.Require(t)
	t.Run("full disk", func(t *testing.T) {
		source, target := t.TempDir(), t.TempDir()
		must(t, unix.Mount("small", target, "tmpfs", 0, "size=1m"))
		defer func() { must(t, unix.Unmount(target, 0)) }()
		for i := range 40 {
			must(t, os.WriteFile(filepath.Join(source, fmt.Sprint(i)), make([]byte, 100_000), 0o644))
		}
		before := openFiles(t)
		if err := Copy(t.Context(), source, target, Options{}); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("Copy = %v, want ENOSPC", err)
		}
		if after := openFiles(t); after != before {
			t.Errorf("%d files are open, %d before the failed copy", after, before)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		source := t.TempDir()
		must(t, os.WriteFile(filepath.Join(source, "a"), nil, 0o644))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := Copy(ctx, source, t.TempDir(), Options{}); !errors.Is(err, context.Canceled) {
			t.Errorf("Copy = %v, want context.Canceled", err)
		}
	})
	t.Run("kinds differ", func(t *testing.T) {
		source, target := t.TempDir(), t.TempDir()
		must(t, os.WriteFile(filepath.Join(source, "a"), nil, 0o644), os.Mkdir(filepath.Join(target, "a"), 0o755))
		if err := Copy(t.Context(), source, target, Options{}); !errors.Is(err, unix.EISDIR) {
			t.Errorf("Copy of a file over a directory = %v, want EISDIR", err)
		}
	})
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	return len(entries)
}
