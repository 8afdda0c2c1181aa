package copytree

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// setAttributes gives the open copy the attributes of the open source. The
// order matters: a change of owner clears set-user-id bits and capabilities, so
// those follow it; an ACL changes the mode it shares bits with; and
// everything changes times.
func setAttributes(source, target int, stat *unix.Stat_t, plain bool) error {
	if !plain {
		if err := unix.Fchown(target, int(stat.Uid), int(stat.Gid)); err != nil {
			return fmt.Errorf("set owner: %w", err)
		}
		if err := copyXattrs(openFile(source), openFile(target)); err != nil {
			return err
		}
		if err := unix.Fchmod(target, stat.Mode&0o7777); err != nil {
			return fmt.Errorf("set mode: %w", err)
		}
	}
	return setTimes(target, stat)
}

// setAttributesAt does the same by name, for what cannot be opened: links,
// devices, fifos and sockets.
func setAttributesAt(dir pair, name string, stat *unix.Stat_t) error {
	if !dir.plain {
		if err := unix.Fchownat(dir.target, name, int(stat.Uid), int(stat.Gid), unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return fmt.Errorf("set owner: %w", err)
		}
		if err := copyXattrs(linkIn(dir.source, name), linkIn(dir.target, name)); err != nil {
			return err
		}
		// A link has no mode of its own; chmod would follow it.
		if stat.Mode&unix.S_IFMT != unix.S_IFLNK {
			if err := unix.Fchmodat(dir.target, name, stat.Mode&0o7777, 0); err != nil {
				return fmt.Errorf("set mode: %w", err)
			}
		}
	}
	times := []unix.Timespec{stat.Atim, stat.Mtim}
	if err := unix.UtimesNanoAt(dir.target, name, times, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return fmt.Errorf("set times: %w", err)
	}
	return nil
}

// setTimes sets the times of an open file: utimensat without a name, which
// package unix does not offer.
func setTimes(fd int, stat *unix.Stat_t) error {
	times := [2]unix.Timespec{stat.Atim, stat.Mtim}
	_, _, errno := unix.Syscall6(unix.SYS_UTIMENSAT, uintptr(fd), 0, uintptr(unsafe.Pointer(&times)), 0, 0, 0)
	if errno != 0 {
		return fmt.Errorf("set times: %w", errno)
	}
	return nil
}

// dropDefaultACL keeps copies made in an existing directory from inheriting an ACL.
func dropDefaultACL(dir int) error {
	err := unix.Fremovexattr(dir, "system.posix_acl_default")
	if err == nil || errors.Is(err, unix.ENODATA) || errors.Is(err, unix.ENOTSUP) {
		return nil
	}
	return fmt.Errorf("remove default acl: %w", err)
}

// An attributed is something whose extended attributes can be read and set.
// The functions are those of package unix for it.
type attributed struct {
	list func(to []byte) (int, error)
	get  func(name string, to []byte) (int, error)
	set  func(name string, value []byte) error
}

func openFile(fd int) attributed {
	return attributed{
		list: func(to []byte) (int, error) { return unix.Flistxattr(fd, to) },
		get:  func(name string, to []byte) (int, error) { return unix.Fgetxattr(fd, name, to) },
		set:  func(name string, value []byte) error { return unix.Fsetxattr(fd, name, value, 0) },
	}
}

// linkIn names an entry of an open directory through /proc, because the calls
// for extended attributes that take a directory are new in Linux 6.13.
func linkIn(dir int, entry string) attributed {
	path := "/proc/self/fd/" + strconv.Itoa(dir) + "/" + entry
	return attributed{
		list: func(to []byte) (int, error) { return unix.Llistxattr(path, to) },
		get:  func(name string, to []byte) (int, error) { return unix.Lgetxattr(path, name, to) },
		set:  func(name string, value []byte) error { return unix.Lsetxattr(path, name, value, 0) },
	}
}

func copyXattrs(source, target attributed) error {
	names, err := grow(source.list)
	if errors.Is(err, unix.ENOTSUP) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list extended attributes: %w", err)
	}
	for _, name := range strings.Split(string(names), "\x00") {
		if name == "" || strings.HasPrefix(name, "trusted.overlay.") {
			continue
		}
		value, err := grow(func(to []byte) (int, error) { return source.get(name, to) })
		if errors.Is(err, unix.ENODATA) {
			continue // overlayfs lists some that it does not show
		}
		if err != nil {
			return fmt.Errorf("read extended attribute %q: %w", name, err)
		}
		if err := target.set(name, value); err != nil {
			return fmt.Errorf("set extended attribute %q: %w", name, err)
		}
	}
	return nil
}

// grow calls read with a buffer that is big enough. Nearly all files have no
// attributes, or one of a few bytes.
func grow(read func(to []byte) (int, error)) ([]byte, error) {
	for size := 256; ; size *= 4 {
		buffer := make([]byte, size)
		n, err := read(buffer)
		// 64 KiB is the kernel's limit for names and values.
		if errors.Is(err, unix.ERANGE) && size <= 64<<10 {
			continue
		}
		if err != nil {
			return nil, err
		}
		return buffer[:n], nil
	}
}
