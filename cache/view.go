package cache

import "fmt"

// A View is what the layers of a state show together: the tree as a node finds
// it. It is made of listings alone, without mounting anything.
type View struct {
	// Listing has the whole tree, without whiteouts and opaque directories.
	Listing
	// Layers holds, for each of Entries, the index of the layer that shows it.
	// For a directory that several layers have it is the topmost one, whose
	// attributes count.
	Layers []int
}

// View reads the listings of a state's layers, which are given bottom first,
// and returns what they show. Errors are as for [Store.LayerDir].
func (s *Store) View(layers []Digest) (*View, error) {
	listings, err := s.Listings(layers)
	if err != nil {
		return nil, err
	}
	return NewView(listings), nil
}

// Listings reads the listings of several layers.
func (s *Store) Listings(layers []Digest) ([]*Listing, error) {
	listings := make([]*Listing, len(layers))
	for i, d := range layers {
		var err error
		if listings[i], err = s.Listing(d); err != nil {
			return nil, fmt.Errorf("read what layer %d of %d holds: %w", i+1, len(layers), err)
		}
	}
	return listings, nil
}

// NewView returns what layers with these listings, bottom first, show.
func NewView(layers []*Listing) *View {
	m := newMerge()
	for i, l := range layers {
		m.apply(l, i)
	}
	m.root.entry.Opaque = true // nothing is below the lowest layer
	v := &View{Listing: Listing{Entries: make([]Entry, 0, m.count)}, Layers: make([]int, 0, m.count)}
	links := make(map[linkedFile]string)
	// The walk stops for no error, as none is returned.
	_ = m.walk(func(path string, n *mergeNode) error {
		e := *n.entry
		e.Opaque = false
		v.Entries, v.Layers = append(v.Entries, e), append(v.Layers, n.layer)
		if e.HardLink != "" {
			v.Entries[len(v.Entries)-1].HardLink = v.firstPath(links, linkedFile{n.layer, e.HardLink}, path)
		}
		return nil
	})
	return v
}

// A linkedFile is a file with several paths, named by its layer and the first
// of them there.
type linkedFile struct {
	layer int
	first string
}

// firstPath returns the first path that is shown of a file with several, empty
// if that is path: other layers may cover those before it.
func (v *View) firstPath(links map[linkedFile]string, file linkedFile, path string) string {
	if first, ok := links[file]; ok {
		return first
	}
	if i, ok := v.find(file.first); ok && v.Layers[i] == file.layer {
		return file.first
	}
	links[file] = path
	return ""
}

// Layer returns the index of the layer that shows a path, and whether it is
// there.
func (v *View) Layer(path string) (layer int, ok bool) {
	i, ok := v.find(path)
	if !ok {
		return 0, false
	}
	return v.Layers[i], true
}
