package mount

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Type mounts a filesystem of the given type, such as "proc", "sysfs",
// "devpts", "tmpfs" or "ext4". Flags are the MS_ constants, data is the option
// string of the filesystem.
func Type(fstype, source, target string, flags uintptr, data string) error {
	if len(data) > maxOptions {
		return fmt.Errorf("mount %s on %q: %d bytes of options, mount(2) takes %d", fstype, target, len(data), maxOptions)
	}
	if err := unix.Mount(source, target, fstype, flags, data); err != nil {
		return fmt.Errorf("mount %s %q on %q: %w", fstype, source, target, err)
	}
	return nil
}

// MakePrivate cuts every mount of the calling namespace off from its peers in
// other namespaces: nothing mounted after it shows there, or comes from there.
func MakePrivate() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make all mounts private: %w", err)
	}
	return nil
}

// Unmount takes away the top mount at target, which must not be a symbolic
// link. It is never lazy: a mount in use is an error that wraps unix.EBUSY and
// names the processes that use it, as far as /proc shows them.
func Unmount(target string) error {
	err := unix.Unmount(target, unix.UMOUNT_NOFOLLOW)
	if errors.Is(err, unix.EBUSY) {
		return fmt.Errorf("unmount %q: %w%s", target, err, usedBy(target))
	}
	if err != nil {
		return fmt.Errorf("unmount %q: %w", target, err)
	}
	return nil
}

// UnmountTree takes away every mount at target and below it, the latest first.
// It goes on after a failure and joins the errors. Nothing mounted there is no
// error.
func UnmountTree(target string) error {
	points, err := under(target)
	if err != nil {
		return err
	}
	var failed []error
	for i := len(points) - 1; i >= 0; i-- {
		failed = append(failed, Unmount(points[i]))
	}
	return errors.Join(failed...)
}

// under lists the mount points at target and below it, in the order in which
// the kernel lists them: parents before children, the top of several mounts on
// one point last.
func under(target string) ([]string, error) {
	target, err := filepath.Abs(target)
	if err != nil {
		return nil, err
	}
	mounts, err := Self()
	if err != nil {
		return nil, err
	}
	var points []string
	for _, m := range mounts {
		if m.Point == target || strings.HasPrefix(m.Point, strings.TrimSuffix(target, "/")+"/") {
			points = append(points, m.Point)
		}
	}
	return points, nil
}
