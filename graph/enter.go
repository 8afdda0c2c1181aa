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
	w, err := b.prepare(ctx, n, b.inputs(n, func(d *Node) *cache.Record { return records[d] }))
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
