package graph

import (
	"fmt"

	"github.com/dibgraph/dibgraph/cache"
)

// Together takes into account that planned images are built together, the
// earlier ones first: what one of them runs need not run for the others. A node
// that is the same as one of an earlier image, as far as is known before that
// has run, becomes [Maybe], With that one.
func Together(plans ...[]*Result) {
	first := make(map[cache.Key]*Node)  // that runs, by static key
	unknown := make(map[string]*Result) // the first of a name without a key
	for _, plan := range plans {
		shared := make(map[*Node]bool)
		for _, r := range plan {
			if r.Status != Run {
				continue
			}
			var other *Node
			if !r.Static.IsZero() {
				other = first[r.Static]
				if other == nil {
					first[r.Static] = r.Node
				}
			} else if o := unknown[r.Node.Name]; o == nil {
				unknown[r.Node.Name] = r
			} else if o.Node.Origin == r.Node.Origin && allShared(r.Node, shared) {
				other = o.Node
			}
			if other == nil || other.Image == r.Node.Image {
				continue
			}
			shared[r.Node] = true
			r.Status, r.With = Maybe, other
			r.Reasons = []cache.Reason{{Kind: cache.ReasonWaits, Detail: fmt.Sprintf("runs if %s of %s leaves nothing that is good for both", other.Name, other.Image)}}
		}
	}
}

// allShared reports whether a node depends on something, and only on what may be
// the same as in another image.
func allShared(n *Node, shared map[*Node]bool) bool {
	deps := n.dependencies()
	for _, d := range deps {
		if !shared[d] {
			return false
		}
	}
	return len(deps) > 0
}
