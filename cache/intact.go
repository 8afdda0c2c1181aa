package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"golang.org/x/sys/unix"
)

// intactLayers are those whose files were all looked at. It may be used
// concurrently.
type intactLayers struct{ known sync.Map }

// checkFiles looks at every file of a layer that is about to be used, once for
// an open store: a file that a full disk or an unclean shutdown cut off, or that
// is gone, would be in the image otherwise. It reads no content.
func (s *Store) checkFiles(d Digest) error {
	if _, ok := s.intact.known.Load(d); ok {
		return nil
	}
	l, err := s.Listing(d)
	if err != nil {
		return err
	}
	tree := s.hashPath(layersDir, d) + "/tree/"
	for i := range l.Entries {
		damage, err := l.Entries[i].differs(tree)
		if err != nil {
			return fmt.Errorf("check layer %s: %w", d.Short(), err)
		}
		if damage != "" {
			return damagedLayer(d, damage)
		}
	}
	s.intact.known.Store(d, true)
	return nil
}

// differs says what of a file below tree is not as in its entry, as far as
// lstat tells.
func (e *Entry) differs(tree string) (damage string, err error) {
	var st unix.Stat_t
	err = lstat(tree+e.Path, &st)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENOTDIR):
		return fmt.Sprintf("%q is missing", e.Path), nil
	case err != nil:
		return "", err
	case (st.Mode&unix.S_IFMT == unix.S_IFREG) != (e.Type == TypeFile),
		(st.Mode&unix.S_IFMT == unix.S_IFDIR) != (e.Type == TypeDir):
		return fmt.Sprintf("%q is a file of another type", e.Path), nil
	case e.Type == TypeFile && !e.Volatile && st.Size != e.Size:
		return fmt.Sprintf("%q has %d bytes, not %d", e.Path, st.Size, e.Size), nil
	}
	return "", nil
}
