package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Squash merges layers, which are given bottom first, into one directory that
// shows the same when it takes their place as a lower directory of an overlay.
// It is kept for the next call. The files are hard links to those of the layers
// and must not be changed.
//
// Whiteouts and opaque directories stay where they may hide something of a
// layer further below. They cannot if a directory above them is opaque, as
// overlayfs makes a directory that is new. Then whiteouts have to go: in a
// directory that is in one layer only, readdir would show them.
func (s *Store) Squash(ctx context.Context, layers []Digest) (string, error) {
	switch len(layers) {
	case 0:
		return "", errors.New("squash: no layers")
	case 1:
		return s.LayerDir(layers[0])
	}
	e, err := s.begin()
	if err != nil {
		return "", err
	}
	defer e.end()
	dir, err := s.squash(ctx, layers)
	if err != nil {
		return "", fmt.Errorf("squash %d layers: %w", len(layers), err)
	}
	return dir, nil
}

func (s *Store) squash(ctx context.Context, layers []Digest) (string, error) {
	id := squashID(layers)
	dir := s.hashPath(squashDir, id)
	var damage string
	err := s.lease(id, func() (err error) {
		damage, err = checkTree(dir, id)
		return err
	})
	if err == nil && damage == "" {
		return dir + "/tree", nil
	}
	if err != nil {
		return "", err
	}
	s.Discard(dir)
	trees := make([]string, len(layers))
	merged := newMerge()
	for i, d := range layers {
		if trees[i], err = s.LayerDir(d); err != nil {
			return "", err
		}
		l, err := s.Listing(d)
		if err != nil {
			return "", err
		}
		merged.apply(l, i)
	}
	tmp := s.owner.name("squash")
	if err := s.writeSquashed(ctx, tmp, id, merged, trees); err != nil {
		s.Discard(tmp)
		return "", err
	}
	first := false
	err = s.publishWith(tmp, dir, func() (err error) {
		first, err = publishDir(tmp, dir)
		return err
	})
	if !first {
		s.Discard(tmp)
	}
	return dir + "/tree", err
}

// squashID names the result of squashing layers in this order.
func squashID(layers []Digest) Digest {
	var b strings.Builder
	b.WriteString("dibgraph squash 1\n")
	for _, d := range layers {
		fmt.Fprintf(&b, "%s\n", d)
	}
	return DigestBytes([]byte(b.String()))
}

// dropSquashed gives up all squashed directories; they are made again.
func (s *Store) dropSquashed() {
	// If the first rename fails, so does the second, and they stay.
	if os.Rename(s.path(squashDir), s.trashName()) == nil {
		_ = os.Mkdir(s.path(squashDir), 0o700)
	}
}

func (s *Store) writeSquashed(ctx context.Context, dir string, id Digest, m *merge, trees []string) error {
	tree := dir + "/tree"
	if err := os.MkdirAll(tree, 0o700); err != nil {
		return err
	}
	if err := os.Chmod(tree, 0o755); err != nil {
		return err
	}
	l := Listing{Entries: make([]Entry, 0, m.count)}
	var dirs []string
	err := m.walk(func(path string, n *mergeNode) error {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		l.Entries = append(l.Entries, Entry{Path: path})
		if n.entry.Type == TypeDir {
			dirs = append(dirs, path)
			return makeDir(tree+"/"+path, n.entry)
		}
		return linkFile(trees[n.layer]+"/"+n.entry.Path, tree+"/"+path)
	})
	if err != nil {
		return err
	}
	// Times come last: making an entry changes that of its directory.
	for _, path := range slices.Backward(dirs) {
		t := m.find(path).entry.ModTime
		if err := os.Chtimes(tree+"/"+path, t, t); err != nil {
			return err
		}
	}
	// The entries serve to be counted only.
	summary := meta{Digest: id, Entries: len(l.Entries), Top: l.top()}
	return summary.write(dir, &Listing{})
}

func linkFile(from, to string) error {
	if err := unix.Linkat(unix.AT_FDCWD, from, unix.AT_FDCWD, to, 0); err != nil {
		return &os.LinkError{Op: "link", Old: from, New: to, Err: err}
	}
	return nil
}

// makeDir makes a directory as the entry says, but for its time.
func makeDir(path string, e *Entry) error {
	if err := os.Mkdir(path, 0o700); err != nil {
		return err
	}
	if err := os.Lchown(path, int(e.UID), int(e.GID)); err != nil {
		return err
	}
	if err := unix.Chmod(path, e.Mode); err != nil {
		return &fs.PathError{Op: "chmod", Path: path, Err: err}
	}
	xattrs := e.Xattrs
	if e.Opaque {
		xattrs = append(slices.Clip(xattrs), Xattr{overlayPrefix + "opaque", "y"})
	}
	for _, x := range xattrs {
		if err := unix.Lsetxattr(path, x.Name, []byte(x.Value), 0); err != nil {
			return &fs.PathError{Op: "set attribute " + x.Name + " of", Path: path, Err: err}
		}
	}
	return nil
}
