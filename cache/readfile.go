package cache

import (
	"fmt"
	"io/fs"
	"os"
)

// ReadFile returns the content of a file of the tree that layers, given bottom
// first, show together, without mounting them. What is no file there, or not at
// all, is fs.ErrNotExist; symbolic links are not followed.
func (s *Store) ReadFile(layers []Digest, path string) ([]byte, error) {
	for i := len(layers) - 1; i >= 0; i-- {
		l, err := s.Listing(layers[i])
		if err != nil {
			return nil, err
		}
		unknown := &Entry{}
		switch e := l.cover(path, unknown); {
		case e == unknown:
			continue // the layers below decide
		case e == nil || e.Type != TypeFile:
			return nil, notInTree(path)
		}
		dir, err := s.LayerDir(layers[i])
		if err != nil {
			return nil, err
		}
		return os.ReadFile(dir + "/" + path)
	}
	return nil, notInTree(path)
}

func notInTree(path string) error {
	return fmt.Errorf("%q is no file of the tree: %w", path, fs.ErrNotExist)
}
