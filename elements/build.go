package elements

import (
	"context"
	"errors"

	"github.com/dibgraph/dibgraph/graph"
)

// Build brings the image up to date: it lays the graph out, builds it, and
// lays it out again when a phase turns out to run other hooks than assumed.
// It returns the last graph with the results in its order.
func (p *Planner) Build(ctx context.Context, b *graph.Builder) (*graph.Graph, []*graph.Result, error) {
	return p.settle(func(g *graph.Graph) ([]*graph.Result, error) { return b.Build(ctx, g) })
}

// Plan says what Build would do, as far as that can be known without running
// anything.
func (p *Planner) Plan(b *graph.Builder) (*graph.Graph, []*graph.Result, error) {
	return p.settle(b.Plan)
}

// settle repeats do on a new graph until no node finds anything new. Each
// round settles at least one phase for good, since nodes before it hit.
func (p *Planner) settle(do func(*graph.Graph) ([]*graph.Result, error)) (*graph.Graph, []*graph.Result, error) {
	for {
		g, err := p.Graph()
		if err != nil {
			return nil, nil, err
		}
		results, err := do(g)
		found, again := errors.AsType[*Found](err)
		if !again {
			return g, results, err
		}
		p.Learn(found)
	}
}
