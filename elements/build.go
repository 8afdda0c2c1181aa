package elements

import (
	"context"
	"errors"
	"fmt"

	"github.com/dibgraph/dibgraph/graph"
)

// Build brings the image up to date: it lays the graph out, builds it, and
// lays it out again when a phase turns out to run other hooks than assumed.
// It returns the last graph with the results in its order.
func (p *Planner) Build(ctx context.Context, b *graph.Builder) (*graph.Graph, []*graph.Result, error) {
	return p.settle(func(g *graph.Graph) ([]*graph.Result, error) {
		if p.mirrors != nil {
			p.mirrors.expect(func() []string { return tokensUsed(b.Store, g) })
		}
		return b.Build(ctx, g)
	})
}

// Plan says what Build would do, as far as that can be known without running
// anything.
func (p *Planner) Plan(b *graph.Builder) (*graph.Graph, []*graph.Result, error) {
	return p.settle(b.Plan)
}

// settle repeats do on a new graph until no node finds anything new. Each
// round settles at least one phase for good, since nodes before it hit.
func (p *Planner) settle(do func(*graph.Graph) ([]*graph.Result, error)) (*graph.Graph, []*graph.Result, error) {
	for range maxRounds {
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
	return nil, nil, fmt.Errorf("lay out %s: what its phases run did not settle in %d rounds", p.image.Definition.Name, maxRounds)
}

// maxRounds is far beyond what any image takes: there are ten phases.
const maxRounds = 50
