package cache

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// XattrRecord begins the names of the tar records that hold extended attributes.
const XattrRecord = "SCHILY.xattr."

// ListTar returns the listing of the tree that a tar file holds, and the
// contents of the files that keep names. Of a path that is there twice the last
// counts, as when it is unpacked.
func ListTar(r io.Reader, keep ...string) (*Listing, map[string][]byte, error) {
	t := tarLister{entries: map[string]tarEntry{}, keep: keep, kept: map[string][]byte{}}
	in := tar.NewReader(r)
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return t.listing(), t.kept, nil
		}
		if err == nil {
			err = t.add(h, in)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read tar file: %w", err)
		}
	}
}

// A tarEntry is a path with the file that it is one of: those of one file have
// the same number.
type tarEntry struct {
	Entry
	file int
}

type tarLister struct {
	entries map[string]tarEntry
	files   int
	keep    []string
	kept    map[string][]byte
}

func (t *tarLister) add(h *tar.Header, content io.Reader) error {
	name := path.Clean("/" + h.Name)[1:]
	if name == "" {
		return nil // the root
	}
	t.files++
	e := tarEntry{file: t.files, Entry: Entry{
		Path: name, Mode: uint32(h.Mode & 0o7777), UID: uint32(h.Uid), GID: uint32(h.Gid),
		ModTime: time.Unix(h.ModTime.Unix(), int64(h.ModTime.Nanosecond())).UTC(), Xattrs: tarXattrs(h),
	}}
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeGNUSparse:
		e.Type, e.Size = TypeFile, h.Size
		if err := t.content(&e.Entry, content); err != nil {
			return fmt.Errorf("%q: %w", h.Name, err)
		}
	case tar.TypeDir:
		e.Type = TypeDir
	case tar.TypeSymlink:
		e.Type, e.Link = TypeSymlink, h.Linkname
	case tar.TypeChar, tar.TypeBlock:
		e.Type = TypeChar
		if h.Typeflag == tar.TypeBlock {
			e.Type = TypeBlock
		}
		e.Rdev = unix.Mkdev(uint32(h.Devmajor), uint32(h.Devminor))
	case tar.TypeFifo:
		e.Type = TypeFIFO
	case tar.TypeLink:
		target, ok := t.entries[path.Clean("/" + h.Linkname)[1:]]
		if !ok {
			return fmt.Errorf("%q is a hard link to %q, which does not come before it", h.Name, h.Linkname)
		}
		e = target
		e.Path = name
	default:
		return fmt.Errorf("%q is of unknown type %q", h.Name, h.Typeflag)
	}
	t.entries[name] = e
	return nil
}

func (t *tarLister) content(e *Entry, r io.Reader) (err error) {
	if !slices.Contains(t.keep, e.Path) {
		e.Digest, _, err = DigestReader(r)
		return err
	}
	b, err := io.ReadAll(r)
	e.Digest, t.kept[e.Path] = DigestBytes(b), b
	return err
}

func tarXattrs(h *tar.Header) (xattrs []Xattr) {
	for _, record := range slices.Sorted(maps.Keys(h.PAXRecords)) {
		if name, ok := strings.CutPrefix(record, XattrRecord); ok && AllowedXattr(name) {
			xattrs = append(xattrs, Xattr{Name: name, Value: h.PAXRecords[record]})
		}
	}
	return xattrs
}

// listing puts the entries in order, which need not be that of the tar file.
func (t *tarLister) listing() *Listing {
	l := &Listing{Entries: make([]Entry, 0, len(t.entries))}
	first := make(map[int]string)
	for _, name := range slices.SortedFunc(maps.Keys(t.entries), comparePaths) {
		e := t.entries[name]
		if path, seen := first[e.file]; seen {
			e.HardLink = path
		} else {
			first[e.file] = name
		}
		l.Entries = append(l.Entries, e.Entry)
	}
	return l
}
