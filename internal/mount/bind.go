package mount

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Bind makes the file or directory source appear at target as well, without
// what is mounted below source. A read-only bind is never writable, not even
// for a moment, on kernels since 5.12.
func Bind(source, target string, readOnly bool) error {
	return bind(source, target, readOnly, false)
}

// BindAll is Bind together with everything mounted below source. Read-only
// holds for all of it.
func BindAll(source, target string, readOnly bool) error {
	return bind(source, target, readOnly, true)
}

func bind(source, target string, readOnly, recursive bool) error {
	err := bindByDescriptor(source, target, readOnly, recursive)
	if errors.Is(err, unix.ENOSYS) {
		err = bindByFlags(source, target, readOnly, recursive)
	}
	if err != nil {
		return fmt.Errorf("bind %q on %q: %w", source, target, err)
	}
	return nil
}

func bindByDescriptor(source, target string, readOnly, recursive bool) error {
	var all uint
	if recursive {
		all = unix.AT_RECURSIVE
	}
	tree, err := unix.OpenTree(unix.AT_FDCWD, source, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|all)
	if err != nil {
		return fmt.Errorf("open_tree: %w", err)
	}
	defer unix.Close(tree)
	if readOnly {
		attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
		if err := unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH|all, &attr); err != nil {
			return fmt.Errorf("mount_setattr: %w", err)
		}
	}
	return attach(tree, target)
}

// bindByFlags is mount(2): it ignores every flag but MS_REC of a bind, so that
// read-only takes a remount, and that one takes one mount at a time.
func bindByFlags(source, target string, readOnly, recursive bool) error {
	var all uintptr
	if recursive {
		all = unix.MS_REC
	}
	if err := unix.Mount(source, target, "", unix.MS_BIND|all, ""); err != nil {
		return err
	}
	if !readOnly {
		return nil
	}
	if err := remountReadOnly(target, recursive); err != nil {
		return errors.Join(err, UnmountTree(target))
	}
	return nil
}

func remountReadOnly(target string, recursive bool) error {
	points := []string{target}
	if recursive {
		below, err := under(target)
		if err != nil {
			return err
		}
		points = below
	}
	for _, point := range points {
		var now unix.Statfs_t
		if err := unix.Statfs(point, &now); err != nil {
			return fmt.Errorf("flags of %q: %w", point, err)
		}
		// ST_NOSUID, ST_NODEV, ST_NOEXEC, ST_NOATIME, ST_NODIRATIME and
		// ST_RELATIME: a remount clears the flags it does not repeat. Statfs
		// reports the first three and NOATIME, NODIRATIME under the values
		// mount(2) has for them; RELATIME it has under another.
		keep := uintptr(now.Flags) & (unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC | unix.MS_NOATIME | unix.MS_NODIRATIME)
		if now.Flags&unix.ST_RELATIME != 0 {
			keep |= unix.MS_RELATIME
		}
		if err := unix.Mount("", point, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY|keep, ""); err != nil {
			return fmt.Errorf("make %q read-only: %w", point, err)
		}
	}
	return nil
}
