package strictyaml

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// maxResolved is how many values a file may have once its aliases are written
// out: more than any person writes, and few enough to be read at once.
const maxResolved = 200_000

// Resolve returns a value in which aliases are replaced by what they stand for,
// and merge keys ("<<") by the keys of the maps that they name: those beside
// them win, then those of earlier maps. It is nil if that cannot be done.
func (r *Reader) Resolve(n *yaml.Node) *yaml.Node {
	v := resolver{Reader: r, left: maxResolved}
	resolved := v.resolve(n)
	if v.left < 0 {
		r.Problem(n.Line, "", "is more than %d values with its aliases written out", maxResolved)
		return nil
	}
	return resolved
}

type resolver struct {
	*Reader
	left int
	open []*yaml.Node // anchors that are being written out
}

func (r *resolver) resolve(n *yaml.Node) *yaml.Node {
	if r.left--; r.left < 0 {
		return n
	}
	switch n.Kind {
	case yaml.AliasNode:
		if slices.Contains(r.open, n.Alias) {
			r.Problem(n.Line, "", "the alias *%s is part of what it stands for", n.Value)
			return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: n.Line}
		}
		r.open = append(r.open, n.Alias)
		resolved := r.resolve(n.Alias)
		r.open = r.open[:len(r.open)-1]
		return resolved
	case yaml.MappingNode:
		return r.mapping(n)
	case yaml.SequenceNode:
		list := *n
		list.Content = nil
		for _, item := range n.Content {
			list.Content = append(list.Content, r.resolve(item))
		}
		return &list
	}
	return n
}

func (r *resolver) mapping(n *yaml.Node) *yaml.Node {
	resolved := *n
	resolved.Content = nil
	have := make(map[string]bool)
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], r.resolve(n.Content[i+1])
		if key.Tag == "!!merge" {
			merged = append(merged, r.merged(value)...)
			continue
		}
		have[key.Value] = true
		resolved.Content = append(resolved.Content, key, value)
	}
	for _, m := range merged {
		for i := 0; i+1 < len(m.Content); i += 2 {
			if key := m.Content[i]; !have[key.Value] {
				have[key.Value] = true
				resolved.Content = append(resolved.Content, key, m.Content[i+1])
			}
		}
	}
	return &resolved
}

// merged returns the maps that the value of a merge key is made of.
func (r *resolver) merged(value *yaml.Node) []*yaml.Node {
	maps := []*yaml.Node{value}
	if value.Kind == yaml.SequenceNode {
		maps = value.Content
	}
	for _, m := range maps {
		if m.Kind != yaml.MappingNode {
			r.Problem(m.Line, "", "<< merges a map or a list of maps, and this is %s", Kind(m))
			return nil
		}
	}
	return maps
}
