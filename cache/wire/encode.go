package wire

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"strings"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/cache"
)

// The PAX records of a layer that are not those of everybody.
const (
	whiteoutRecord = "DIBGRAPH.whiteout"
	opaqueRecord   = "DIBGRAPH.opaque"
	volatileRecord = "DIBGRAPH.volatile"
	sparseRecord   = "DIBGRAPH.sparse"
	// escapedRecord is cache.XattrRecord for names that no record can have.
	escapedRecord = "DIBGRAPH.xattr."
)

const (
	whiteoutPrefix = ".wh."
	opaqueName     = ".wh..wh..opq"
)

// EncodeLayer writes the layer that has the tree and the listing. The same layer
// gives the same bytes, from the same version of this program. It keeps less than
// 16 MiB in memory.
func EncodeLayer(ctx context.Context, w io.Writer, tree string, l *cache.Listing) error {
	z, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(4<<20))
	if err != nil {
		return err
	}
	e := layerEncoder{tar: tar.NewWriter(z), tree: tree, buffer: make([]byte, 256<<10)}
	for i := range l.Entries {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if err := e.entry(&l.Entries[i]); err != nil {
			return fmt.Errorf("encode layer: %q: %w", l.Entries[i].Path, err)
		}
	}
	return errors.Join(e.tar.Close(), z.Close())
}

type layerEncoder struct {
	tar    *tar.Writer
	tree   string
	buffer []byte
}

func (w *layerEncoder) entry(e *cache.Entry) error {
	h := headerOf(e)
	switch {
	case e.Whiteout || e.HardLink != "":
		return w.tar.WriteHeader(h)
	case e.Type == cache.TypeFile:
		return w.file(e, h)
	}
	if err := w.tar.WriteHeader(h); err != nil || !e.Opaque {
		return err
	}
	return w.tar.WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg, Format: tar.FormatPAX, Name: e.Path + "/" + opaqueName, Mode: 0o644,
		PAXRecords: map[string]string{opaqueRecord: "1"},
	})
}

// headerOf returns the header of an entry, for files without their size.
func headerOf(e *cache.Entry) *tar.Header {
	h := &tar.Header{
		Format: tar.FormatPAX, Name: e.Path, Mode: int64(e.Mode), Uid: int(e.UID), Gid: int(e.GID), ModTime: e.ModTime,
		PAXRecords: make(map[string]string),
	}
	if e.Whiteout {
		h.Typeflag, h.Mode = tar.TypeReg, 0o644
		h.Name = path.Join(path.Dir(e.Path), whiteoutPrefix+path.Base(e.Path))
		h.PAXRecords[whiteoutRecord] = "1"
		return h
	}
	for _, x := range e.Xattrs {
		h.PAXRecords[recordOf(x.Name)] = x.Value
	}
	if e.Volatile {
		h.PAXRecords[volatileRecord] = "1"
	}
	switch {
	case e.HardLink != "":
		h.Typeflag, h.Linkname, h.PAXRecords = tar.TypeLink, e.HardLink, nil
	case e.Type == cache.TypeFile:
		h.Typeflag = tar.TypeReg
	case e.Type == cache.TypeDir:
		h.Typeflag, h.Name = tar.TypeDir, e.Path+"/"
	case e.Type == cache.TypeSymlink:
		h.Typeflag, h.Linkname = tar.TypeSymlink, e.Link
	case e.Type == cache.TypeFIFO:
		h.Typeflag = tar.TypeFifo
	default:
		h.Typeflag = tar.TypeChar
		if e.Type == cache.TypeBlock {
			h.Typeflag = tar.TypeBlock
		}
		h.Devmajor, h.Devminor = int64(unix.Major(e.Rdev)), int64(unix.Minor(e.Rdev))
	}
	return h
}

// recordOf returns the name of the record of an attribute.
func recordOf(attribute string) string {
	if strings.Contains(attribute, "=") {
		return escapedRecord + url.QueryEscape(attribute)
	}
	return cache.XattrRecord + attribute
}

// attributeOf returns the attribute of a record, and whether it is of one.
func attributeOf(record string) (string, bool) {
	if name, ok := strings.CutPrefix(record, cache.XattrRecord); ok {
		return name, true
	}
	escaped, ok := strings.CutPrefix(record, escapedRecord)
	if !ok {
		return "", false
	}
	name, err := url.QueryUnescape(escaped)
	return name, err == nil
}

// file writes a file: the whole of it, or of a sparse one where its data is and
// then the data alone.
func (w *layerEncoder) file(e *cache.Entry, h *tar.Header) error {
	f, err := os.OpenFile(w.tree+"/"+e.Path, os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	extents, err := extentsOf(f, e.Size)
	if err != nil {
		return err
	}
	h.Size = extents.bytes()
	if h.Size < e.Size {
		h.PAXRecords[sparseRecord] = extents.text(e.Size)
	}
	if err := w.tar.WriteHeader(h); err != nil {
		return err
	}
	for _, x := range extents {
		n, err := io.CopyBuffer(struct{ io.Writer }{w.tar}, io.NewSectionReader(f, x.offset, x.length), w.buffer)
		if err == nil && n < x.length {
			err = io.ErrUnexpectedEOF // it was changed, which nobody may do
		}
		if err != nil {
			return err
		}
	}
	return nil
}
