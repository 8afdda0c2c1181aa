package graph

import (
	"errors"

	"github.com/dibgraph/dibgraph/cache"
)

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
			err := n.Check(func(output string) ([]byte, error) { return in.Read(n, output) })
			if err != nil && !remade(err, results) {
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
			r.Reasons = []cache.Reason{withoutResult(d)}
			return r, nil
		}
		if open == nil && results[d].Status != Hit {
			open = d
		}
	}
	v, err := a.judge(n, func(d *Node) *cache.Record { return results[d].Record })
	if remade(err, results) {
		unread, _ := errors.AsType[*unreadable](err)
		return a.unjudged(n, unread.node), nil
	}
	if err != nil {
		return nil, err
	}
	r.Static, r.Record, r.Reasons, r.Last = v.key, v.record, v.reasons, v.lastKey()
	switch {
	case v.hit() && open == nil:
		r.Status = Hit
	case v.hit():
		r.Status = Maybe
		r.Reasons = []cache.Reason{dependsOn(open)}
	default:
		r.Status = Run
		r.Record = v.last
	}
	if r.Record != nil {
		r.State = stateOf(r.Record)
	}
	return r, nil
}

func withoutResult(d *Node) cache.Reason {
	return cache.Reason{Kind: cache.ReasonNeverBuilt, Cause: d.Name, Detail: "waits for " + d.Name + ", which has no result here"}
}

func dependsOn(d *Node) cache.Reason {
	return cache.Reason{Kind: cache.ReasonWaits, Cause: d.Name, Detail: "runs if " + d.Name + " leaves something else than last time"}
}

// remade reports whether an error is that an output is gone or damaged, which a
// look at its size may not have shown. A build that meets it runs the node again.
func remade(err error, results map[*Node]*Result) bool {
	unread, ok := errors.AsType[*unreadable](err)
	if !ok || !errors.Is(err, cache.ErrMissing) {
		return false
	}
	if r := results[unread.node]; r.Status == Hit {
		kind := cache.ReasonMissing
		if errors.Is(err, cache.ErrDamaged) {
			kind = cache.ReasonDamaged
		}
		r.Status, r.Reasons = Run, []cache.Reason{{Kind: kind, Detail: unread.Error()}}
	}
	return true
}

// unjudged is the forecast of a node that cannot be judged before d ran again.
func (a *ahead) unjudged(n, d *Node) *Result {
	last := a.assumed(n)
	if last == nil {
		return &Result{Node: n, Status: Run, Reasons: []cache.Reason{withoutResult(d)}}
	}
	return &Result{Node: n, Status: Maybe, Record: last, State: stateOf(last), Last: last.Key, Reasons: []cache.Reason{dependsOn(d)}}
}
