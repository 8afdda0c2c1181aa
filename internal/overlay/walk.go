package overlay

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path"

	"golang.org/x/sys/unix"
)

// errStop ends a walk early.
var errStop = errors.New("stop")

// walk calls visit with the path below root and the inode number of everything
// that is not a directory, until visit says false. It reads directories only: the
// entries themselves carry the number, which is all that is needed of a file.
func walk(root string, visit func(path string, inode uint64) (bool, error)) error {
	fd, err := unix.Open(root, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %q: %w", root, err)
	}
	err = walkDir(fd, "", visit)
	unix.Close(fd)
	if errors.Is(err, errStop) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list %q: %w", root, err)
	}
	return nil
}

func walkDir(fd int, dir string, visit func(string, uint64) (bool, error)) error {
	entries, err := readDir(fd)
	if err != nil {
		return fmt.Errorf("%q: %w", dir, err)
	}
	for _, e := range entries {
		name := path.Join(dir, e.name)
		if e.kind == unix.DT_UNKNOWN {
			var stat unix.Stat_t
			if err := unix.Fstatat(fd, e.name, &stat, unix.AT_SYMLINK_NOFOLLOW); err != nil {
				return fmt.Errorf("%q: %w", name, err)
			}
			if stat.Mode&unix.S_IFMT == unix.S_IFDIR {
				e.kind = unix.DT_DIR
			}
		}
		if e.kind != unix.DT_DIR {
			if more, err := visit(name, e.inode); err != nil {
				return err
			} else if !more {
				return errStop
			}
			continue
		}
		below, err := unix.Openat(fd, e.name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
		err = walkDir(below, name, visit)
		unix.Close(below)
		if err != nil {
			return err
		}
	}
	return nil
}

// A dirent is an entry of a directory as getdents64(2) gives it.
type dirent struct {
	name  string
	inode uint64
	kind  byte // a DT_ constant
}

func readDir(fd int) ([]dirent, error) {
	var entries []dirent
	buf := make([]byte, 32<<10)
	for {
		n, err := unix.Getdents(fd, buf)
		if err != nil || n == 0 {
			return entries, err
		}
		entries = parseDirents(entries, buf[:n])
	}
}

// Offsets in struct linux_dirent64.
const (
	direntLength = 16
	direntType   = 18
	direntName   = 19
)

func parseDirents(entries []dirent, buf []byte) []dirent {
	for len(buf) > 0 {
		length := binary.NativeEndian.Uint16(buf[direntLength:])
		name, _, _ := bytes.Cut(buf[direntName:length], []byte{0})
		if s := string(name); s != "." && s != ".." {
			entries = append(entries, dirent{s, binary.NativeEndian.Uint64(buf), buf[direntType]})
		}
		buf = buf[length:]
	}
	return entries
}
