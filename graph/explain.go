package graph

import (
	"slices"

	"github.com/dibgraph/dibgraph/cache"
)

// A Hop is one step on the way from a cause to what it made run: Node differs
// because of Reason, whose cause is the node of the hop before.
type Hop struct {
	Node   string       `json:"node"`
	Reason cache.Reason `json:"reason"`
}

// A Cause is an input that differs and that no other node made.
type Cause struct {
	// Node is where it is an input.
	Node   string       `json:"node"`
	Reason cache.Reason `json:"reason"`
	// Path leads from Node, which is not in it, to the node explained; it is
	// empty for a cause at that node itself.
	Path []Hop `json:"path,omitempty"`
}

// An Explanation says why one node of a build ran, would run, or has another
// result than last time.
type Explanation struct {
	cache.BuildNode
	// Causes are all first causes, the earliest in the build first.
	Causes []Cause `json:"causes,omitempty"`
}

// An Explainer finds first causes in what builds recorded. It changes nothing.
type Explainer struct {
	// Build is the build to explain: a past one, or one that is only planned.
	Build *cache.Build
	// Earlier returns the build of the same image before one of that id (the
	// last one for the empty id), nil if there is none. What made a result
	// differ can be in it: a build that failed has run its first nodes. A nil
	// function is no earlier build.
	Earlier func(id string) *cache.Build

	nodes    map[string]cache.BuildNode
	position map[string]int
}

// Explain explains every node of the build, in its order.
func (e *Explainer) Explain() []Explanation {
	e.nodes, e.position = make(map[string]cache.BuildNode), make(map[string]int)
	for i, n := range e.Build.Nodes {
		e.nodes[n.Name], e.position[n.Name] = n, i
	}
	all := make([]Explanation, 0, len(e.Build.Nodes))
	for _, n := range e.Build.Nodes {
		all = append(all, Explanation{BuildNode: n, Causes: e.causes(n.Name)})
	}
	return all
}

// A step is a node on the way back from the node explained.
type step struct {
	node string
	hop  Hop   // to the node of next
	next *step // nil at the node explained
}

// path returns the way from the step to the node explained.
func (s *step) path() []Hop {
	var path []Hop
	for ; s.next != nil; s = s.next {
		path = append(path, s.hop)
	}
	return path
}

// causes walks from a node to what made it differ, by breadth so that the path
// shown is a shortest one.
func (e *Explainer) causes(name string) []Cause {
	var found []Cause
	seen := map[string]bool{name: true}
	for queue := []*step{{node: name}}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		reasons := e.reasons(at.node)
		if len(reasons) == 0 && at.next != nil {
			found = append(found, e.unexplained(at.node, at.path()))
		}
		for _, r := range reasons {
			switch {
			case r.Cause == "" || r.Cause == at.node:
				found = append(found, Cause{Node: at.node, Reason: r, Path: at.path()})
			case !seen[r.Cause]:
				seen[r.Cause] = true
				queue = append(queue, &step{node: r.Cause, hop: Hop{Node: at.node, Reason: r}, next: at})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b Cause) int { return e.position[a.Node] - e.position[b.Node] })
	return found
}

// reasons returns why a node differs: in this build, or else in the last one
// before it in which it did.
func (e *Explainer) reasons(name string) []cache.Reason {
	n, ok := e.nodes[name]
	if !ok || len(n.Reasons) > 0 || e.Earlier == nil {
		return n.Reasons
	}
	for b := e.Earlier(e.Build.ID); b != nil; b = e.Earlier(b.ID) {
		for _, earlier := range b.Nodes {
			if earlier.Name == name && len(earlier.Reasons) > 0 && earlier.Key == n.Key {
				return earlier.Reasons
			}
		}
		if b.Outcome == OutcomeDone {
			break // what comes after it starts from that
		}
	}
	return nil
}

// The words of [cache.Build.Outcome].
const (
	OutcomeDone        = "done"
	OutcomeFailed      = "failed"
	OutcomeInterrupted = "interrupted"
	// OutcomePlanned is that of a build that did not take place.
	OutcomePlanned = "planned"
	// OutcomeCompared is that of the difference between two builds.
	OutcomeCompared = "compared"
)

// unexplained is the end of a way whose beginning nobody recorded: the node is
// no longer part of the image, or the build in which it changed is forgotten.
func (e *Explainer) unexplained(name string, path []Hop) Cause {
	c := Cause{Node: name, Path: path}
	if _, ok := e.nodes[name]; !ok {
		c.Reason = cache.Reason{Kind: cache.ReasonRemoved, Detail: name + " is no longer part of the image"}
		return c
	}
	c.Reason = cache.Reason{Kind: cache.ReasonChanged, Detail: name + " has another result than the one used before; the build that made it is no longer recorded"}
	return c
}
