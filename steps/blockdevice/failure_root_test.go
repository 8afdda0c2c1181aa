package blockdevice

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/internal/loop"
	"github.com/dibgraph/dibgraph/internal/mount"
	"github.com/dibgraph/dibgraph/internal/testroot"
)

// victimEnv makes the test binary create the efi layout in the directory it
// names, in the mount namespace it was started in, and wait to be killed.
const victimEnv = "DIBGRAPH_BLOCKDEVICE_TEST_VICTIM"

func init() {
	if dir := os.Getenv(victimEnv); dir != "" {
		victim(dir)
	}
}

func victim(dir string) {
	err := mount.MakePrivate()
	if err == nil {
		var l *Layout
		if l, err = Parse([]byte(efi("512", "33MiB")), "efi", paramsIn(dir)); err == nil {
			var s *State
			if s, err = l.Create(context.Background(), tools); err == nil {
				fmt.Println(s.Value("image-block-device"))
				testroot.WaitForKill()
			}
		}
	}
	fmt.Println("error:", err)
	os.Exit(1)
}

func paramsIn(dir string) Params {
	return Params{ImageDir: dir, MountBase: filepath.Join(dir, "mnt"), BuildDir: dir, ImageSize: "160MiB"}
}

func TestKilledCreatorLeavesNothing(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	dir := t.TempDir()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), victimEnv+"="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	out, err := cmd.StdoutPipe()
	must(t, err, cmd.Start())
	line := make([]byte, 1000)
	n, err := out.Read(line)
	must(t, err)
	path := strings.TrimSpace(string(line[:n]))
	device := loop.Device{Path: path}
	if !device.Attached() {
		t.Fatalf("the victim says %q, and that is not attached", path)
	}
	must(t, cmd.Process.Kill())
	if err := cmd.Wait(); err == nil {
		t.Error("the victim ended well")
	}
	if device.Attached() {
		t.Errorf("%s outlives its process", path)
	}
}

func TestCreateUndoesItself(t *testing.T) {
	testroot.Require(t)
	swapped := strings.Replace(efi("512", "33MiB"), "type: ext4\n", "type: ext4\n          opts: --no-such-option\n", 1)
	for _, test := range []struct{ name, layout, want string }{
		{"mkfs fails", swapped, `mkfs "mkfs_root": env ["SOURCE_DATE_EPOCH`},
		{"no space", strings.Replace(efi("512", "200MiB"), "100%", "10MiB", 1), `partition "ESP": needs 204800 KiB, and the disk has 161792 KiB left`},
		{"no device mapper", `
- local_loop: {name: image0}
- partitioning: {base: image0, label: gpt, partitions: [{name: p, size: 100%}]}
- lvm: {name: lvm, pvs: [{name: pv, base: p}], vgs: [{name: vg, base: pv}], lvs: [{name: root, base: vg, extents: 100%VG}]}
- mkfs: {base: root, name: mkfs_root, mount: {mount_point: /}}
`, "logical volumes need the device mapper"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if control, err := os.Open(mapperControl); err == nil && strings.Contains(test.want, "mapper") {
				control.Close()
				t.Skip("this host has a device mapper")
			}
			testroot.CheckMounts(t)
			dir := t.TempDir()
			l, err := Parse([]byte(test.layout), "layout", paramsIn(dir))
			must(t, err)
			_, err = l.Create(t.Context(), tools)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("Create = %v, want %q", err, test.want)
			}
			if _, err := os.Stat(filepath.Join(dir, "image0.raw")); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the raw file is left: %v", err)
			}
			checkDetached(t, dir)
		})
	}
	t.Run("cancelled", func(t *testing.T) {
		testroot.CheckMounts(t)
		dir := t.TempDir()
		l, err := Parse([]byte(efi("512", "33MiB")), "layout", paramsIn(dir))
		must(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		_, err = l.Create(ctx, func(ctx context.Context, name string, args ...string) error {
			defer cancel()
			return tools(ctx, name, args...)
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Create = %v, want context.Canceled", err)
		}
		checkDetached(t, dir)
	})
}

// checkDetached checks that no loop device holds a file in dir.
func checkDetached(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	must(t, err)
	for _, file := range files {
		// It may be detached, by another test, at any moment.
		if backing, err := os.ReadFile(file); err == nil && strings.HasPrefix(string(backing), dir) {
			t.Errorf("%s still holds %s", file, backing)
		}
	}
}

// make creates a layout that is closed at the end of the test.
func create(t *testing.T, layout string) *State {
	t.Helper()
	l, err := Parse([]byte(layout), "layout", paramsIn(t.TempDir()))
	must(t, err)
	s, err := l.Create(t.Context(), tools)
	must(t, err)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestUmountNamesUsers(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	s := create(t, builtin)
	file, err := os.Create(filepath.Join(s.layout.params.MountBase, "busy"))
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 300_000_000)
	defer cancel()
	err = s.Umount(ctx)
	if !errors.Is(err, unix.EBUSY) || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("Umount in use = %v, want EBUSY and the process", err)
	}
	if err := s.FinishFilesystems(t.Context()); err == nil || !strings.Contains(err.Error(), "still mounted") {
		t.Errorf("FinishFilesystems = %v, want that it is mounted", err)
	}
	must(t, file.Close(), s.Umount(t.Context()), s.FinishFilesystems(t.Context()), s.Close())
	output(t, "e2fsck", "-fn", s.Value("image-path"))
}

