package compat

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
)

// textLimit is the size up to which the content of a file is kept, to be shown
// and for rules that look into it.
const textLimit = 1 << 20

// xattrPrefix is before the names of extended attributes in tar archives.
const xattrPrefix = "SCHILY.xattr."

// A Tree is what is in an image, by path. Paths have no leading slash; the root
// itself is ".".
type Tree map[string]*Entry

// An Entry is a file of an image, with all of it that an image must keep. Times
// are not among that.
type Entry struct {
	Type     byte   // the letter of ls: - d l c b p
	Mode     uint32 // permissions, with set-user-ID, set-group-ID and sticky
	UID, GID int
	Target   string            // of a symbolic link
	Device   string            // major:minor of a device
	Xattrs   map[string]string // extended attributes
	Names    []string          // all names of a file that has several, sorted
	Size     int64             // of a regular file
	Digest   string            // of the content of a regular file
	Text     []byte            // the content, if it is small
}

// types are the letters of what tar archives have, but for hard links.
var types = map[byte]byte{
	tar.TypeReg: '-', tar.TypeDir: 'd', tar.TypeSymlink: 'l',
	tar.TypeChar: 'c', tar.TypeBlock: 'b', tar.TypeFifo: 'p',
}

// ReadTar reads the tree that is in a tar archive.
func ReadTar(from io.Reader) (Tree, error) {
	tree := make(Tree)
	archive := tar.NewReader(from)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			tree.nameLinks()
			return tree, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read the archive of a tree: %w", err)
		}
		if err := tree.add(header, archive); err != nil {
			return nil, fmt.Errorf("read %q in the archive of a tree: %w", header.Name, err)
		}
	}
}

func (t Tree) add(header *tar.Header, content io.Reader) error {
	name := clean(header.Name)
	if header.Typeflag == tar.TypeLink {
		first, ok := t[clean(header.Linkname)]
		if !ok {
			return fmt.Errorf("a link to %q, which is not there", header.Linkname)
		}
		t[name] = first
		return nil
	}
	kind, ok := types[header.Typeflag]
	if !ok {
		return fmt.Errorf("unknown type %q", header.Typeflag)
	}
	e := &Entry{Type: kind, Mode: uint32(header.Mode & 0o7777), UID: header.Uid, GID: header.Gid, Target: header.Linkname}
	if kind == 'c' || kind == 'b' {
		e.Device = fmt.Sprintf("%d:%d", header.Devmajor, header.Devminor)
	}
	for record, value := range header.PAXRecords {
		if attribute, ok := strings.CutPrefix(record, xattrPrefix); ok {
			if e.Xattrs == nil {
				e.Xattrs = make(map[string]string)
			}
			e.Xattrs[attribute] = value
		}
	}
	t[name] = e
	if kind != '-' {
		return nil
	}
	if isInitramfs(name) {
		return t.addWithInside(name, e, content)
	}
	return e.read(content)
}

// addWithInside reads a file and the tree in it. If there is one, that is
// compared, and not the bytes.
func (t Tree) addWithInside(name string, e *Entry, content io.Reader) error {
	whole, err := io.ReadAll(content)
	if err != nil {
		return err
	}
	if t.addInitramfs(name, bytes.NewReader(whole)) {
		return nil
	}
	return e.read(bytes.NewReader(whole))
}

func (e *Entry) read(content io.Reader) error {
	sum := sha256.New()
	var text bytes.Buffer
	size, err := io.Copy(sum, io.TeeReader(content, &limited{&text}))
	if err != nil {
		return err
	}
	e.Size, e.Digest = size, hex.EncodeToString(sum.Sum(nil))
	if size <= textLimit {
		e.Text = text.Bytes()
	}
	return nil
}

// limited keeps what a small file has, and a bit more of a large one.
type limited struct{ *bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if l.Len() <= textLimit {
		l.Buffer.Write(p)
	}
	return len(p), nil
}

// nameLinks tells the files that have several names about all of them.
func (t Tree) nameLinks() {
	names := make(map[*Entry][]string)
	for _, name := range slices.Sorted(maps.Keys(t)) {
		names[t[name]] = append(names[t[name]], name)
	}
	for e, list := range names {
		if len(list) > 1 {
			e.Names = list
		}
	}
}

// clean gives the path of an archive the form that trees have.
func clean(name string) string {
	if name = path.Clean("/" + name); name != "/" {
		return name[1:]
	}
	return "."
}
