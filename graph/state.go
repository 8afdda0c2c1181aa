package graph

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dibgraph/dibgraph/cache"
)

// A Mount is one that a hook left under the image root and that later steps
// expect to find again.
type Mount = cache.Mount

// A State is what a node leaves for the next one: the build tree as an
// ordered list of layers, and the mounts to re-create on top of it. States do
// not change once made.
type State struct {
	// Layers are the digests of the tree's layers, lowest first. A node that
	// wrote nothing adds none.
	Layers []Digest
	// Makers names the node that left each of Layers. It is no part of the
	// chain.
	Makers []string
	// Mounts are re-created in order.
	Mounts []Mount
	// Mentions holds, in the marshalled form of the package that made them,
	// the variable names that something in this tree may read because a
	// hook that shaped it mentions them. It is no part of the chain.
	Mentions []string
}

// Chain returns the digest that stands for the whole state in keys: two
// states with the same chain are the same tree with the same mounts.
func (s *State) Chain() Digest {
	if s == nil {
		return DigestText("empty state\n")
	}
	var b strings.Builder
	for _, l := range s.Layers {
		fmt.Fprintf(&b, "layer %s\n", l)
	}
	for _, m := range s.Mounts {
		fmt.Fprintf(&b, "mount %q %q %q %q %t\n", m.Source, m.Point, m.FSType, m.Options, m.ReadOnly)
	}
	return DigestText(b.String())
}

// with returns the state after the step of maker left layer (zero: none), the
// given mounts and mentions.
func (s *State) with(maker string, layer Digest, mounts []Mount, mentions []string) *State {
	next := &State{Mounts: mounts, Mentions: mentions}
	if s != nil {
		next.Layers, next.Makers = slices.Clone(s.Layers), slices.Clone(s.Makers)
	}
	if !layer.IsZero() {
		next.Layers, next.Makers = append(next.Layers, layer), append(next.Makers, maker)
	}
	return next
}

// stateOf returns the state a record describes, nil if it left none.
func stateOf(r *cache.Record) *State {
	if r.Chain.IsZero() {
		return nil
	}
	return &State{Layers: r.Layers, Makers: r.Makers, Mounts: r.Mounts, Mentions: r.Mentions}
}
