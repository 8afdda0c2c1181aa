package graph

import "github.com/dibgraph/dibgraph/cache"

// Plan says for every node of g, in order, whether a build would run it and
// why. It runs nothing and changes nothing.
//
// Below a node that would run, keys are not known yet. Such a node is judged
// as if what it depends on left the same as last time: [Maybe] if it would
// then hit, [Run] if it would have to run even then.
func (b *Builder) Plan(g *Graph) ([]*Result, error) {
	order, err := g.Order()
	if err != nil {
		return nil, err
	}
	ahead := b.workAhead(order)
	defer ahead.stop()
	results := make(map[*Node]*Result, len(order))
	list := make([]*Result, len(order))
	for i, n := range order {
		r, err := forecast(n, results, ahead)
		if err != nil {
			return nil, err
		}
		results[n], list[i] = r, r
		if r.Status == Hit && n.Check != nil {
			in := &Inputs{records: map[*Node]*cache.Record{n: r.Record}, store: b.Store}
			if err := n.Check(func(output string) ([]byte, error) { return in.Read(n, output) }); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}

// forecast judges n on what is known, or assumed, of its dependencies. The
// Record of a node that would run is the one it last used, if any.
func forecast(n *Node, results map[*Node]*Result, a *ahead) (*Result, error) {
	r := &Result{Node: n}
	var open *Node // a dependency whose result is only assumed
	for _, d := range n.dependencies() {
		if results[d].Record == nil {
			r.Status = Run
			r.Reasons = []cache.Reason{{Kind: cache.ReasonNeverBuilt, Cause: d.Name, Detail: "waits for " + d.Name + ", which has no result here"}}
			return r, nil
		}
		if open == nil && results[d].Status != Hit {
			open = d
		}
	}
	v, err := a.judge(n, func(d *Node) *cache.Record { return results[d].Record })
	if err != nil {
		return nil, err
	}
	r.Static, r.Record, r.Reasons, r.Last = v.key, v.record, v.reasons, v.lastKey()
	switch {
	case v.hit() && open == nil:
		r.Status = Hit
	case v.hit():
		r.Status = Maybe
		r.Reasons = []cache.Reason{{Kind: cache.ReasonWaits, Cause: open.Name, Detail: "runs if " + open.Name + " leaves something else than last time"}}
	default:
		r.Status = Run
		r.Record = v.last
	}
	if r.Record != nil {
		r.State = stateOf(r.Record)
	}
	return r, nil
}
