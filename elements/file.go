package elements

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/dibgraph/dibgraph/cache"
)

// ErrChanged says that a file no longer holds what it held when the elements
// were loaded. The plan made from it is then worth nothing.
var ErrChanged = errors.New("changed while it was in use")

// A File is a file, directory or symbolic link of an element or of the merged
// hooks.
type File struct {
	// Path is relative to the tree, with slashes.
	Path string
	// Mode holds type and permissions. An embedded file has no mode of its
	// own: it is 0755 when it starts with "#!", else 0644.
	Mode fs.FileMode
	// Size is the length of a regular file's content.
	Size int64
	// ModTime is when the file was last written. It is the same for all
	// embedded files and never part of a digest.
	ModTime time.Time
	// Link is the target of a symbolic link, as it is written there.
	Link string
	// Digest is that of a regular file's content, zero for all else.
	Digest cache.Digest
	// Executable says that it is a regular file anyone may execute, which is
	// what the access check asks when root is the one who runs it.
	Executable bool
	// Words are the variables the content may depend on; empty but for
	// regular files.
	Words Words
	// Open opens a regular file; it is nil for all else. The caller closes
	// what it returns. A read past the end fails with [ErrChanged] when the
	// content is not that of Digest.
	Open func() (io.ReadCloser, error)
	// Source is where the file was found, for messages.
	Source string
	// Element is the name of the element it comes from.
	Element string
}

// IsDir reports whether f is a directory.
func (f File) IsDir() bool { return f.Mode.IsDir() }

// IsLink reports whether f is a symbolic link.
func (f File) IsLink() bool { return f.Mode&fs.ModeSymlink != 0 }

// Read returns the content of a regular file, or [ErrChanged].
func (f File) Read() ([]byte, error) {
	if f.Open == nil {
		return nil, fmt.Errorf("read %s: not a regular file", f.Source)
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(r)
	return content, errors.Join(err, r.Close())
}

// line returns what f adds to the digest of its tree: everything but times
// and places.
func (f File) line() string {
	switch {
	case f.IsDir():
		return fmt.Sprintf("dir %q %04o\n", f.Path, permissions(f.Mode))
	case f.IsLink():
		return fmt.Sprintf("link %q %q\n", f.Path, f.Link)
	}
	return fmt.Sprintf("file %q %04o %s\n", f.Path, permissions(f.Mode), f.Digest)
}

// permissions returns the mode bits as chmod knows them.
func permissions(mode fs.FileMode) uint32 {
	bits := uint32(mode.Perm())
	for flag, bit := range map[fs.FileMode]uint32{
		fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000,
	} {
		if mode&flag != 0 {
			bits |= bit
		}
	}
	return bits
}

// A checkedReader fails at the end when what was read is not what was expected.
type checkedReader struct {
	io.ReadCloser
	hasher cache.Hasher
	want   cache.Digest
	source string
}

func (r *checkedReader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.hasher.Write(p[:n]) // a hasher never fails
	if err == io.EOF && r.hasher.Sum() != r.want {
		err = fmt.Errorf("read %s: %w", r.source, ErrChanged)
	}
	return n, err
}
