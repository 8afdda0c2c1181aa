package ociimage

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/dibgraph/dibgraph/internal/interrupt"
)

// ErrFormat is the error of a layer that is none.
var ErrFormat = errors.New("the layer is damaged or of a kind that is not known")

// A Tree is what layers show together. Contents are kept in a file without a name.
type Tree struct {
	root     *node
	contents *os.File
	size     int64
}

// NewTree returns an empty tree that keeps contents in a directory, "" being that
// for temporary files.
func NewTree(dir string) (*Tree, error) {
	f, err := temporary(dir)
	if err != nil {
		return nil, err
	}
	return &Tree{root: newDir(), contents: f}, nil
}

// Close gives the contents up.
func (t *Tree) Close() error { return t.contents.Close() }

// A layerEntry is an entry of a layer that is not in the tree yet.
type layerEntry struct {
	name   string // relative to the root, "" being the root
	header *tar.Header
	offset int64 // where the content is
}

// AddLayer puts a layer on top, which may be compressed with gzip or zstd. The
// tree stays as it is unless verify, which is called when all is read, finds
// the layer to be the right one.
func (t *Tree) AddLayer(ctx context.Context, r io.Reader, verify func() error) error {
	size := t.size
	entries, err := t.read(ctx, r)
	if err == nil {
		err = verify()
	}
	if err == nil {
		err = t.apply(entries)
	}
	if err != nil {
		t.size = size
	}
	return err
}

// read returns what is in a layer; contents are appended to those that are there.
func (t *Tree) read(ctx context.Context, r io.Reader) ([]layerEntry, error) {
	r = interrupt.Reader(ctx, r)
	plain, closePlain, err := decompress(r)
	if err != nil {
		return nil, err
	}
	defer closePlain()
	var entries []layerEntry
	in := tar.NewReader(plain)
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, formatError(ctx, err)
		}
		e := layerEntry{name: path.Clean("/" + h.Name)[1:], header: h, offset: t.size}
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		n, err := io.Copy(io.NewOffsetWriter(t.contents, t.size), in)
		if err != nil {
			return nil, formatError(ctx, err)
		}
		t.size += n
		entries = append(entries, e)
	}
	// What follows the archive counts for the digest.
	if _, err := io.Copy(io.Discard, plain); err != nil {
		return nil, formatError(ctx, err)
	}
	_, err = io.Copy(io.Discard, r)
	return entries, err
}

// formatError tells what is wrong with a layer from what is wrong with getting it.
func formatError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, tar.ErrHeader) || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, zstd.ErrCRCMismatch) {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return err
}

// decompress finds out by its first bytes how a layer is compressed.
func decompress(r io.Reader) (io.Reader, func(), error) {
	buffered := bufio.NewReaderSize(r, 1<<16)
	magic, err := buffered.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %w", ErrFormat, err)
		}
		return z, func() {}, nil
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(buffered)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %w", ErrFormat, err)
		}
		return z, z.Close, nil
	}
	return buffered, func() {}, nil
}

// Names that have a meaning in a layer.
const (
	whiteoutPrefix = ".wh."
	markPrefix     = ".wh..wh."
	opaqueMark     = ".wh..wh..opq"
)

// apply puts entries on top of the tree. What they remove is in the layers below
// only, wherever in the layer it is said.
func (t *Tree) apply(entries []layerEntry) error {
	for _, e := range entries {
		if err := t.remove(e.name); err != nil {
			return fmt.Errorf("%q: %w", e.name, err)
		}
	}
	for _, e := range entries {
		if strings.HasPrefix(path.Base(e.name), whiteoutPrefix) {
			continue
		}
		if err := t.add(e); err != nil {
			return fmt.Errorf("%q: %w", e.name, err)
		}
	}
	return nil
}

// remove does what the name of an entry says is to be removed.
func (t *Tree) remove(name string) error {
	dir, base := path.Split(name)
	gone, ok := strings.CutPrefix(base, whiteoutPrefix)
	if !ok {
		return nil
	}
	parent, err := t.dir(dir, false)
	if parent == nil || err != nil {
		return err // there is nothing to remove
	}
	switch {
	case base == opaqueMark:
		clear(parent.children)
	case !strings.HasPrefix(base, markPrefix):
		delete(parent.children, gone)
	}
	return nil
}

// add adds one entry.
func (t *Tree) add(e layerEntry) error {
	if e.name == "" {
		if e.header.Typeflag != tar.TypeDir {
			return fmt.Errorf("the root is no directory: %w", ErrFormat)
		}
		t.root.file = newFile(e)
		return nil
	}
	dir, base := path.Split(e.name)
	parent, err := t.dir(dir, true)
	if err != nil {
		return err
	}
	added := &node{file: newFile(e)}
	switch e.header.Typeflag {
	case tar.TypeLink:
		target, err := t.linked(e.header.Linkname)
		if err != nil {
			return err
		}
		added.file = target.file
	case tar.TypeDir:
		added.children = make(map[string]*node)
		if there := parent.children[base]; there != nil && there.children != nil {
			added.children = there.children
		}
	case tar.TypeReg, tar.TypeGNUSparse, tar.TypeSymlink, tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
	default:
		return fmt.Errorf("it is of the type %q: %w", e.header.Typeflag, ErrFormat)
	}
	parent.children[base] = added
	return nil
}

// linked returns what a hard link is one to.
func (t *Tree) linked(name string) (*node, error) {
	dir, base := path.Split(path.Clean("/" + name)[1:])
	parent, err := t.dir(dir, false)
	if err != nil {
		return nil, err
	}
	if parent == nil || parent.children[base] == nil || parent.children[base].children != nil {
		return nil, fmt.Errorf("it is a hard link to %q, which is no file: %w", name, ErrFormat)
	}
	return parent.children[base], nil
}
