package mount

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dibgraph/dibgraph/internal/testroot"
	"golang.org/x/sys/unix"
)

var binds = []struct {
	name string
	bind func(source, target string, readOnly, recursive bool) error
}{
	{"descriptor", bindByDescriptor},
	{"flags", bindByFlags},
}

func TestBind(t *testing.T) {
	for _, way := range binds {
		t.Run(way.name, func(t *testing.T) {
			testroot.Require(t)
			testroot.CheckMounts(t)
			source, target := t.TempDir(), t.TempDir()
			write(t, filepath.Join(source, "file"), "x")
			if err := way.bind(source, target, false, false); err != nil {
				t.Fatal(err)
			}
			expect(t, filepath.Join(target, "file"), "x")
			write(t, filepath.Join(target, "new"), "y")
			expect(t, filepath.Join(source, "new"), "y")
			if err := Unmount(target); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(filepath.Join(target, "file")); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("after the unmount: %v, want that the file is gone", err)
			}
		})
	}
}

func TestBindFile(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	dir := t.TempDir()
	source, target := filepath.Join(dir, "source"), filepath.Join(dir, "target")
	write(t, source, "new")
	write(t, target, "old")
	if err := Bind(source, target, true); err != nil {
		t.Fatal(err)
	}
	expect(t, target, "new")
	if err := os.WriteFile(target, nil, 0); !errors.Is(err, unix.EROFS) {
		t.Errorf("write to a read-only file: %v, want EROFS", err)
	}
	if err := Unmount(target); err != nil {
		t.Fatal(err)
	}
	expect(t, target, "old")
}

// A mount below the source comes along with BindAll only, and is read-only with
// the rest; the flags it has stay.
func TestBindBelow(t *testing.T) {
	for _, way := range binds {
		t.Run(way.name, func(t *testing.T) {
			testroot.Require(t)
			testroot.CheckMounts(t)
			source, target := t.TempDir(), t.TempDir()
			below := filepath.Join(source, "below")
			if err := os.Mkdir(below, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := Type("tmpfs", "tmpfs", below, unix.MS_NOSUID|unix.MS_NODEV, "size=64k"); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { unmounted(t, source) })
			write(t, filepath.Join(below, "file"), "x")

			if err := way.bind(source, target, true, false); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(filepath.Join(target, "below", "file")); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the plain bind shows the mount below: %v", err)
			}
			unmounted(t, target)

			if err := way.bind(source, target, true, true); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { unmounted(t, target) })
			expect(t, filepath.Join(target, "below", "file"), "x")
			if err := os.Remove(filepath.Join(target, "below", "file")); !errors.Is(err, unix.EROFS) {
				t.Errorf("remove below a read-only bind: %v, want EROFS", err)
			}
			if got := mountOptions(t, filepath.Join(target, "below")); !strings.Contains(got, "ro,nosuid,nodev") {
				t.Errorf("options of the mount below: %q, want ro,nosuid,nodev", got)
			}
			write(t, filepath.Join(below, "file"), "the source stays writable")
		})
	}
}

func TestUnmountNamesTheUser(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	dir := t.TempDir()
	if err := Type("tmpfs", "tmpfs", dir, 0, ""); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, "open"))
	if err != nil {
		t.Fatal(err)
	}
	err = Unmount(dir)
	if !errors.Is(err, unix.EBUSY) || !strings.Contains(err.Error(), "mount.test") {
		t.Errorf("unmount with an open file: %v, want EBUSY and this program's name", err)
	}
	f.Close()
	unmounted(t, dir)
}

func TestUnmountTree(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	dir := t.TempDir()
	for _, point := range []string{"", "", "a b", "a b/c"} {
		path := filepath.Join(dir, point)
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := Type("tmpfs", "tmpfs", path, 0, ""); err != nil {
			t.Fatal(err)
		}
	}
	unmounted(t, dir)
	if err := UnmountTree(dir); err != nil {
		t.Errorf("nothing is mounted: %v", err)
	}
}

func TestTypeRefusesWhatTheKernelCutsOff(t *testing.T) {
	err := Type("tmpfs", "tmpfs", "/nowhere", 0, strings.Repeat("x", 4096))
	if err == nil || !strings.Contains(err.Error(), "4095") {
		t.Errorf("4096 bytes of options: %v, want an error that names the limit", err)
	}
}

func unmounted(t *testing.T, target string) {
	t.Helper()
	if err := UnmountTree(target); err != nil {
		t.Error(err)
	}
}

func mountOptions(t *testing.T, point string) string {
	t.Helper()
	mounts, err := Self()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mounts {
		if m.Point == point {
			return m.Options
		}
	}
	t.Fatalf("%s is not mounted", point)
	return ""
}
