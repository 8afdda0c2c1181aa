package cache

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/internal/wholefile"
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
func deliver(from *os.File, path string, before func(*os.File) error) error {
	to, err := wholefile.Create(path)
	if err != nil {
		return err
	}
	if err := errors.Join(fill(to.File, from), to.Chmod(0o644), before(to.File)); err != nil {
		return errors.Join(err, to.Discard())
	}
	return to.Publish()
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
