package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/internal/interrupt"
)

// Extract makes the tree in a directory, which has to be there and empty. It
// must be one of [Flat]; it takes root to give files their owners.
func (t *Tree) Extract(ctx context.Context, dir string) error {
	for i := range t.items {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		it := &t.items[i]
		if err := it.make(ctx, dir); err != nil {
			return fmt.Errorf("make %q: %w", it.Path, err)
		}
	}
	// Times of directories come last: making an entry changes that of its
	// directory.
	for i := len(t.items) - 1; i >= 0; i-- {
		if it := &t.items[i]; it.Type == cache.TypeDir {
			if err := it.setTime(filepath.Join(dir, it.Path)); err != nil {
				return err
			}
		}
	}
	if err := t.root.complete(dir); err != nil {
		return err
	}
	return t.root.setTime(dir)
}

func (it *item) make(ctx context.Context, dir string) (err error) {
	at := filepath.Join(dir, it.Path)
	if it.HardLink != "" {
		return os.Link(filepath.Join(dir, it.HardLink), at)
	}
	switch it.Type {
	case cache.TypeFile:
		err = it.copy(ctx, at)
	case cache.TypeDir:
		err = os.Mkdir(at, 0o700)
	case cache.TypeSymlink:
		err = os.Symlink(it.Link, at)
	case cache.TypeFIFO:
		err = unix.Mkfifo(at, 0o600)
	case cache.TypeChar:
		err = unix.Mknod(at, unix.S_IFCHR|0o600, int(it.Rdev))
	case cache.TypeBlock:
		err = unix.Mknod(at, unix.S_IFBLK|0o600, int(it.Rdev))
	}
	if err != nil {
		return err
	}
	if err := it.complete(at); err != nil {
		return err
	}
	return it.setTime(at)
}

// complete sets owner, mode and attributes. A change of owner clears the set-id
// bits and capabilities; an ACL changes the mode that it shares bits with.
func (it *item) complete(at string) error {
	if err := os.Lchown(at, int(it.UID), int(it.GID)); err != nil {
		return err
	}
	for _, x := range it.Xattrs {
		if err := unix.Lsetxattr(at, x.Name, []byte(x.Value), 0); err != nil {
			return &os.PathError{Op: "set attribute " + x.Name + " of", Path: at, Err: err}
		}
	}
	if it.Type == cache.TypeSymlink {
		return nil // it has no mode
	}
	if err := unix.Chmod(at, it.Mode); err != nil {
		return &os.PathError{Op: "chmod", Path: at, Err: err}
	}
	return nil
}

func (it *item) setTime(at string) error {
	spec := unix.NsecToTimespec(it.ModTime.UnixNano())
	if err := unix.UtimesNanoAt(unix.AT_FDCWD, at, []unix.Timespec{spec, spec}, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return &os.PathError{Op: "set time of", Path: at, Err: err}
	}
	return nil
}

// copy makes a file with the content and the holes of the recorded one, and
// checks that this is what was recorded.
func (it *item) copy(ctx context.Context, at string) (err error) {
	from, err := os.Open(it.file)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(at, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	if err := to.Truncate(it.Size); err != nil {
		return err
	}
	for start := int64(0); start < it.Size; {
		start, err = unix.Seek(int(from.Fd()), start, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			break // a hole up to the end
		}
		if err != nil {
			return err
		}
		end, err := unix.Seek(int(from.Fd()), start, unix.SEEK_HOLE)
		if err != nil {
			return err
		}
		section := interrupt.Reader(ctx, io.NewSectionReader(from, start, end-start))
		if _, err := io.Copy(io.NewOffsetWriter(to, start), section); err != nil {
			return err
		}
		start = end
	}
	return it.check(at)
}

func (it *item) check(at string) error {
	f, err := os.Open(at)
	if err != nil {
		return err
	}
	defer f.Close()
	digest, n, err := cache.DigestReader(f)
	if err != nil {
		return err
	}
	if n != it.Size || digest != it.Digest {
		return damaged(it)
	}
	return nil
}
