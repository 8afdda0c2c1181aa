package export

import (
	"errors"
	"fmt"
	"strings"

	"github.com/dibgraph/dibgraph/cache"
)

// A Tree is what one archive or directory gets.
type Tree struct {
	// root is what the root directory itself is; nil if nothing is said of it.
	root  *item
	items []item
}

// An item is an entry whose path, as that of its first hard link, begins at the
// root of the image.
type item struct {
	cache.Entry
	file string // where the content of a file is
}

// errNoRoot says that a state has no root to export.
var errNoRoot = errors.New("the state has no root of an image yet")

// Flat returns the whole tree below root that layers, given bottom first, show
// together.
func Flat(store *cache.Store, layers []cache.Digest, root string) (*Tree, error) {
	listings, dirs, err := open(store, layers)
	if err != nil {
		return nil, err
	}
	return flat(listings, dirs, root)
}

// Layered returns what each of the layers, given bottom first, changes below
// root. The lowest ones are merged so that not more than most are left with
// anything in them; the trees of those merged are nil but for the highest one,
// so that there is one tree for each layer.
func Layered(store *cache.Store, layers []cache.Digest, root string, most int) ([]*Tree, error) {
	listings, dirs, err := open(store, layers)
	if err != nil {
		return nil, err
	}
	trees := make([]*Tree, len(layers))
	above := 0 // trees that have something, from the top
	for i := len(layers) - 1; i > 0; i-- {
		if trees[i] = rerooted(listings[i].Entries, root, func(int) string { return dirs[i] }); trees[i].Empty() {
			continue
		}
		if above++; above >= most {
			trees[i], err = flat(listings[:i+1], dirs[:i+1], root)
			return trees, err
		}
	}
	if len(layers) > 0 {
		// Nothing is below the lowest one: what it hides is not there.
		trees[0] = merged(listings[:1], dirs[:1], root)
	}
	for _, t := range trees {
		if t != nil && t.root != nil {
			return trees, nil
		}
	}
	return nil, errNoRoot
}

// open returns the listings of layers and their directories.
func open(store *cache.Store, layers []cache.Digest) (listings []*cache.Listing, dirs []string, err error) {
	if listings, err = store.Listings(layers); err != nil {
		return nil, nil, err
	}
	dirs = make([]string, len(layers))
	for i, d := range layers {
		if dirs[i], err = store.LayerDir(d); err != nil {
			return nil, nil, fmt.Errorf("layer %d of %d: %w", i+1, len(layers), err)
		}
	}
	return listings, dirs, nil
}

func flat(listings []*cache.Listing, dirs []string, root string) (*Tree, error) {
	t := merged(listings, dirs, root)
	if t.root == nil {
		return nil, errNoRoot
	}
	return t, nil
}

func merged(listings []*cache.Listing, dirs []string, root string) *Tree {
	view := cache.NewView(listings)
	return rerooted(view.Entries, root, func(i int) string { return dirs[view.Layers[i]] })
}

// rerooted returns the entries below root. dir returns the directory of the layer
// that has an entry.
func rerooted(entries []cache.Entry, root string, dir func(i int) string) *Tree {
	t := &Tree{}
	first := make(map[string]string) // of a file with several paths: that below root
	for i, e := range entries {
		it := item{Entry: e}
		if e.Type == cache.TypeFile {
			it.file = dir(i) + "/" + e.Path
		}
		if e.Path == root && e.Type == cache.TypeDir {
			t.root = &it
			continue
		}
		rest, inside := strings.CutPrefix(e.Path, root+"/")
		if !inside {
			continue
		}
		it.Path = rest
		if e.HardLink != "" {
			it.HardLink = first[e.HardLink]
			if it.HardLink == "" && !strings.HasPrefix(e.HardLink, root+"/") {
				first[e.HardLink] = rest
			} else if it.HardLink == "" {
				it.HardLink = strings.TrimPrefix(e.HardLink, root+"/")
			}
		}
		t.items = append(t.items, it)
	}
	return t
}

// Empty reports whether a tree changes nothing. A nil one does not.
func (t *Tree) Empty() bool { return t == nil || t.root == nil && len(t.items) == 0 }

// Has reports whether there is a path, relative to the root, that is not a
// directory.
func (t *Tree) Has(path string) bool {
	for i := range t.items {
		if it := &t.items[i]; it.Path == path {
			return it.Type != cache.TypeDir && !it.Whiteout
		}
	}
	return false
}
