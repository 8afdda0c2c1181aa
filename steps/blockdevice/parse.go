package blockdevice

import (
	"fmt"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"
)

// A Layout is a block device layout that has been read and found right. It
// does not change.
type Layout struct {
	// Notices are remarks for the user, such as keys that mean nothing, each
	// with file and line.
	Notices []string

	params  Params
	written []node // as in the file
	order   []node // every node after those it stands on
	byName  map[string]node
	tables  []*table
}

// Parse reads a layout in tree or flat notation. File names it in messages.
// The error joins all the problems there are, each a [*Problem].
//
// A key that no module knows is a notice, as diskimage-builder takes no note of
// it either; a map under such a key is a problem, for it was meant to do something.
func Parse(config []byte, file string, params Params) (*Layout, error) {
	r := &reader{problems: problems{file: file}}
	var document yaml.Node
	if err := yaml.Unmarshal(config, &document); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(document.Content) == 0 {
		return nil, &Problem{File: file, Message: "the layout is empty"}
	}
	l := &Layout{params: params, byName: map[string]node{}}
	items := r.lift(document.Content[0])
	whole := len(r.all) == 0
	nodes := r.nodes(l, items)
	// Without the items that could not be read, others seem to lack a base.
	if whole {
		r.check(l, nodes)
	}
	if len(r.all) == 0 {
		l.written, l.order = nodes, r.sort(l, nodes)
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	l.Notices = r.notices
	return l, nil
}

// nodes makes typed nodes of items.
func (r *reader) nodes(l *Layout, items []*item) []node {
	var nodes []node
	tables := map[*item]*table{}
	names := map[string]int{}
	for _, it := range items {
		// A table is no node and can have the name of one, but not that of
		// another table: its identifiers follow from it.
		name := it.name
		if it.module == "partitioning" {
			name = "table " + name
		}
		if line, ok := names[name]; ok {
			r.add(it.line, "duplicate name %q; line %d has it already", it.name, line)
		}
		names[name] = it.line
		v := values{r, it}
		var n node
		switch it.module {
		case "local_loop":
			n = v.disk(l.params)
		case "partitioning":
			t := v.table()
			tables[it] = t
			l.tables = append(l.tables, t)
		case "partition":
			t := tables[it.table]
			p := v.part(t)
			t.parts = append(t.parts, p)
			n = p
		case "mkfs":
			n = v.filesystem(l.params)
		case "mount":
			n = v.mountPoint()
		case "fstab":
			n = v.fstabLine()
		default:
			n = v.volume()
		}
		r.unknown(it)
		if n != nil {
			nodes = append(nodes, n)
			l.byName[it.name] = n
		}
	}
	return nodes
}

// unknown remarks on the keys of an item that nothing has read.
func (r *reader) unknown(it *item) {
	for _, key := range slices.Sorted(maps.Keys(it.values)) {
		n := it.values[key]
		if n.Kind == yaml.MappingNode {
			r.add(n.Line, "%s %q: unknown module %q", it.module, it.name, key)
			continue
		}
		r.notice(n.Line, "%s %q: the key %q means nothing", it.module, it.name, key)
	}
}

// sort orders nodes so that each comes after those it depends on, and
// otherwise as they are written.
func (r *reader) sort(l *Layout, nodes []node) []node {
	const unseen, visiting, placed = 0, 1, 2
	after := r.dependencies(l, nodes)
	state := map[string]int{}
	var order []node
	var visit func(n node) bool
	visit = func(n node) bool {
		m := n.common()
		switch state[m.name] {
		case placed:
			return true
		case visiting:
			r.add(m.line, "%s %q: stands on itself, by way of %q", m.kind, m.name, m.bases)
			return false
		}
		state[m.name] = visiting
		for _, name := range after[m.name] {
			if !visit(l.byName[name]) {
				return false
			}
		}
		state[m.name] = placed
		order = append(order, n)
		return true
	}
	for _, n := range nodes {
		if !visit(n) {
			return nil
		}
	}
	return order
}