func TestFillFATRefuses(t *testing.T) {
	testroot.Require(t)
	device := filepath.Join(t.TempDir(), "fat.img")
	must(t, os.WriteFile(device, nil, 0o600), os.Truncate(device, 1<<20))
	output(t, "mkfs.vfat", "-r", "32", device)
	for _, test := range []struct {
		name string
		make func(dir string) error
		want []string
	}{
		{"links and nodes", func(dir string) error {
			return errors.Join(os.Symlink("a", filepath.Join(dir, "link")), unix.Mkfifo(filepath.Join(dir, "pipe"), 0o644))
		}, []string{`"link": vfat has files and directories only, no symbolic links`, `"pipe": vfat has files and directories only, no fifos`}},
		{"names", func(dir string) error {
			return errors.Join(os.WriteFile(filepath.Join(dir, "a:b"), nil, 0o644), os.WriteFile(filepath.Join(dir, "dot."), nil, 0o644), os.WriteFile(filepath.Join(dir, "\xff"), nil, 0o644),
				os.WriteFile(filepath.Join(dir, "Case"), nil, 0o644), os.WriteFile(filepath.Join(dir, "case"), nil, 0o644))
		}, []string{`"a:b"`, `"dot."`, `"\xff": vfat needs names in UTF-8`, "only in case"}},
		{"full", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "big"), make([]byte, 1<<20), 0o644)
		}, []string{"the files take 1024 KiB, and the filesystem has room for"}},
		{"full by directories", func(dir string) error {
			var errs []error
			for i := range 600 {
				errs = append(errs, os.MkdirAll(filepath.Join(dir, "d", fmt.Sprint(i)), 0o755))
			}
			return errors.Join(errs...)
		}, []string{"and the filesystem has room for"}},
		{"top directory", func(dir string) error {
			var errs []error
			for i := range 16 {
				errs = append(errs, os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), nil, 0o644))
			}
			return errors.Join(errs...)
		}, []string{"the top directory has 33 entries, and the filesystem has room for 32"}},
	} {
		dir := t.TempDir()
		must(t, test.make(dir))
		err := fillFAT(t.Context(), tools, device, dir)
		for _, want := range test.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", test.name, err, want)
			}
		}
	}
	if listing := output(t, "env", "MTOOLS_SKIP_CHECK=1", "mdir", "-b", "-i", device, "::"); listing != "" {
		t.Errorf("a refused fill has written:\n%s", listing)
	}
}

// What is measured as full is full, to the last cluster.
func TestFillFATToTheBrim(t *testing.T) {
	testroot.Require(t)
	for _, options := range [][]string{{"-F", "12", "-s", "4"}, {"-F", "16", "-s", "1"}, {"-F", "32", "-s", "1"}} {
		device := filepath.Join(t.TempDir(), "fat.img")
		must(t, os.WriteFile(device, nil, 0o600), os.Truncate(device, 40<<20))
		if options[1] != "32" {
			must(t, os.Truncate(device, 4<<20))
		}
		output(t, "mkfs.vfat", append(options, "-n", "LABEL", device)...)
		room, err := readFAT(device)
		must(t, err)
		dir := t.TempDir()
		must(t, os.Mkdir(filepath.Join(dir, "sub"), 0o755))
		for i := range 20 {
			must(t, os.WriteFile(filepath.Join(dir, "sub", fmt.Sprintf("a file with a long name %02d", i)), []byte("x"), 0o644))
		}
		need, err := measureFAT(dir)
		must(t, err)
		used := int64(0)
		for _, size := range need.sizes {
			used += up(size, room.cluster) / room.cluster
		}
		if room.rootEntries == 0 {
			used++
		}
		filler := filepath.Join(dir, "fill")
		must(t, os.WriteFile(filler, nil, 0o644), os.Truncate(filler, (room.clusters-used)*room.cluster))
		must(t, fillFAT(t.Context(), tools, device, dir))
		output(t, "fsck.vfat", "-n", device)
		must(t, os.Truncate(filler, (room.clusters-used)*room.cluster+1))
		if err := fillFAT(t.Context(), tools, device, dir); err == nil || !strings.Contains(err.Error(), "has room for") {
			t.Errorf("%q: one byte more: %v, want that there is no room", options, err)
		}
	}
}

// Where partitions of a loop device cannot be opened, each has a device of its own.
func TestPartitionWindow(t *testing.T) {
	testroot.Require(t)
	s := create(t, efi("512", "33MiB"))
	disk := s.disks[MainDisk]
	at := disk.places["BSP"]
	// The partition exists, so that it cannot be added again.
	path, err := s.attachPartition(disk, at)
	must(t, err)
	if path == s.path("BSP") {
		t.Fatalf("a second partition device %s", path)
	}
	must(t, os.WriteFile(path, []byte("window"), 0))
	unix.Sync()
	content := make([]byte, 6)
	raw, err := os.Open(disk.raw)
	must(t, err)
	defer raw.Close()
	_, err = raw.ReadAt(content, at.start)
	must(t, err)
	if string(content) != "window" {
		t.Errorf("the raw file has %q at the partition", content)
	}
}
