package copytree

import (
	"context"
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
	"github.com/dibgraph/dibgraph/internal/testtree"
)

// must stops the test at the first of errs.
func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
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
	testtree.Special(t, source)
	want := testtree.Describe(t, source)
	for _, workers := range []int{0, 1, 16} {
		t.Run(fmt.Sprintf("workers=%d", workers), func(t *testing.T) {
			target := ext4(t, 64<<20)
			must(t, Copy(t.Context(), source, target, Options{Workers: workers}))
			testtree.Compare(t, testtree.Describe(t, target), want)
			// Twice: everything is in the way and must be replaced.
			must(t, Copy(t.Context(), source, target, Options{Workers: workers}))
			testtree.Compare(t, testtree.Describe(t, target), want)
		})
	}
	testtree.Compare(t, testtree.Describe(t, source), want)
}

func TestCopyKeepsHoles(t *testing.T) {
	testroot.Require(t)
	source, target := t.TempDir(), ext4(t, 64<<20)
	testtree.Sparse(t, filepath.Join(source, "sparse"))
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
