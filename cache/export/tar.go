package export

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/internal/interrupt"
)

// Names that a layer of a container image gives a meaning.
const (
	whiteoutPrefix = ".wh."
	opaqueMark     = ".wh..wh..opq"
)

// WriteTar writes the tree as an archive. What hides something of the layers
// below is written as layers of container images have it: an empty file named
// .wh.NAME for NAME, and .wh..wh..opq in a directory that hides all.
func (t *Tree) WriteTar(ctx context.Context, w io.Writer) error {
	out := tarWriter{ctx: ctx, Writer: tar.NewWriter(w)}
	if t.root != nil {
		if err := out.add(*t.root, "./"); err != nil {
			return fmt.Errorf("write the root: %w", err)
		}
	}
	for _, it := range t.items {
		if err := out.add(it, "./"+it.Path); err != nil {
			return fmt.Errorf("write %q: %w", it.Path, err)
		}
	}
	return out.Close()
}

type tarWriter struct {
	ctx context.Context
	*tar.Writer
}

func (w tarWriter) add(it item, name string) error {
	if w.ctx.Err() != nil {
		return context.Cause(w.ctx)
	}
	if it.Whiteout {
		return w.mark(path.Join(path.Dir(name), whiteoutPrefix+path.Base(name)))
	}
	h := header(&it.Entry, name)
	if err := w.WriteHeader(h); err != nil {
		return err
	}
	if it.Opaque {
		return w.mark(path.Join(name, opaqueMark))
	}
	if h.Typeflag != tar.TypeReg {
		return nil
	}
	return w.content(&it)
}

// mark writes an empty file whose name says something.
func (w tarWriter) mark(name string) error {
	return w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "./" + name, Mode: 0o600, ModTime: time.Unix(0, 0)})
}

// content writes a file and checks that it is the one that was recorded.
func (w tarWriter) content(it *item) error {
	f, err := os.Open(it.file)
	if err != nil {
		return err
	}
	defer f.Close()
	var hash cache.Hasher
	n, err := io.Copy(io.MultiWriter(w, &hash), interrupt.Reader(w.ctx, f))
	if errors.Is(err, tar.ErrWriteTooLong) {
		return damaged(it)
	}
	if err != nil {
		return err
	}
	if n != it.Size || hash.Sum() != it.Digest {
		return damaged(it)
	}
	return nil
}

func damaged(it *item) error {
	return fmt.Errorf("%s is not what was recorded: the store is damaged: %w", it.file, cache.ErrDamaged)
}

// header returns what an archive says of an entry.
func header(e *cache.Entry, name string) *tar.Header {
	h := &tar.Header{
		Name: name, Mode: int64(e.Mode), Uid: int(e.UID), Gid: int(e.GID),
		ModTime: e.ModTime.Truncate(time.Second),
	}
	if e.HardLink != "" {
		h.Typeflag, h.Linkname = tar.TypeLink, "./"+e.HardLink
		return h
	}
	switch e.Type {
	case cache.TypeFile:
		h.Typeflag, h.Size = tar.TypeReg, e.Size
	case cache.TypeDir:
		h.Typeflag, h.Name = tar.TypeDir, strings.TrimSuffix(name, "/")+"/"
	case cache.TypeSymlink:
		h.Typeflag, h.Linkname = tar.TypeSymlink, e.Link
	case cache.TypeFIFO:
		h.Typeflag = tar.TypeFifo
	case cache.TypeChar, cache.TypeBlock:
		h.Typeflag = tar.TypeChar
		if e.Type == cache.TypeBlock {
			h.Typeflag = tar.TypeBlock
		}
		h.Devmajor, h.Devminor = int64(unix.Major(e.Rdev)), int64(unix.Minor(e.Rdev))
	}
	for _, x := range e.Xattrs {
		if h.PAXRecords == nil {
			h.PAXRecords = make(map[string]string)
		}
		h.PAXRecords[cache.XattrRecord+x.Name] = x.Value
	}
	return h
}

// CheckNames returns an error for a path that would mean something else in a
// layer of a container image.
func (t *Tree) CheckNames() error {
	for i := range t.items {
		if name := path.Base(t.items[i].Path); strings.HasPrefix(name, whiteoutPrefix) {
			return fmt.Errorf("%q: no container image can have a file whose name begins with %q, which removes files there", t.items[i].Path, whiteoutPrefix)
		}
	}
	return nil
}
