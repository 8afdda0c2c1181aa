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

// A Stack is the lower part of a state, which it shares with others.
type Stack = cache.Stack

// A State is what a node leaves for the next one: the build tree as an
// ordered list of layers, and the mounts to re-create on top of it. States do
// not change once made.
type State struct {
	// Below has the lower layers, with their makers and mentions; nil is none.
	Below *Stack
	// Layers are the digests of the tree's layers on top of those of Below,
	// lowest first. A node that wrote nothing adds none.
	Layers []Digest
	// Makers names the node that left each of Layers. It is no part of the
	// chain.
	Makers []string
	// Mounts are re-created in order.
	Mounts []Mount
	// Mentions holds, in the marshalled form of the package that made them,
	// the variable names that something in this tree may read because a
	// hook that shaped it mentions them, besides those of Below. It is no
	// part of the chain.
	Mentions []string
}

// The number of layers, or of mentions, above which a state becomes a stack for
// the states after it. What is above the stack is repeated in every record, so
// that few have to be read to know a state, and is what it costs to read one.
const (
	maxAbove         = 32
	maxAboveMentions = 96
)

// Chain returns the digest that stands for the whole state in keys: two
// states with the same chain are the same tree with the same mounts.
func (s *State) Chain() Digest {
	if s == nil {
		return DigestText("empty state\n")
	}
	var b strings.Builder
	var sum Digest
	if s.Below != nil {
		sum = s.Below.Sum
	}
	fmt.Fprintf(&b, "layers %s\n", cache.SumLayers(sum, s.Layers))
	for _, m := range s.Mounts {
		fmt.Fprintf(&b, "mount %q %q %q %q %t\n", m.Source, m.Point, m.FSType, m.Options, m.ReadOnly)
	}
	return DigestText(b.String())
}

// with returns the state after the step of maker left layer (zero: none), the
// given mounts, and mentions besides those that there are.
func (s *State) with(maker string, layer Digest, mounts []Mount, mentions []string) *State {
	next := &State{Mounts: mounts, Mentions: slices.Clone(mentions)}
	if s != nil {
		next.Below = s.Below
		next.Layers, next.Makers = slices.Clone(s.Layers), slices.Clone(s.Makers)
		next.Mentions = append(next.Mentions, s.Mentions...)
	}
	if !layer.IsZero() {
		next.Layers, next.Makers = append(next.Layers, layer), append(next.Makers, maker)
	}
	slices.Sort(next.Mentions)
	next.Mentions = slices.Compact(next.Mentions)
	return next
}

// settle returns the state with what is above its stack made part of it, if
// that is much.
func (b *Builder) settle(s *State) (*State, error) {
	if len(s.Layers) <= maxAbove && len(s.Mentions) <= maxAboveMentions {
		return s, nil
	}
	below, err := b.Store.PutStack(s.Below, s.Layers, s.Makers, s.Mentions)
	if err != nil {
		return nil, err
	}
	return &State{Below: below, Mounts: s.Mounts}, nil
}

// Tree returns all layers of the state, lowest first, and who made them. Those
// of a stack, and of all below it, are left out; nil leaves nothing out.
func (s *State) Tree(above *Stack) (layers []Digest, makers []string) {
	if s == nil {
		return nil, nil
	}
	var stacks []*Stack
	for k := s.Below; k != above && k != nil; k = k.Below {
		stacks = append(stacks, k)
	}
	for _, k := range slices.Backward(stacks) {
		layers, makers = append(layers, k.Layers...), append(makers, k.Makers...)
	}
	return append(layers, s.Layers...), append(makers, s.Makers...)
}

// shared returns the highest stack that both states have, nil if there is none.
func (s *State) shared(o *State) *Stack {
	have := make(map[*Stack]bool)
	for k := s.Below; k != nil; k = k.Below {
		have[k] = true
	}
	for k := o.Below; k != nil; k = k.Below {
		if have[k] {
			return k
		}
	}
	return nil
}

// stateOf returns the state a record describes, nil if it left none.
func stateOf(r *cache.Record) *State {
	if r.Chain.IsZero() {
		return nil
	}
	return &State{Below: r.Below, Layers: r.Layers, Makers: r.Makers, Mounts: r.Mounts, Mentions: r.Mentions}
}
