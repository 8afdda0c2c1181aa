package graph

import (
	"context"
	"fmt"

	"github.com/dibgraph/dibgraph/cache"
)

// Enter prepares what n would be given to run, on the results that the nodes
// it depends on had last, and calls do with it. What do leaves is thrown away.
func (b *Builder) Enter(ctx context.Context, n *Node, do func(*Work) error) (err error) {
	records := make(map[*Node]*cache.Record)
	for _, d := range n.dependencies() {
		if records[d], err = b.Store.Last(d.Image, d.Name); err != nil {
			return fmt.Errorf("enter %s: %s has no result: %w", n.Name, d.Name, err)
		}
	}
	return b.visit(ctx, n, b.inputs(n, func(d *Node) *cache.Record { return records[d] }), do)
}

// Revisit calls do with what a run on a recorded state would be given, which is
// an empty tree for nil. The node, of which only the names are known, need not
// be one any more. What do leaves is thrown away.
func (b *Builder) Revisit(ctx context.Context, image, name string, left *cache.Record, do func(*Work) error) error {
	in := &Inputs{store: b.Store}
	if left != nil {
		in.Parent = stateOf(left)
	}
	return b.visit(ctx, &Node{Image: image, Name: name}, in, do)
}

func (b *Builder) visit(ctx context.Context, n *Node, in *Inputs, do func(*Work) error) (err error) {
	w, err := b.prepare(ctx, n, in)
	if err != nil {
		return err
	}
	defer func() {
		if dropErr := b.drop(w); err == nil {
			err = dropErr
		}
	}()
	return do(w)
}
