package ociimage

import (
	"archive/tar"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

// A node is a name in a tree.
type node struct {
	file     *file
	children map[string]*node // nil for what is no directory
}

// A file is what one or more names are of.
type file struct {
	header  tar.Header
	offset  int64
	written string // the name under which it was written
}

// newDir returns a directory that layers take for granted.
func newDir() *node {
	return &node{children: make(map[string]*node), file: &file{header: tar.Header{Typeflag: tar.TypeDir, Mode: 0o755, ModTime: time.Unix(0, 0)}}}
}

// newFile takes from an entry what is kept of it.
func newFile(e layerEntry) *file {
	h := tar.Header{
		Typeflag: e.header.Typeflag, Mode: e.header.Mode & 0o7777, Uid: e.header.Uid, Gid: e.header.Gid, Size: e.header.Size,
		ModTime: e.header.ModTime.Truncate(time.Second), Devmajor: e.header.Devmajor, Devminor: e.header.Devminor,
	}
	switch h.Typeflag {
	case tar.TypeGNUSparse:
		h.Typeflag = tar.TypeReg
	case tar.TypeSymlink:
		h.Linkname = e.header.Linkname
	}
	for record, value := range e.header.PAXRecords {
		if strings.HasPrefix(record, "SCHILY.xattr.") {
			if h.PAXRecords == nil {
				h.PAXRecords = make(map[string]string)
			}
			h.PAXRecords[record] = value
		}
	}
	return &file{header: h, offset: e.offset}
}

// maxLinks is how many symbolic links are followed on one way, as by the kernel.
const maxLinks = 40

// dir returns the directory of a path. Symbolic links are followed inside the
// tree: layers name a file by way of one that a layer below has. Without create,
// it is nil if there is none.
func (t *Tree) dir(name string, create bool) (*node, error) {
	way := []*node{t.root}
	rest := strings.Split(name, "/")
	for links := 0; len(rest) > 0; {
		part := rest[0]
		rest = rest[1:]
		at := way[len(way)-1]
		switch part {
		case "", ".":
			continue
		case "..":
			way = way[:max(1, len(way)-1)]
			continue
		}
		next := at.children[part]
		if next == nil {
			if !create {
				return nil, nil
			}
			next = newDir()
			at.children[part] = next
		}
		switch {
		case next.children != nil:
			way = append(way, next)
		case next.file.header.Typeflag == tar.TypeSymlink && links < maxLinks:
			links++
			target := next.file.header.Linkname
			if path.IsAbs(target) {
				way = way[:1]
			}
			rest = append(strings.Split(target, "/"), rest...)
		case create:
			return nil, fmt.Errorf("%q on the way to it is no directory: %w", part, ErrFormat)
		default:
			return nil, nil
		}
	}
	return way[len(way)-1], nil
}

// WriteTar writes the tree as one archive, sorted by name. The same layers give
// the same bytes.
func (t *Tree) WriteTar(w io.Writer) error {
	out := tar.NewWriter(w)
	if err := t.write(out, ".", t.root); err != nil {
		return err
	}
	return out.Close()
}

func (t *Tree) write(out *tar.Writer, name string, n *node) error {
	h := n.file.header
	h.Name = name
	if n.children != nil {
		h.Name += "/"
	} else if n.file.written != "" {
		h = tar.Header{Typeflag: tar.TypeLink, Name: name, Linkname: n.file.written, Mode: h.Mode, Uid: h.Uid, Gid: h.Gid, ModTime: h.ModTime}
	} else {
		n.file.written = name
	}
	if err := out.WriteHeader(&h); err != nil {
		return fmt.Errorf("write %q: %w", name, err)
	}
	if h.Typeflag == tar.TypeReg {
		if _, err := io.Copy(out, io.NewSectionReader(t.contents, n.file.offset, h.Size)); err != nil {
			return fmt.Errorf("write %q: %w", name, err)
		}
	}
	for _, child := range slices.Sorted(maps.Keys(n.children)) {
		if err := t.write(out, name+"/"+child, n.children[child]); err != nil {
			return err
		}
	}
	return nil
}
