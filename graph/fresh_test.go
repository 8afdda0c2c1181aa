package graph

import (
	"context"
	"testing"

	"github.com/dibgraph/dibgraph/cache"
)

// A finder is a fake that meets another value of an ambient input than the one
// that is there when it has ended.
type finder struct {
	*fake
	met string
}

func (f *finder) Observe(d *Description, name string, _ *Inputs) error {
	f.world.mu.Lock()
	defer f.world.mu.Unlock()
	d.Add(name, "%s", f.world.ambient[name])
	return nil
}

func (f *finder) Run(ctx context.Context, w *Work) error {
	err := f.fake.Run(ctx, w)
	if f.met != "" {
		w.Found = map[string]string{"mirror": f.met}
	}
	return err
}

// What a run met is recorded, not what has become of it since.
func TestFoundValueIsRecorded(t *testing.T) {
	b := newBench(t)
	n := b.add("a")
	f := &finder{fake: n.Action.(*fake), met: "old"}
	n.Action = f
	b.world.text["a"], b.world.ambient["mirror"] = "@mirror", "new"
	b.mustRun("a")
	f.met = ""
	reasons := reasonsOf(b.mustRun("a"), "a")
	if len(reasons) != 1 || reasons[0].Input != "mirror" || reasons[0].Old != "old" || reasons[0].New != "new" {
		t.Errorf("reasons %+v, want that mirror changed from old to new", reasons)
	}
	b.mustRun()
	b.world.ambient["mirror"] = "old"
	b.mustRun() // what was met first is a hit again
}

func TestExpiredRunsAgain(t *testing.T) {
	b := newBench(t)
	a := b.add("a")
	b.add("c", a)
	first := b.mustRun("a", "c")
	old := first[0].Record.Started
	b.expired = func(n *Node, r *cache.Record) (string, bool) {
		return "too old", n.Name == "a" && r.Started.Equal(old)
	}
	plan, err := (&Builder{Store: b.store, Expired: b.expired}).Plan(b.graph)
	if err != nil || plan[0].Status != Run || plan[1].Status != Maybe {
		t.Errorf("plan: %s and %s, %v, want run and maybe", plan[0].Status, plan[1].Status, err)
	}
	reasons := reasonsOf(b.mustRun("a"), "a")
	if len(reasons) != 1 || reasons[0].Kind != cache.ReasonExpired || reasons[0].Detail != "too old" {
		t.Errorf("reasons %+v, want that it expired", reasons)
	}
	b.mustRun() // the new record is not too old
}
