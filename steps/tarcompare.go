package steps

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/graph"
)

// listTar lists what is in a tar file, with the paths of the build tree.
func listTar(name string, volatile []string) (*graph.Listing, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	l := &graph.Listing{}
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("list %q: %w", name, err)
		}
		e, err := tarEntry(h, r)
		if err != nil {
			return nil, fmt.Errorf("list %q: %q: %w", name, h.Name, err)
		}
		l.Entries = append(l.Entries, e)
	}
	l.Sort()
	return l, l.MarkVolatile(volatile)
}

func tarEntry(h *tar.Header, content io.Reader) (e graph.Entry, err error) {
	e = graph.Entry{Path: inTree(h.Name), Mode: uint32(h.Mode) & 0o7777, UID: uint32(h.Uid), GID: uint32(h.Gid), ModTime: h.ModTime.UTC()}
	for name, value := range h.PAXRecords {
		if name, ok := strings.CutPrefix(name, "SCHILY.xattr."); ok {
			e.Xattrs = append(e.Xattrs, graph.Xattr{Name: name, Value: value})
		}
	}
	slices.SortFunc(e.Xattrs, func(a, b graph.Xattr) int { return strings.Compare(a.Name, b.Name) })
	switch h.Typeflag {
	case tar.TypeReg:
		e.Type, e.Size = graph.TypeFile, h.Size
		e.Digest, err = graph.DigestReader(content)
	case tar.TypeLink:
		e.Type, e.HardLink = graph.TypeFile, inTree(h.Linkname)
	case tar.TypeSymlink:
		e.Type, e.Link = graph.TypeSymlink, h.Linkname
	case tar.TypeDir:
		e.Type = graph.TypeDir
	case tar.TypeChar, tar.TypeBlock:
		e.Type, e.Rdev = graph.TypeChar, unix.Mkdev(uint32(h.Devmajor), uint32(h.Devminor))
		if h.Typeflag == tar.TypeBlock {
			e.Type = graph.TypeBlock
		}
	case tar.TypeFifo:
		e.Type = graph.TypeFIFO
	default:
		err = fmt.Errorf("unknown type %q", h.Typeflag)
	}
	return e, err
}

// inTree returns the path in the build tree of one in a tar file.
func inTree(name string) string { return filepath.Join(filepath.Base(TargetDir), name) }
