package copytree

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// list returns the names in an open directory, sorted by bytes.
func list(dir int) ([]string, error) {
	// os.File closes its descriptor, so it gets one of its own.
	fd, err := unix.Openat(dir, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	file := os.NewFile(uintptr(fd), ".")
	defer file.Close()
	names, err := file.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	slices.Sort(names)
	return names, nil
}

// copyDir copies a directory and all that is in it.
func (c *creator) copyDir(ctx context.Context, dir pair, name, full string, stat *unix.Stat_t) error {
	const flags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	from, err := unix.Openat(dir.source, name, flags, 0)
	if err != nil {
		return named(full, fmt.Errorf("open: %w", err))
	}
	defer unix.Close(from)
	exists := false
	if err := unix.Mkdirat(dir.target, name, 0o700); errors.Is(err, unix.EEXIST) {
		exists = true
	} else if err != nil {
		return named(full, fmt.Errorf("make directory: %w", err))
	}
	to, err := unix.Openat(dir.target, name, flags, 0)
	if err != nil {
		return named(full, fmt.Errorf("open the copy as a directory: %w", err))
	}
	defer unix.Close(to)

	child := pair{source: from, target: to, name: full, device: dir.device, plain: dir.plain}
	if exists {
		// Another filesystem may be mounted there.
		if child.device, child.plain, err = c.filesystem(to); err != nil {
			return named(full, err)
		}
		if err := dropDefaultACL(to); err != nil {
			return named(full, err)
		}
	}
	if !c.options.OneFilesystem || stat.Dev == c.device {
		if err := c.copyEntries(ctx, child); err != nil {
			return err
		}
	}
	return named(full, setAttributes(from, to, stat, child.plain))
}

// filesystem returns the device of the open directory, and whether it is one
// without owners, modes and attributes: vfat.
func (c *creator) filesystem(dir int) (device uint64, plain bool, err error) {
	var stat unix.Stat_t
	if err := unix.Fstat(dir, &stat); err != nil {
		return 0, false, fmt.Errorf("stat the copy: %w", err)
	}
	var fs unix.Statfs_t
	if err := unix.Fstatfs(dir, &fs); err != nil {
		return 0, false, fmt.Errorf("statfs the copy: %w", err)
	}
	return stat.Dev, fs.Type == unix.MSDOS_SUPER_MAGIC, nil
}

// copyFile makes the file, and leaves filling it to a worker.
func (c *creator) copyFile(ctx context.Context, dir pair, name, full string, stat *unix.Stat_t) error {
	from, err := unix.Openat(dir.source, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	to := -1
	err = replace(dir.target, name, func() (err error) {
		to, err = unix.Openat(dir.target, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
		return err
	})
	if err != nil {
		unix.Close(from)
		return fmt.Errorf("create: %w", err)
	}
	f := &file{source: from, target: to, name: full, stat: *stat, plain: dir.plain}
	select {
	case c.files <- f:
		return nil
	case <-ctx.Done():
		f.close()
		return context.Cause(ctx)
	}
}

func copySymlink(dir pair, name string, stat *unix.Stat_t) error {
	// A link's size is its length on most filesystems, and 0 or a guess on
	// some; PATH_MAX is the most that any has.
	var buffer [unix.PathMax]byte
	n, err := unix.Readlinkat(dir.source, name, buffer[:])
	if err != nil {
		return fmt.Errorf("read link: %w", err)
	}
	err = replace(dir.target, name, func() error {
		return unix.Symlinkat(string(buffer[:n]), dir.target, name)
	})
	if err != nil {
		return fmt.Errorf("make symbolic link: %w", err)
	}
	return setAttributesAt(dir, name, stat)
}

// copySpecial copies a device, fifo or socket.
func copySpecial(dir pair, name string, stat *unix.Stat_t) error {
	err := replace(dir.target, name, func() error {
		return unix.Mknodat(dir.target, name, stat.Mode&(unix.S_IFMT|0o777), int(stat.Rdev))
	})
	if err != nil {
		return fmt.Errorf("make node: %w", err)
	}
	return setAttributesAt(dir, name, stat)
}

// replace runs create, and once more after removing what is in its way.
func replace(dir int, name string, create func() error) error {
	err := create()
	if !errors.Is(err, unix.EEXIST) {
		return err
	}
	if err := unix.Unlinkat(dir, name, 0); err != nil {
		return fmt.Errorf("remove what is in the way: %w", err)
	}
	return create()
}
