package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A smallDisk is a filesystem of its own for a test, mounted outside the
// directories of programs: what is looked for there is of their builds.
type smallDisk struct {
	t          *testing.T
	image, dir string
}

func newSmallDisk(t *testing.T, megabytes int64, mkfs ...string) *smallDisk {
	t.Helper()
	at := t.TempDir()
	d := &smallDisk{t: t, image: filepath.Join(at, "image"), dir: filepath.Join(at, "disk")}
	if err := os.Mkdir(d.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(d.image, megabytes<<20); err != nil {
		t.Fatal(err)
	}
	tool(t, "mkfs.ext4", append(mkfs, "-q", "-F", "-b", "4096", "-m", "0", "-J", "size=4", d.image)...)
	t.Cleanup(func() {
		// One that a failed case unmounted is none any more.
		if err := unix.Unmount(d.dir, 0); err != nil && err != unix.EINVAL {
			t.Errorf("unmount %s: %v", d.dir, err)
		}
	})
	d.mount()
	return d
}

func (d *smallDisk) mount() {
	d.t.Helper()
	tool(d.t, "mount", "-o", "loop,errors=remount-ro", d.image, d.dir)
}

// mountAgain mounts what is on the disk, as if the machine had been started anew.
// It is a copy: sandboxes of other tests got copies of the mount when they began,
// and as long as one of them lives, another mount of the same file shows the same
// filesystem, and not what is on the disk.
func (d *smallDisk) mountAgain(repair bool) {
	d.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		err := unix.Unmount(d.dir, 0)
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("%s is still in use: %v", d.dir, err)
		}
	}
	before := d.image
	d.image += "~"
	tool(d.t, "cp", "--sparse=always", before, d.image)
	tool(d.t, "rm", before)
	if repair {
		tool(d.t, "sh", "-c", `e2fsck -fy "$0" || [ $? = 1 ]`, d.image) // 1: it is repaired
	}
	d.mount()
}

func (d *smallDisk) path(name string) string { return filepath.Join(d.dir, name) }

// free returns how many bytes root can write.
func (d *smallDisk) free() int64 {
	d.t.Helper()
	var st unix.Statfs_t
	if err := unix.Statfs(d.dir, &st); err != nil {
		d.t.Fatal(err)
	}
	return int64(st.Bavail) * st.Bsize
}

// leave fills the disk but for so many bytes, or a little less.
func (d *smallDisk) leave(bytes int64) {
	d.t.Helper()
	f, err := os.OpenFile(d.path("ballast"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	filled := int64(0)
	for part := int64(8 << 20); part >= 4096; part /= 2 {
		for d.free() >= bytes+part && unix.Fallocate(int(f.Fd()), 0, filled, part) == nil {
			filled += part
		}
	}
}

// leaveFiles makes files until only so many more can be.
func (d *smallDisk) leaveFiles(n uint64) {
	d.t.Helper()
	if err := os.Mkdir(d.path("ballast"), 0o700); err != nil {
		d.t.Fatal(err)
	}
	for i := 0; ; i++ {
		var st unix.Statfs_t
		if err := unix.Statfs(d.dir, &st); err != nil {
			d.t.Fatal(err)
		}
		if st.Ffree <= n {
			return
		}
		if err := os.WriteFile(d.path(fmt.Sprintf("ballast/%d", i)), nil, 0o600); err != nil {
			d.t.Fatal(err)
		}
	}
}

// relieve takes away what the disk was filled with.
func (d *smallDisk) relieve() {
	d.t.Helper()
	if err := os.RemoveAll(d.path("ballast")); err != nil {
		d.t.Fatal(err)
	}
}

func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	return (&program{t: t}).tool(name, args...)
}
