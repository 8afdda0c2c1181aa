// Package wholefile reads and makes files and directories as a whole: those that
// it makes get their name when they are.
package wholefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// A File is written to like any other, and appears when it is published.
// Exactly one of Publish and Discard ends it.
type File struct {
	*os.File
	path     string
	part     string // the name it has for the moment that a rename takes
	nameless bool
}

// Create creates a file that is to be at path, where it replaces what is there.
// Until it is published it has no name, so that a killed process leaves nothing
// behind; where the filesystem has no such files, it has one of its own.
func Create(path string) (*File, error) {
	f := &File{path: path, part: fmt.Sprintf("%s/.%s.part-%d", filepath.Dir(path), filepath.Base(path), os.Getpid())}
	fd, err := unix.Open(filepath.Dir(path), unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
	switch {
	case err == nil:
		f.File, f.nameless = os.NewFile(uintptr(fd), f.part), true
		return f, nil
	case !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.EISDIR) && !errors.Is(err, unix.EINVAL):
		return nil, &fs.PathError{Op: "create a file in", Path: filepath.Dir(path), Err: err}
	}
	f.File, err = os.OpenFile(f.part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	return f, err
}

// Publish closes the file and gives it its name. If it cannot, nothing is left
// of the file.
func (f *File) Publish() error {
	if f.nameless {
		// A name can be given to the file but not taken from another one, so
		// it gets one of its own first.
		self := fmt.Sprintf("/proc/self/fd/%d", f.Fd())
		if err := unix.Linkat(unix.AT_FDCWD, self, unix.AT_FDCWD, f.part, unix.AT_SYMLINK_FOLLOW); err != nil {
			return errors.Join(fmt.Errorf("name %s: %w", f.part, err), f.Discard())
		}
	}
	if err := f.Close(); err != nil {
		return errors.Join(err, f.removePart())
	}
	if err := os.Rename(f.part, f.path); err != nil {
		return errors.Join(err, f.removePart())
	}
	return nil
}

// Discard closes the file and leaves nothing of it.
func (f *File) Discard() error { return errors.Join(f.Close(), f.removePart()) }

func (f *File) removePart() error {
	if err := os.Remove(f.part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
