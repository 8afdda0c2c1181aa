package blockdevice

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/internal/mount"
	"github.com/dibgraph/dibgraph/internal/testroot"
)

// What a tool writes to a device when there is no room for it below the raw file
// is lost after the tool has ended well. That is an error.
func TestFinishFindsLostWrites(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	for _, test := range []struct {
		name string
		room int64
		lost bool
	}{
		{"room", 6 << 20, false},
		{"no room", 1 << 20, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			must(t, mount.Type("tmpfs", "none", dir, 0, "size=64m"))
			defer func() { must(t, mount.Unmount(dir)) }()
			l, err := Parse([]byte(`
- local_loop: {name: image0}
- partitioning:
    base: image0
    label: gpt
    partitions:
      - {name: ESP, type: EF00, size: 8MiB, mkfs: {type: vfat, mount: {mount_point: /boot/efi}}}
      - {name: root, size: 100%, mkfs: {type: ext2, mount: {mount_point: /}}}
`), "layout", paramsIn(dir))
			must(t, err)
			s, err := l.Create(t.Context(), tools)
			must(t, err)
			defer func() { must(t, s.Close()) }()
			must(t, os.WriteFile(filepath.Join(dir, "mnt/boot/efi/data"), bytes.Repeat([]byte("data"), 1<<20), 0o600))
			must(t, trim(filepath.Join(dir, "mnt"))) // what is written late would take some of the room
			fill(t, dir, test.room)
			must(t, s.Umount(t.Context()))
			if err := s.FinishFilesystems(t.Context()); (err != nil) != test.lost {
				t.Errorf("FinishFilesystems = %v, want an error: %t", err, test.lost)
			}
		})
	}
}

// fill leaves so much room on a filesystem.
func fill(t *testing.T, dir string, room int64) {
	t.Helper()
	var st unix.Statfs_t
	must(t, unix.Statfs(dir, &st))
	f, err := os.Create(filepath.Join(dir, "ballast"))
	must(t, err)
	defer f.Close()
	must(t, unix.Fallocate(int(f.Fd()), 0, 0, int64(st.Bfree)*st.Bsize-room))
}
