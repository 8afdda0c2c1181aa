package graph

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	dag "github.com/dominikbraun/graph"
	"github.com/dominikbraun/graph/draw"
)

// structure is the graph in the form of the library that names cycles and
// draws it. This file is the only one that knows that library.
type structure struct {
	graph dag.Graph[string, *Node]
	index map[string]int // position in the order nodes were added
}

func newDAG(g *Graph) (*structure, error) {
	// PreventCycles would search at every edge; Order finds a cycle once.
	s := &structure{
		graph: dag.New((*Node).ID, dag.Directed()),
		index: make(map[string]int, len(g.nodes)),
	}
	for i, n := range g.nodes {
		s.index[n.ID()] = i
		if err := s.graph.AddVertex(n); err != nil {
			return nil, fmt.Errorf("graph: add %s: %w", n.ID(), err)
		}
	}
	for _, n := range g.nodes {
		for _, d := range n.dependencies() {
			if g.byID[d.ID()] != d {
				return nil, fmt.Errorf("graph: %s depends on %s, which is not in the graph", n.ID(), d.ID())
			}
			if err := s.graph.AddEdge(d.ID(), n.ID()); err != nil && !errors.Is(err, dag.ErrEdgeAlreadyExists) {
				return nil, fmt.Errorf("graph: connect %s to %s: %w", d.ID(), n.ID(), err)
			}
		}
	}
	return s, nil
}

// cycle returns the names along one cycle, the first one repeated at the end.
func (s *structure) cycle() []string {
	groups, err := dag.StronglyConnectedComponents(s.graph)
	if err != nil {
		return nil
	}
	next, err := s.graph.AdjacencyMap()
	if err != nil {
		return nil
	}
	for _, group := range groups {
		inside := make(map[string]bool, len(group))
		for _, id := range group {
			inside[id] = true
		}
		if _, self := next[group[0]][group[0]]; len(group) == 1 && !self {
			continue
		}
		return walkCycle(s.lowest(group), next, inside)
	}
	return nil
}

func (s *structure) lowest(ids []string) string {
	low := ids[0]
	for _, id := range ids {
		if s.index[id] < s.index[low] {
			low = id
		}
	}
	return low
}

// walkCycle finds a way from start back to start inside one strongly
// connected component, by breadth, so that it is a shortest one.
func walkCycle(start string, next map[string]map[string]dag.Edge[string], inside map[string]bool) []string {
	from := map[string]string{}
	queue := []string{start}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, to := range slices.Sorted(maps.Keys(next[at])) {
			if to == start {
				path := []string{start}
				for n := at; n != start; n = from[n] {
					path = append([]string{n}, path...)
				}
				return append([]string{start}, path...)
			}
			if _, seen := from[to]; inside[to] && !seen {
				from[to] = at
				queue = append(queue, to)
			}
		}
	}
	return nil
}

// WriteDOT writes the graph in the DOT language. The attributes of a node are
// what attrs returns for it. A node in same is drawn as the one it maps to.
func (g *Graph) WriteDOT(w io.Writer, same map[*Node]*Node, attrs func(*Node) map[string]string) error {
	drawn := func(n *Node) *Node {
		for same[n] != nil {
			n = same[n]
		}
		return n
	}
	out := dag.New((*Node).ID, dag.Directed())
	for _, n := range g.nodes {
		if drawn(n) != n {
			continue
		}
		if err := out.AddVertex(n, dag.VertexAttributes(attrs(n))); err != nil {
			return fmt.Errorf("graph: draw %s: %w", n.ID(), err)
		}
	}
	for _, n := range g.nodes {
		for _, d := range n.dependencies() {
			if err := out.AddEdge(drawn(d).ID(), drawn(n).ID()); err != nil && !errors.Is(err, dag.ErrEdgeAlreadyExists) {
				return fmt.Errorf("graph: draw %s -> %s: %w", d.ID(), n.ID(), err)
			}
		}
	}
	return draw.DOT(out, w, draw.GraphAttribute("rankdir", "LR"))
}
