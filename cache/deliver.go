package cache

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Deliver copies a blob to a path outside the store, replacing what is there.
// The file appears under its name when it is whole, and until then under none,
// so that a killed process leaves nothing behind. It shares its blocks with the
// blob where the filesystem can do that, and is as sparse as the blob.
func (s *Store) Deliver(d Digest, path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	from, err := s.OpenBlob(d)
	if err != nil {
		return err
	}
	defer from.Close()
	announce := func(f *os.File) error { return s.announce(path, d, f) }
	if err := deliver(from, path, announce); err != nil {
		return err
	}
	return s.confirm(path, d)
}

// deliver makes path a copy of from. It calls before with the copy when that
// is whole and has no name yet, or one of its own.
func deliver(from *os.File, path string, before func(*os.File) error) (err error) {
	part := fmt.Sprintf("%s/.%s.part-%d", filepath.Dir(path), filepath.Base(path), os.Getpid())
	to, nameless, err := createNameless(part)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, removeIfThere(part))
		}
	}()
	if err := errors.Join(fill(to, from), to.Chmod(0o644), before(to)); err != nil {
		return errors.Join(err, to.Close())
	}
	if nameless {
		// A name can be given to the file but not taken from another one, so
		// it gets one of its own for the moment that a rename takes.
		self := fmt.Sprintf("/proc/self/fd/%d", to.Fd())
		if err := unix.Linkat(unix.AT_FDCWD, self, unix.AT_FDCWD, part, unix.AT_SYMLINK_FOLLOW); err != nil {
			return errors.Join(fmt.Errorf("name %s: %w", part, err), to.Close())
		}
	}
	if err := to.Close(); err != nil {
		return err
	}
	return os.Rename(part, path)
}

// createNameless creates a file without a name in the directory of part, or
// one named part where the filesystem has no such files.
func createNameless(part string) (f *os.File, nameless bool, err error) {
	fd, err := unix.Open(filepath.Dir(part), unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
	switch {
	case err == nil:
		return os.NewFile(uintptr(fd), part), true, nil
	case !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.EISDIR) && !errors.Is(err, unix.EINVAL):
		return nil, false, &fs.PathError{Op: "create a file in", Path: filepath.Dir(part), Err: err}
	}
	f, err = os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	return f, false, err
}

// fill makes to a copy of from, by reference if the filesystem can.
func fill(to, from *os.File) error {
	if unix.IoctlFileClone(int(to.Fd()), int(from.Fd())) == nil {
		return nil
	}
	info, err := from.Stat()
	if err != nil {
		return err
	}
	if err := to.Truncate(info.Size()); err != nil {
		return err
	}
	for at := int64(0); at < info.Size(); {
		data, err := unix.Seek(int(from.Fd()), at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			return nil // nothing but a hole up to the end
		}
		if err != nil {
			return err
		}
		hole, err := unix.Seek(int(from.Fd()), data, unix.SEEK_HOLE)
		if err != nil {
			return err
		}
		section := io.NewSectionReader(from, data, hole-data)
		if _, err := io.Copy(io.NewOffsetWriter(to, data), section); err != nil {
			return err
		}
		at = hole
	}
	return nil
}
