package steps

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
)

// ranks returns a function that tells the rank of a file of the image's root, by its
// name there: that of the layer it is from, the lowest being the first. A directory has
// that of the first layer with something in it, since later ones have it only for what
// they put there. What is in no layer comes last.
func (t tree) ranks() (func(name string) int, error) {
	ranks := make(map[string]int)
	for i, layer := range t.Lower {
		rank := len(t.Lower) - i // the first one of Lower is the highest
		if err := rankLayer(ranks, filepath.Join(layer, filepath.Base(TargetDir)), rank); err != nil {
			return nil, err
		}
	}
	last := len(t.Lower) + 1
	return func(name string) int {
		if rank, ok := ranks[name]; ok {
			return rank
		}
		return last
	}, nil
}

// rankLayer adds what is in a layer. Layers come from the highest to the lowest.
func rankLayer(ranks map[string]int, root string, rank int) error {
	return filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path == root {
			return filepath.SkipAll
		}
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path[len(root):], "/")
		if _, ok := ranks[name]; !ok || e.IsDir() {
			ranks[name] = rank
		}
		return nil
	})
}
