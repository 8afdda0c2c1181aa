package blockdevice

import (
	"go.yaml.in/yaml/v3"
)

// A field is a key of a YAML map with its value.
type field struct {
	key   string
	line  int
	value *yaml.Node
}

// maxAliases bounds how often aliases and merges are followed in one layout, against
// documents that grow without end.
const maxAliases = 1000

// reader reads YAML nodes, and collects problems.
type reader struct {
	problems
	aliases int
}

// resolve follows an alias to what it stands for.
func (r *reader) resolve(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode && n.Alias != nil {
		if !r.follow(n.Line) {
			return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: n.Line}
		}
		n = n.Alias
	}
	return n
}

// follow counts one more alias, and reports whether that is still allowed.
func (r *reader) follow(line int) bool {
	if r.aliases++; r.aliases == maxAliases+1 {
		r.add(line, "more than %d aliases", maxAliases)
	}
	return r.aliases <= maxAliases
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// fields returns the keys of a map in the order of the file, with merged maps
// (<<) as if they were written out. Null counts as an empty map.
func (r *reader) fields(n *yaml.Node, what string) []field {
	n = r.resolve(n)
	if isNull(n) {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		r.add(n.Line, "%s must be a map, and is %s", what, kindOf(n))
		return nil
	}
	var own []field
	var merged []*yaml.Node
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Tag == "!!merge" {
			merged = append(merged, r.mergedMaps(value)...)
			continue
		}
		if key.Kind != yaml.ScalarNode {
			r.add(key.Line, "a key of %s must be a word, and is %s", what, kindOf(key))
			continue
		}
		if seen[key.Value] {
			r.add(key.Line, "%s has the key %q twice", what, key.Value)
			continue
		}
		seen[key.Value] = true
		own = append(own, field{key.Value, key.Line, r.resolve(value)})
	}
	for _, m := range merged {
		if !r.follow(n.Line) {
			return own
		}
		for _, f := range r.fields(m, what) {
			if !seen[f.key] {
				seen[f.key] = true
				own = append(own, f)
			}
		}
	}
	return own
}

// mergedMaps returns the maps that a merge key names: one, or a list of them.
func (r *reader) mergedMaps(n *yaml.Node) []*yaml.Node {
	if n = r.resolve(n); n.Kind == yaml.SequenceNode {
		return n.Content
	}
	return []*yaml.Node{n}
}

// list returns the items of a list. Null counts as an empty one.
func (r *reader) list(n *yaml.Node, what string) []*yaml.Node {
	n = r.resolve(n)
	if isNull(n) {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		r.add(n.Line, "%s must be a list, and is %s", what, kindOf(n))
		return nil
	}
	var items []*yaml.Node
	for _, item := range n.Content {
		items = append(items, r.resolve(item))
	}
	return items
}

// kindOf names a node for messages.
func kindOf(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a map"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case isNull(n):
		return "empty"
	default:
		return "the value " + n.Value
	}
}
