// Package diskroot mounts the root filesystem of a disk image, to be read.
package diskroot

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/internal/loop"
	"github.com/dibgraph/dibgraph/internal/mount"
	"github.com/dibgraph/dibgraph/internal/partition"
)

// filesystems are tried one after the other, with the options that keep them
// from replaying a journal, which would be a write.
var filesystems = []struct{ name, options string }{
	{"ext4", "noload"}, {"xfs", "norecovery,nouuid"}, {"btrfs", ""}, {"vfat", ""},
}

// Mount mounts the filesystems of a raw disk image read-only below dir, which is
// empty, and returns the directory of the one with the root of a system in it,
// and how many other partitions there are. They stay mounted: call it in a mount namespace
// that goes away, and the loop devices with it.
func Mount(disk *os.File, dir string) (root string, others int, err error) {
	regions, err := partition.Read(disk)
	if err != nil {
		return "", 0, err
	}
	if len(regions) == 0 {
		regions = []partition.Extent{{}} // it is one filesystem
	}
	var problems []error
	for _, r := range regions {
		at := filepath.Join(dir, strconv.Itoa(r.Number))
		if err := os.Mkdir(at, 0o700); err != nil {
			return "", 0, err
		}
		if err := mountRegion(disk, r, at); err != nil {
			problems = append(problems, fmt.Errorf("partition %d: %w", r.Number, err))
			continue
		}
		if root == "" && isRoot(at) {
			root = at
		}
	}
	if root == "" {
		return "", 0, errors.Join(append([]error{errors.New("there is no filesystem with a root in it that this machine can mount")}, problems...)...)
	}
	return root, len(regions) - 1, nil
}

func mountRegion(disk *os.File, r partition.Extent, at string) error {
	device, err := loop.AttachFile(disk, loop.Options{ReadOnly: true, Offset: r.Start, SizeLimit: r.Length})
	if err != nil {
		return err
	}
	defer device.Close() // what is mounted keeps it
	for _, fs := range filesystems {
		if err = mount.Type(fs.name, device.Path, at, unix.MS_RDONLY|unix.MS_NODEV|unix.MS_NOEXEC|unix.MS_NOSUID, fs.options); err == nil {
			return nil
		}
	}
	return err
}

// isRoot tells the root of a system from /boot and what else there may be.
func isRoot(dir string) bool {
	for _, name := range []string{"etc", "usr"} {
		if info, err := os.Lstat(filepath.Join(dir, name)); err != nil || !info.IsDir() {
			return false
		}
	}
	return true
}
