package cache

import (
	"maps"
	"slices"
	"strings"
)

// A merge is what a run of layers amounts to on top of layers it does not know.
type merge struct {
	root  mergeNode
	count int // entries applied, an upper bound of those left
}

// A mergeNode is one path of a merge.
type mergeNode struct {
	entry    *Entry
	layer    int // index of the layer that has it
	children map[string]*mergeNode
}

func newMerge() *merge {
	return &merge{root: mergeNode{entry: &Entry{Type: TypeDir}}}
}

// apply puts a layer on top.
func (m *merge) apply(l *Listing, layer int) {
	m.count += len(l.Entries)
	lastDir, parent := "", &m.root // entries of a directory follow one another
	for i := range l.Entries {
		e := &l.Entries[i]
		dir, name := "", e.Path
		if slash := strings.LastIndexByte(e.Path, '/'); slash >= 0 {
			dir, name = e.Path[:slash], e.Path[slash+1:]
		}
		if dir != lastDir {
			lastDir, parent = dir, m.find(dir)
		}
		if parent.children == nil {
			parent.children = map[string]*mergeNode{}
		}
		parent.children[name] = parent.children[name].cover(e, layer)
	}
}

// cover returns what is seen where e is above n, which may be nil.
func (n *mergeNode) cover(e *Entry, layer int) *mergeNode {
	above := &mergeNode{entry: e, layer: layer}
	if n == nil || e.Type != TypeDir || e.Opaque {
		return above
	}
	if n.entry.Type == TypeDir {
		above.children = n.children
	}
	if n.entry.Type != TypeDir || n.entry.Opaque {
		// Nothing below n was seen, and nothing of it may come back.
		opaque := *e
		opaque.Opaque = true
		above.entry = &opaque
	}
	return above
}

// find returns the node of a path that is there.
func (m *merge) find(path string) *mergeNode {
	n := &m.root
	for path != "" {
		var name string
		name, path, _ = strings.Cut(path, "/")
		n = n.children[name]
	}
	return n
}

// walk calls f for what is left, a directory before what it contains.
func (m *merge) walk(f func(path string, n *mergeNode) error) error {
	return m.root.walk("", false, f)
}

func (n *mergeNode) walk(prefix string, alone bool, f func(string, *mergeNode) error) error {
	alone = alone || n.entry.Opaque
	for _, name := range slices.Sorted(maps.Keys(n.children)) {
		child := n.children[name]
		if alone && child.entry.Whiteout {
			continue
		}
		if err := f(prefix+name, child); err != nil {
			return err
		}
		if err := child.walk(prefix+name+"/", alone, f); err != nil {
			return err
		}
	}
	return nil
}
