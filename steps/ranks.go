package steps

import (
	"errors"
	"hash/maphash"
	"io/fs"
	"path/filepath"
	"strings"
)

// ranks returns a function that tells the rank of a file of the image's root, by its
// name there: that of the layer it is from, the lowest being the first. A directory has
// that of the first layer with something in it, since later ones have it only for what
// they put there. What is in no layer comes last.
func (t tree) ranks() (func(name string) int, error) {
	r := layerRanks{seed: maphash.MakeSeed(), of: make(map[uint64]int32)}
	for i, layer := range t.Lower {
		rank := len(t.Lower) - i // the first one of Lower is the highest
		if err := r.add(filepath.Join(layer, filepath.Base(TargetDir)), int32(rank)); err != nil {
			return nil, err
		}
	}
	last := len(t.Lower) + 1
	return func(name string) int {
		if rank, ok := r.of[r.key(name)]; ok {
			return int(rank)
		}
		return last
	}, nil
}

// layerRanks are the ranks of files by hashes of their names: the names themselves would
// take most of the memory of a large tree. Two names with one hash, which one of a
// billion trees of 100,000 files has, are placed on the disk as if they were of one layer.
type layerRanks struct {
	seed maphash.Seed
	of   map[uint64]int32
}

func (r layerRanks) key(name string) uint64 { return maphash.String(r.seed, name) }

// add adds what is in a layer. Layers come from the highest to the lowest.
func (r layerRanks) add(root string, rank int32) error {
	return filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path == root {
			return filepath.SkipAll
		}
		if err != nil {
			return err
		}
		key := r.key(strings.TrimPrefix(path[len(root):], "/"))
		if _, ok := r.of[key]; !ok || e.IsDir() {
			r.of[key] = rank
		}
		return nil
	})
}
