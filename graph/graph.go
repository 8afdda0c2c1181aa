package graph

import (
	"container/heap"
	"fmt"
	"strings"
)

// A Graph is a set of nodes and what they depend on. Build it with Add, then
// hand it to a [Builder]. It is not safe for concurrent use while it is built.
type Graph struct {
	nodes []*Node
	byID  map[string]*Node
}

// Add puts nodes into the graph. What a node depends on must be added too,
// before it or after it; [Graph.Order] reports what is missing.
func (g *Graph) Add(nodes ...*Node) error {
	if g.byID == nil {
		g.byID = make(map[string]*Node)
	}
	for _, n := range nodes {
		if g.byID[n.ID()] != nil {
			return fmt.Errorf("graph: two nodes are called %q", n.ID())
		}
		g.byID[n.ID()] = n
		g.nodes = append(g.nodes, n)
	}
	return nil
}

// Node returns the node of that image and name, nil if there is none.
func (g *Graph) Node(image, name string) *Node { return g.byID[image+"/"+name] }

// Nodes returns all nodes in the order they were added.
func (g *Graph) Nodes() []*Node { return g.nodes }

// Order returns the nodes so that each comes after everything it depends on,
// nodes added earlier first where that leaves a choice. The error names the
// cycle, or the dependency that was never added.
func (g *Graph) Order() ([]*Node, error) {
	s := newSchedule(g.nodes)
	order := make([]*Node, 0, len(g.nodes))
	for s.ready.Len() > 0 {
		i := heap.Pop(&s.ready).(int)
		order = append(order, g.nodes[i])
		s.release(i)
	}
	if len(order) < len(g.nodes) {
		return nil, g.disorder()
	}
	return order, nil
}

// disorder says why nodes wait for each other for ever.
func (g *Graph) disorder() error {
	d, err := newDAG(g)
	if err != nil {
		return err
	}
	return fmt.Errorf("graph: cycle: %s", strings.Join(d.cycle(), " -> "))
}
