package blockdevice

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/internal/mount"
)

// A mounted filesystem.
type mounted struct {
	filesystem *filesystem
	target     string
	point      string
	scratch    bool // a tmpfs in its place, to be written into it at the end
	filled     bool // with its part of the tree
}

func (m *mountPoint) create(ctx context.Context, s *State) error {
	f := s.layout.filesystemOf(m)
	if f.fstype == "swap" {
		return nil
	}
	target := filepath.Join(s.layout.params.MountBase, m.point)
	if err := makePoint(target); err != nil {
		return err
	}
	filled, err := m.fill(ctx, s, f)
	if err != nil {
		return err
	}
	scratch, err := f.mount(s.path(f.bases[0]), target)
	if err != nil {
		return err
	}
	s.mounted = append(s.mounted, &mounted{f, target, m.point, scratch, filled})
	return nil
}

// makePoint makes a directory to mount on, and those above it. They are as old as what
// they are in, which does not get younger: it may be filled already.
func makePoint(target string) error {
	if _, err := os.Stat(target); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(target)
	if err := makePoint(parent); err != nil {
		return err
	}
	info, err := os.Stat(parent)
	if err != nil {
		return err
	}
	if err := os.Mkdir(target, 0o755); err != nil {
		return err
	}
	when := info.ModTime()
	return errors.Join(os.Chtimes(target, when, when), os.Chtimes(parent, when, when))
}

// mount mounts the filesystem. Where the kernel does not know vfat, which is
// common in containers and small virtual machines, a tmpfs takes its place.
func (f *filesystem) mount(device, target string) (scratch bool, err error) {
	fstype, data := f.fstype, ""
	switch f.fstype {
	case "ext4":
		// No barriers: a disk that is not finished is thrown away. And no
		// thread that fills unused inode tables with zeros: the first boot
		// does that, and the raw file stays sparse.
		data = "nobarrier,noinit_itable"
	case "xfs":
		// Another disk of the same seed may be mounted at this moment.
		data = "nouuid"
	case "fat", "vfat":
		fstype, data = "vfat", "utf8"
	}
	err = mount.Type(fstype, device, target, unix.MS_NOATIME, data)
	if fstype != "vfat" || err == nil {
		return false, err
	}
	// ENODEV: no vfat. EINVAL: no table of its character set.
	if !errors.Is(err, unix.ENODEV) && !errors.Is(err, unix.EINVAL) {
		return false, err
	}
	// It is mounted from the device by name, as far as programs can tell: grub-install
	// looks for the filesystem there, which is the one that was made.
	return true, mount.Type("tmpfs", device, target, unix.MS_NOATIME, "mode=0755")
}

// Umount writes everything to the raw files and unmounts the filesystems, the
// last mounted first. One that is in use for longer than a few seconds is an error
// that names who uses it; Umount can be called again then.
func (s *State) Umount(ctx context.Context) error {
	return s.unmountAll(ctx, true)
}

// unmountAll unmounts; with finish it also does what makes the content complete.
func (s *State) unmountAll(ctx context.Context, finish bool) error {
	for len(s.mounted) > 0 {
		last := s.mounted[len(s.mounted)-1]
		if finish {
			if err := s.complete(ctx, last); err != nil {
				return fmt.Errorf("mkfs %q: %w", last.filesystem.name, err)
			}
		}
		if err := unmount(ctx, last.target); err != nil {
			return err
		}
		s.mounted = s.mounted[:len(s.mounted)-1]
	}
	return nil
}

func (s *State) complete(ctx context.Context, m *mounted) error {
	switch {
	case m.scratch:
		return fillFAT(ctx, s.run, s.path(m.filesystem.bases[0]), m.target)
	case m.filesystem.fstype == "vfat" || m.filesystem.fstype == "fat":
		return nil
	case m.filesystem.fstype == "xfs":
		// It frees the blocks of deleted files some time later, unless it
		// becomes read-only. (Freezing would do as well, but a filesystem
		// whose freezer is killed stays, and its loop device too.)
		err := whileBusy(ctx, func() error {
			return unix.Mount("", m.target, "", unix.MS_REMOUNT|unix.MS_RDONLY|unix.MS_NOATIME, "")
		})
		if err != nil && !errors.Is(err, unix.EBUSY) {
			return fmt.Errorf("make %q read-only: %w", m.target, err)
		}
		// Still busy: unmounting will say by whom.
	}
	return trim(m.target)
}

// patience is how long a filesystem may stay in use: a probe by udev or an
// indexer ends in less.
const (
	patience = 5 * time.Second
	interval = 100 * time.Millisecond
)

func unmount(ctx context.Context, target string) error {
	return whileBusy(ctx, func() error { return mount.Unmount(target) })
}

// whileBusy calls fn until it returns something else than EBUSY, or for too long.
func whileBusy(ctx context.Context, fn func() error) error {
	for start := time.Now(); ; {
		err := fn()
		if !errors.Is(err, unix.EBUSY) || time.Since(start) > patience {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, context.Cause(ctx))
		case <-time.After(interval):
		}
	}
}

// trim tells the raw file which blocks are free, so that it stays sparse where
// deleted files were. Filesystems that cannot are left as they are.
func trim(target string) error {
	dir, err := os.Open(target)
	if err != nil {
		return err
	}
	defer dir.Close()
	// What was deleted counts as free only once the deletion is written.
	if err := unix.Syncfs(int(dir.Fd())); err != nil {
		return fmt.Errorf("sync %q: %w", target, err)
	}
	// struct fstrim_range and FITRIM of linux/fs.h.
	const fitrim = 0xC0185879
	all := struct{ start, length, least uint64 }{length: ^uint64(0)}
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, dir.Fd(), fitrim, uintptr(unsafe.Pointer(&all)))
	if errno != 0 && errno != unix.EOPNOTSUPP && errno != unix.ENOTTY {
		return fmt.Errorf("trim %q: %w", target, errno)
	}
	return nil
}

// FinishFilesystems adds the journals that were left out for the copy, and
// detaches the disks: the raw files are complete afterwards. Everything must
// be unmounted.
func (s *State) FinishFilesystems(ctx context.Context) error {
	if len(s.mounted) > 0 {
		return fmt.Errorf("finish filesystems: %q is still mounted", s.mounted[0].target)
	}
	for _, n := range s.layout.order {
		if f, ok := n.(*filesystem); ok && f.fstype == "ext4" {
			if err := f.addJournal(ctx, s); err != nil {
				return fmt.Errorf("mkfs %q: add the journal: %w", f.name, err)
			}
		}
	}
	if err := s.checkWritten(); err != nil {
		return fmt.Errorf("finish filesystems: %w", err)
	}
	return s.undo.Close()
}
