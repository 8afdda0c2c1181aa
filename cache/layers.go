package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// LayerOptions say how a layer is described.
type LayerOptions struct {
	// Volatile names files whose content must not make a difference, such as
	// logs: paths relative to the layer, with the wildcards of path.Match in
	// each component, and "**" for any number of components. The files stay in
	// the layer as they are.
	Volatile []string
}

// A Layer names what one node changed. The zero Layer stands for no change.
type Layer struct {
	Digest  Digest
	Entries int   // paths in it
	Bytes   int64 // sum of the file sizes, hard links counted once
}

// CommitLayer makes the upper directory of an overlay a layer and returns its
// digest. The overlay must be unmounted, upper must be one that TempDir made or
// a directory below it, and nothing may write to it any more.
//
// The directory becomes the layer, by a rename. If the layer is there already,
// or nothing was written, it goes to the trash instead; what is nothing at all
// is the zero Layer. What overlayfs notes for itself is removed from the files,
// as are attributes of the trusted namespace, and sockets. An attribute that no
// layer can hold is an error that names the path. After an error upper is where
// it was.
func (s *Store) CommitLayer(upper string, o LayerOptions) (Layer, error) {
	e, err := s.begin()
	if err != nil {
		return Layer{}, err
	}
	defer e.end()
	layer, err := s.commitLayer(filepath.Clean(upper), o)
	if err != nil {
		return Layer{}, fmt.Errorf("commit layer %q: %w", upper, err)
	}
	return layer, nil
}

func (s *Store) commitLayer(upper string, o LayerOptions) (Layer, error) {
	tree, err := scanUpper(upper, o)
	if err != nil {
		return Layer{}, err
	}
	if err := tree.cleanUp(); err != nil {
		return Layer{}, err
	}
	if len(tree.listing.Entries) == 0 {
		s.Discard(upper)
		return Layer{}, nil
	}
	m := metaOf(&tree.listing)
	return Layer{Digest: m.Digest, Entries: m.Entries, Bytes: m.Bytes}, s.withRoom(func() error { return s.adoptLayer(upper, &tree.listing, m) })
}

// adoptLayer makes a directory that was scanned a layer. One that is there
// already stays, unless it is found damaged, and the directory goes.
func (s *Store) adoptLayer(upper string, l *Listing, m meta) error {
	switch err := s.lease(m.Digest, func() error { return s.checkLayer(m.Digest) }); {
	case err == nil:
		s.Discard(upper)
		return nil
	case errors.Is(err, ErrDamaged):
		s.quarantineLayer(m.Digest)
	case !errors.Is(err, ErrMissing):
		return err
	}
	return s.storeLayer(upper, l, m)
}

// ListUpper returns the listing that an upper directory would have as a layer.
// Nothing may write to it meanwhile; it stays as it is.
func ListUpper(upper string, o LayerOptions) (*Listing, error) {
	tree, err := scanUpper(filepath.Clean(upper), o)
	if err != nil {
		return nil, fmt.Errorf("list %q: %w", upper, err)
	}
	return &tree.listing, nil
}

func scanUpper(upper string, o LayerOptions) (*scan, error) {
	volatile, err := parsePatterns(o.Volatile)
	if err != nil {
		return nil, err
	}
	tree := &scan{root: upper, volatile: volatile.match}
	return tree, tree.run()
}

// cleanUp removes what must not be in a layer. It is done after the whole tree
// was found fit to be one.
func (t *scan) cleanUp() error {
	for _, x := range t.strip {
		if err := unix.Lremovexattr(x.path, x.name); err != nil && !errors.Is(err, unix.ENODATA) {
			return fmt.Errorf("remove attribute %s of %q: %w", x.name, x.path, err)
		}
	}
	for _, path := range t.sockets {
		if err := removeIfThere(t.root + "/" + path); err != nil {
			return err
		}
	}
	return nil
}

// storeLayer puts the parts together under tmp and renames them to their place.
func (s *Store) storeLayer(upper string, l *Listing, m meta) (err error) {
	dir := s.owner.name("layer")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	if err := m.write(dir, l); err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	// The root of a layer has no entry; what it is must not depend on the node.
	if err := os.Chmod(upper, 0o755); err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	tree := filepath.Join(dir, "tree")
	if err := os.Rename(upper, tree); err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	place, first := s.hashPath(layersDir, m.Digest), false
	err = s.publishWith(dir, place, func() (err error) {
		first, err = publishDir(dir, place)
		return err
	})
	if err != nil {
		return errors.Join(err, os.Rename(tree, upper), os.RemoveAll(dir))
	}
	if !first {
		s.Discard(dir)
	}
	return nil
}

// publishDir renames a directory to its place, unless somebody was first: then
// it stays where it is.
func publishDir(from, to string) (first bool, err error) {
	err = unix.Rename(from, to)
	if errors.Is(err, unix.ENOENT) {
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return false, err
		}
		err = unix.Rename(from, to)
	}
	switch {
	case errors.Is(err, unix.EEXIST), errors.Is(err, unix.ENOTEMPTY):
		return false, nil
	case err != nil:
		return false, &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return true, nil
}

// LayerDir returns the directory of a layer, for use as the lower directory of
// an overlay, after a look at every file of it, the first time; contents are not
// read. It must not be changed. A layer that is not there, and cannot be supplied,
// is ErrMissing, and so is a damaged one, which goes to quarantine.
func (s *Store) LayerDir(d Digest) (string, error) {
	dir, err := s.layerHere(d)
	if !errors.Is(err, ErrMissing) {
		return dir, err
	}
	if supplyErr := s.supplyLayer(d); supplyErr != nil {
		if errors.Is(err, ErrDamaged) {
			return "", err
		}
		return "", supplyErr
	}
	return s.layerHere(d)
}

// layerHere is LayerDir for layers that are in the store already.
func (s *Store) layerHere(d Digest) (string, error) {
	s.checked.forget(d)
	err := s.lease(d, func() error { return s.checkLayer(d) })
	if err == nil {
		err = s.checkFiles(d)
	}
	if err != nil {
		s.stacks.doubt()
		if errors.Is(err, ErrDamaged) {
			s.quarantineLayer(d)
		}
		return "", err
	}
	return s.hashPath(layersDir, d) + "/tree", nil
}

// HasLayer reports whether a layer is in the store.
func (s *Store) HasLayer(d Digest) bool { return s.checkLayer(d) == nil }

// Listing reads the listing of a layer that is in the store. Errors are as for
// LayerDir.
func (s *Store) Listing(d Digest) (*Listing, error) {
	text, err := os.ReadFile(s.hashPath(layersDir, d) + "/listing")
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := s.layerHere(d); err != nil {
			return nil, err
		}
		return nil, missingLayer(d) // it went away in between
	}
	if err != nil {
		return nil, err
	}
	l, err := ParseListing(text)
	if err == nil && l.Digest() != d {
		err = errors.New("its listing is of another layer")
	}
	if err != nil {
		s.quarantineLayer(d)
		return nil, damagedLayer(d, err.Error())
	}
	return l, nil
}

func missingLayer(d Digest) error { return &contentError{what: "layer " + d.Short()} }

func damagedLayer(d Digest, how string) error {
	return &contentError{what: "layer " + d.Short(), damage: how}
}

// quarantineLayer also gives up what was squashed, as it shares files with the
// layers.
func (s *Store) quarantineLayer(d Digest) {
	if s.readOnly {
		return
	}
	s.checked.forget(d)
	s.intact.known.Delete(d)
	s.stacks.doubt()
	s.quarantine(s.hashPath(layersDir, d), "layer")
	s.dropSquashed()
}
