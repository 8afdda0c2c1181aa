package blockdevice

import (
	"go.yaml.in/yaml/v3"
)

// An item is one use of a module, after nested ones have been lifted out of
// what they were written in.
type item struct {
	module string // a module name, or "partition", "pv", "vg", "lv"
	line   int
	name   string
	bases  []string
	values map[string]*yaml.Node
	table  *item           // of a partition
	lists  map[string]bool // which of the lists in parts it has
}

// modules are the words that begin an item, at the top or nested.
var modules = map[string]bool{
	"local_loop": true, "partitioning": true, "lvm": true, "mkfs": true, "mount": true, "fstab": true,
}

// parts are the lists in a module whose members are nodes of their own, with
// the module name of a member.
var parts = map[string]map[string]string{
	"partitioning": {"partitions": "partition"},
	"lvm":          {"pvs": "pv", "vgs": "vg", "lvs": "lv"},
}

// maxDepth is far beyond any use: loop, partition, filesystem, mount, fstab.
const maxDepth = 50

// lift turns the document, in tree or flat notation or a mixture, into a flat list.
func (r *reader) lift(document *yaml.Node) []*item {
	var items []*item
	for _, n := range r.list(document, "the layout") {
		fields := r.fields(n, "an item of the layout")
		if len(fields) != 1 {
			r.add(n.Line, "an item of the layout must have one key, the name of a module, and has %d", len(fields))
			continue
		}
		f := fields[0]
		if !modules[f.key] {
			r.add(f.line, "unknown module %q; modules are local_loop, partitioning, lvm, mkfs, mount, fstab", f.key)
			continue
		}
		items = r.liftItem(items, &item{module: f.key, line: f.line}, f.value, 0)
	}
	return items
}

// liftItem appends an item with the given body, and after it what is nested in
// it. The item may already have the base it was nested in.
func (r *reader) liftItem(items []*item, it *item, body *yaml.Node, depth int) []*item {
	if depth > maxDepth {
		r.add(it.line, "modules are nested more than %d deep", maxDepth)
		return items
	}
	it.values, it.lists = map[string]*yaml.Node{}, map[string]bool{}
	var nested, members []field
	for _, f := range r.fields(body, it.module) {
		switch {
		case modules[f.key]:
			nested = append(nested, f)
		case parts[it.module][f.key] != "":
			members = append(members, f)
			it.lists[f.key] = !isNull(f.value)
		default:
			it.values[f.key] = f.value
		}
	}
	if !r.identify(it) {
		return items
	}
	items = append(items, it)
	for _, f := range members {
		for _, n := range r.list(f.value, f.key) {
			member := &item{module: parts[it.module][f.key], line: n.Line}
			if member.module == "partition" {
				member.table, member.bases = it, it.bases
			}
			items = r.liftItem(items, member, n, depth+1)
		}
	}
	for _, f := range nested {
		items = r.liftItem(items, &item{module: f.key, line: f.line, bases: []string{it.name}}, f.value, depth+1)
	}
	return items
}

// identify sets name and bases of an item from its keys, or from where it is
// written.
func (r *reader) identify(it *item) bool {
	// A partition is on the disk of its table, whatever it says.
	if base, ok := it.values["base"]; ok && !isNull(base) && it.table == nil {
		it.bases = r.words(base, it.module+" base")
		delete(it.values, "base")
	}
	if name, ok := it.values["name"]; ok && !isNull(name) {
		it.name = r.word(name, it.module+" name")
		delete(it.values, "name")
	}
	switch {
	case it.name != "":
		return true
	case it.table != nil || it.module == "lvm" || it.module == "pv" || it.module == "vg" || it.module == "lv":
		r.add(it.line, "a %s needs a name", it.module)
		return false
	case len(it.bases) == 0:
		r.add(it.line, "%s has neither a name nor a base", it.module)
		return false
	}
	it.name = it.module + "_" + it.bases[0]
	return true
}

// word returns a single value as it is written, whatever YAML takes it for.
func (r *reader) word(n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode {
		r.add(n.Line, "%s must be a single value, and is %s", what, kindOf(n))
		return ""
	}
	if isNull(n) {
		return ""
	}
	return n.Value
}

// words returns a list of values; one value counts as a list of one.
func (r *reader) words(n *yaml.Node, what string) []string {
	if n.Kind == yaml.ScalarNode {
		if isNull(n) {
			return nil
		}
		return []string{n.Value}
	}
	var all []string
	for _, item := range r.list(n, what) {
		all = append(all, r.word(item, what))
	}
	return all
}
