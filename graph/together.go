package graph

import (
	"fmt"
	"slices"

	"github.com/dibgraph/dibgraph/cache"
)

// Together takes into account that planned images are built together, the
// earlier ones first: what one of them runs need not run for the others. A node
// that is the same as one of an earlier image, as far as is known before that has
// run, becomes [Maybe], With that one. Of what was never built little is known:
// there, what has the same name and origin after the same nodes can be the same.
func Together(plans ...[]*Result) {
	t := together{same: make(map[*Node]*Node), keys: make(map[cache.Key]*Node), names: make(map[string][]*Node)}
	for _, plan := range plans {
		for _, r := range plan {
			t.take(r)
		}
	}
}

type together struct {
	same  map[*Node]*Node     // the first node that each may be the same as, which can be itself
	keys  map[cache.Key]*Node // first nodes, by the record they hit or their static key
	names map[string][]*Node  // first nodes of which no key is known
}

func (t *together) take(r *Result) {
	first := t.first(r)
	t.same[r.Node] = first
	if r.Status != Run || first.Image == r.Node.Image {
		return
	}
	r.Status = Maybe
	if !r.Static.IsZero() {
		r.With = first
	}
	r.Reasons = []cache.Reason{{
		Kind: cache.ReasonWaits, Detail: fmt.Sprintf("runs if it is not the same as %s of %s, which runs first", first.Name, first.Image),
	}}
}

// first returns the first node that the one of r may be the same as.
func (t *together) first(r *Result) *Node {
	key := r.Static
	if r.Status == Hit {
		key = r.Record.Key
	}
	if !key.IsZero() {
		if t.keys[key] == nil {
			t.keys[key] = r.Node
		}
		return t.keys[key]
	}
	for _, n := range t.names[r.Node.Name] {
		if n.Origin == r.Node.Origin && slices.Equal(t.before(n), t.before(r.Node)) {
			return n
		}
	}
	t.names[r.Node.Name] = append(t.names[r.Node.Name], r.Node)
	return r.Node
}

// before returns what a node depends on, as the first nodes that may be the same.
func (t *together) before(n *Node) []*Node {
	var all []*Node
	for _, d := range n.dependencies() {
		all = append(all, t.same[d])
	}
	return all
}
