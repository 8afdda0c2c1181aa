package graph

import "fmt"

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
	d, err := newDAG(g)
	if err != nil {
		return nil, err
	}
	return d.order()
}
