package graph

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/dibgraph/dibgraph/cache"
)

// readOnly opens the store of a bench as a plan does.
func (b *bench) readOnly() *cache.Store {
	b.t.Helper()
	store, err := cache.Open(b.store.Dir(), cache.Options{ReadOnly: true})
	if err != nil {
		b.t.Fatal(err)
	}
	return store
}

// planInOrder plans like [Builder.Plan], but judges nothing ahead.
func planInOrder(b *Builder, g *Graph) ([]*Result, error) {
	order, err := g.Order()
	if err != nil {
		return nil, err
	}
	a := b.workAhead(order)
	a.group.Wait()
	for i := range a.nodes {
		a.nodes[i].ok = false
	}
	var list []*Result
	results := make(map[*Node]*Result)
	for _, n := range order {
		r, err := forecast(n, results, a)
		if err != nil {
			return nil, err
		}
		results[n], list = r, append(list, r)
	}
	return list, nil
}

// A node whose dependency hits another record than it used last is judged by that
// one, whatever was judged ahead.
func TestPlanJudgesByTheRecordOfNow(t *testing.T) {
	b := newBench(t)
	b.add("c", b.add("a"))
	b.world.text["a"] = "first"
	first := b.mustRun("a", "c")
	b.world.text["a"] = "second"
	b.mustRun("a", "c")
	b.world.text["a"] = "first"
	plan, err := (&Builder{Store: b.readOnly()}).Plan(b.graph)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range plan {
		if r.Status != Hit || r.Record.Key != first[i].Record.Key {
			t.Errorf("%s: %s with record %s, want a hit of %s", r.Node.Name, r.Status, r.Record.Key.Short(), first[i].Record.Key.Short())
		}
	}
	b.world.text["a"] = "third"
	b.mustRun("a", "c")
	// What a left last is not what it is going to have left: c would run.
	b.world.text["a"] = "first"
	key := first[1].Record.Key.String()
	b.lose(filepath.Join(b.store.Dir(), "records", key[:2], key))
	plan, err = (&Builder{Store: b.readOnly()}).Plan(b.graph)
	if err != nil || plan[0].Status != Hit || plan[1].Status != Run {
		t.Errorf("plan %s and %s, %v, want hit and run", plan[0].Status, plan[1].Status, err)
	}
}

// A plan that judges ahead says what one says that judges node by node, whatever
// was edited, and whatever the store has lost, since builds.
func TestPlanAheadEqualsInOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newBench(t)
		drawGraph(rt, b)
		edit := func() {
			for range rapid.IntRange(0, 3).Draw(rt, "edits") {
				n := rapid.SampledFrom(b.nodes).Draw(rt, "node")
				b.world.text[n.Name] = rapid.SampledFrom([]string{"a", "A", "b @x", "B @x"}).Draw(rt, "text")
				b.world.ambient["x"] = rapid.SampledFrom([]string{"1", "2"}).Draw(rt, "ambient")
			}
		}
		for range rapid.IntRange(0, 4).Draw(rt, "builds") {
			edit()
			if _, _, err := b.build(); err != nil {
				rt.Fatal(err)
			}
		}
		edit()
		for range rapid.IntRange(0, 2).Draw(rt, "losses") {
			if files := b.files(); len(files) > 0 {
				b.lose(rapid.SampledFrom(files).Draw(rt, "file"))
			}
		}
		refused := rapid.SampledFrom(append(b.nodes, nil)).Draw(rt, "expired")
		forced := rapid.SampledFrom(append(b.nodes, nil)).Draw(rt, "forced")
		fresh := func() *Builder {
			return &Builder{
				Store: b.readOnly(), Force: func(n *Node) bool { return n == forced },
				Expired: func(n *Node, _ *cache.Record) (string, bool) { return "too old", n == refused },
			}
		}
		want, err := planInOrder(fresh(), b.graph)
		if err != nil {
			rt.Fatal(err)
		}
		got, err := fresh().Plan(b.graph)
		if err != nil {
			rt.Fatal(err)
		}
		for i, r := range got {
			if !reflect.DeepEqual(r, want[i]) {
				rt.Errorf("%s: %s, node by node %s\n%+v\n%+v", r.Node.Name, r.Status, want[i].Status, r, want[i])
			}
		}
	})
}

// drawGraph adds nodes with and without a state, and with outputs of others.
func drawGraph(rt *rapid.T, b *bench) {
	for i := range rapid.IntRange(1, 8).Draw(rt, "nodes") {
		var parent *Node
		var deps []*Node
		for _, d := range b.nodes {
			if d.Layer && rapid.Bool().Draw(rt, "parent") {
				parent = d
			} else if rapid.Bool().Draw(rt, "input") {
				deps = append(deps, d)
			}
		}
		n := &Node{Image: "image", Name: fmt.Sprintf("n%d", i), Kind: "fake", Inputs: deps, Parent: parent, Layer: rapid.Bool().Draw(rt, "layer")}
		n.Action = &fake{world: b.world, node: n, deps: deps}
		b.put(n)
	}
}

// files lists what a store may lose, in a fixed order.
func (b *bench) files() (files []string) {
	b.t.Helper()
	for _, dir := range []string{"blobs", "history", "layers", "records", "shapes"} {
		err := filepath.Walk(filepath.Join(b.store.Dir(), dir), func(path string, info os.FileInfo, err error) error {
			if os.IsNotExist(err) {
				return nil
			}
			if err == nil && info.Mode().IsRegular() {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			b.t.Fatal(err)
		}
	}
	return files
}

func (b *bench) lose(file string) {
	b.t.Helper()
	if err := os.Remove(file); err != nil {
		b.t.Fatal(err)
	}
}
