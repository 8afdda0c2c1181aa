package graph

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dibgraph/dibgraph/cache"
)

func TestNullBuildRunsNothing(t *testing.T) {
	b := newBench(t)
	a := b.add("a")
	b.add("b", a)
	b.mustRun("a", "b")
	for _, r := range b.mustRun() {
		if r.Status != Hit || len(r.Reasons) != 0 {
			t.Errorf("%s: %s with reasons %v, want a hit without", r.Node.Name, r.Status, r.Reasons)
		}
	}
}

func TestChangeRunsWhatDependsOnIt(t *testing.T) {
	b := newBench(t)
	a := b.add("a")
	c := b.add("c", a)
	b.add("d", c)
	b.add("other")
	b.mustRun("a", "c", "d", "other")
	b.world.text["a"] = "changed"
	results := b.mustRun("a", "c", "d")
	if got, want := b.output(results, "d"), "text of d[text of c[changed]]"; got != want {
		t.Errorf("output %q, want %q", got, want)
	}
	first := reasonsOf(results, "a")
	if len(first) != 1 || first[0].Kind != cache.ReasonChanged || first[0].Input != "text" || first[0].New != `"changed"` {
		t.Errorf("reasons of a: %+v, want that its text changed", first)
	}
	second := reasonsOf(results, "c")
	if len(second) != 1 || second[0].Cause != "a" {
		t.Errorf("reasons of c: %+v, want a as the cause", second)
	}
}

func TestEarlyCutoff(t *testing.T) {
	b := newBench(t)
	a := b.stack("a", nil)
	c := b.stack("c", a)
	b.stack("d", c)
	b.mustRun("a", "c", "d")
	b.world.text["a"] = "TEXT of a" // the layer it leaves is the same
	results := b.mustRun("a")
	if results[0].Changed {
		t.Error("a ran and left the same, but counts as changed")
	}
	b.world.text["c"] = "something else"
	b.mustRun("c", "d")
}

func TestGoingBackHits(t *testing.T) {
	b := newBench(t)
	a := b.add("a")
	b.add("b", a)
	b.mustRun("a", "b")
	b.world.text["a"] = "second"
	b.mustRun("a", "b")
	b.world.text["a"] = "text of a"
	b.mustRun()
}

func TestObservedInputs(t *testing.T) {
	b := newBench(t)
	a := b.add("a")
	b.world.text["a"] = "reads @x"
	b.world.ambient["x"], b.world.ambient["y"] = "1", "1"
	b.mustRun("a")
	b.world.ambient["y"] = "2" // never read
	b.mustRun()
	b.world.ambient["x"] = "2"
	results := b.mustRun("a")
	if got := reasonsOf(results, "a"); len(got) != 1 || got[0].Input != "ambient x" {
		t.Errorf("reasons %+v, want the ambient input x", got)
	}
	delete(b.world.ambient, "x")
	b.mustRun("a")
	b.world.ambient["x"] = "1" // as the first time
	b.mustRun()
	_ = a
}

func TestFailureStopsWhatFollows(t *testing.T) {
	b := newBench(t)
	a := b.add("a")
	c := b.add("c", a)
	b.add("d", c)
	broken := errors.New("broken")
	c.Action.(*fake).fail = func() error { return broken }
	results, ran, err := b.build()
	var node *NodeError
	if !errors.As(err, &node) || node.Node != c || !errors.Is(err, broken) {
		t.Fatalf("error %v, want a NodeError of c", err)
	}
	if log, err := b.store.ReadBlob(node.Log.Digest); err != nil || !strings.Contains(string(log), "about to fail") {
		t.Errorf("log %q, %v", log, err)
	}
	if want := []string{"a", "c"}; !slices.Equal(ran, want) {
		t.Errorf("ran %q, want %q", ran, want)
	}
	if results[2].Status != Skipped {
		t.Errorf("d is %s, want skipped", results[2].Status)
	}
	c.Action.(*fake).fail = nil
	b.mustRun("c", "d")
}

func TestCancelIsNoFailureOfANode(t *testing.T) {
	b := newBench(t)
	a := b.add("a")
	b.add("c", a)
	ctx, cancel := context.WithCancel(t.Context())
	a.Action.(*fake).fail = func() error { cancel(); return errors.New("killed") }
	_, err := (&Builder{Store: b.store}).Build(ctx, b.graph)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want context.Canceled", err)
	}
}

func TestLostContentIsMadeAgain(t *testing.T) {
	b := newBench(t)
	a := b.stack("a", nil)
	c := b.stack("c", a)
	b.mustRun("a", "c")
	dir, err := b.store.LayerDir(mustState(t, b, "a").Layers[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	b.reopen()
	results := b.mustRun("a")
	if got := reasonsOf(results, "a"); len(got) == 0 || got[0].Kind != cache.ReasonMissing && got[0].Kind != cache.ReasonDamaged {
		t.Errorf("reasons %+v, want that content is missing", got)
	}
	_ = c
}

func (b *bench) reopen() {
	b.t.Helper()
	store, err := cache.Open(b.store.Dir(), cache.Options{})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		if err := store.Close(); err != nil {
			b.t.Error(err)
		}
	})
	b.store = store
}

func mustState(t *testing.T, b *bench, node string) *State {
	t.Helper()
	r, err := b.store.Last("image", node)
	if err != nil {
		t.Fatal(err)
	}
	return stateOf(r)
}

func TestForcedRunsOnce(t *testing.T) {
	b := newBench(t)
	a := b.stack("a", nil)
	b.stack("c", a)
	b.mustRun("a", "c")
	b.world.runs = nil
	builder := &Builder{Store: b.store, Force: func(n *Node) bool { return n.Name == "a" }}
	if _, err := builder.Build(t.Context(), b.graph); err != nil {
		t.Fatal(err)
	}
	// The second call of one build does not run it again.
	results, err := builder.Build(t.Context(), b.graph)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a"}; !slices.Equal(b.world.runs, want) {
		t.Errorf("ran %q, want %q", b.world.runs, want)
	}
	if results[0].Status != Ran {
		t.Errorf("a is %s in the second pass, want that it ran in this build", results[0].Status)
	}
}

func TestCheckStopsTheBuild(t *testing.T) {
	b := newBench(t)
	a := b.add("a")
	b.add("c", a)
	other := errors.New("laid out for something else")
	a.Check = func(read func(string) ([]byte, error)) error {
		content, err := read("out")
		if err != nil || string(content) != "text of a" {
			t.Errorf("check reads %q, %v", content, err)
		}
		return other
	}
	_, ran, err := b.build()
	if !errors.Is(err, other) {
		t.Fatalf("error %v, want that of the check", err)
	}
	if want := []string{"a"}; !slices.Equal(ran, want) {
		t.Errorf("ran %q, want %q", ran, want)
	}
}

// A check that is not content lets what runs finish, and is asked again, about
// the same result, by the next pass.
func TestCheckSeesWhatRanAgain(t *testing.T) {
	b := newBench(t)
	a, long := b.add("a"), b.add("long")
	asked := make(chan bool)
	long.Action.(*fake).fail = func() error { <-asked; return nil }
	checks := 0
	a.Check = func(func(string) ([]byte, error)) error {
		if checks++; checks == 1 {
			close(asked)
			return errors.New("laid out for something else")
		}
		return nil
	}
	builder := &Builder{Store: b.store, Jobs: 2}
	if _, err := builder.Build(t.Context(), b.graph); err == nil {
		t.Fatal("no error, want that of the check")
	}
	results, err := builder.Build(t.Context(), b.graph)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a", "long"}; !slices.Equal(slices.Sorted(slices.Values(b.world.runs)), want) {
		t.Errorf("ran %q, want each of %q once", b.world.runs, want)
	}
	if results[0].Status != Ran || results[0].Err != nil {
		t.Errorf("a is %s with error %v, want that it ran", results[0].Status, results[0].Err)
	}
}

// A node that is stopped because another one failed did not fail.
func TestStoppedNodeIsSkipped(t *testing.T) {
	b := newBench(t)
	a, long := b.add("a"), b.add("long")
	running := make(chan bool)
	a.Action.(*fake).fail = func() error { <-running; return errors.New("broken") }
	long.Action = stopped{running}
	results, err := (&Builder{Store: b.store, Jobs: 2}).Build(t.Context(), b.graph)
	var failed *NodeError
	if !errors.As(err, &failed) || failed.Node != a {
		t.Fatalf("error %v, want that of a", err)
	}
	if results[0].Status != Failed || results[1].Status != Skipped {
		t.Errorf("a is %s and long is %s, want failed and skipped", results[0].Status, results[1].Status)
	}
}

// A stopped action says that it runs, and waits to be stopped.
type stopped struct{ running chan<- bool }

func (stopped) Describe(*Description, *Inputs) error { return nil }

func (s stopped) Run(ctx context.Context, _ *Work) error {
	close(s.running)
	<-ctx.Done()
	return ctx.Err()
}

func TestJobsBoundsWhatRunsAtOnce(t *testing.T) {
	b := newBench(t)
	var now, most atomic.Int32
	for i := range 12 {
		n := b.add(fmt.Sprintf("n%02d", i))
		n.Action.(*fake).fail = func() error {
			most.Store(max(most.Load(), now.Add(1)))
			<-time.After(time.Millisecond)
			now.Add(-1)
			return nil
		}
	}
	if _, err := (&Builder{Store: b.store, Jobs: 3}).Build(t.Context(), b.graph); err != nil {
		t.Fatal(err)
	}
	if got := most.Load(); got < 1 || got > 3 {
		t.Errorf("%d nodes ran at once, want at most 3", got)
	}
}

func TestEqualNodesOfTwoImagesRunOnce(t *testing.T) {
	b := newBench(t)
	for _, image := range []string{"one", "two"} {
		n := &Node{Image: image, Name: "same", Kind: "fake"}
		n.Action = &fake{world: b.world, node: n}
		b.put(n)
	}
	b.mustRun("same")
}

func TestPlan(t *testing.T) {
	b := newBench(t)
	a := b.stack("a", nil)
	c := b.stack("c", a)
	b.stack("d", c)
	statuses := func() (all []Status) {
		results, err := (&Builder{Store: b.store}).Plan(b.graph)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			all = append(all, r.Status)
		}
		return all
	}
	check := func(want ...Status) {
		t.Helper()
		if got := statuses(); !slices.Equal(got, want) {
			t.Errorf("plan %q, want %q", got, want)
		}
	}
	check(Run, Run, Run)
	b.mustRun("a", "c", "d")
	check(Hit, Hit, Hit)
	b.world.text["a"] = "TEXT of a"
	check(Run, Maybe, Maybe)
	b.world.text["d"] = "new"
	check(Run, Maybe, Run)
	b.mustRun("a", "d")
}

// After any edits, an incremental build leaves what a clean build leaves, runs
// a node at most once, and runs it only if something it depends on changed.
func TestIncrementalEqualsClean(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newBench(t)
		count := rapid.IntRange(1, 8).Draw(rt, "nodes")
		for i := range count {
			var deps []*Node
			for j := range i {
				if rapid.Bool().Draw(rt, "edge") {
					deps = append(deps, b.nodes[j])
				}
			}
			b.add(fmt.Sprintf("n%d", i), deps...)
		}
		texts := []string{"a", "A", "b @x", "c @y", "B @x"}
		edit := func() {
			for range rapid.IntRange(1, 3).Draw(rt, "edits") {
				if rapid.Bool().Draw(rt, "ambient") {
					name := rapid.SampledFrom([]string{"x", "y"}).Draw(rt, "name")
					b.world.ambient[name] = rapid.SampledFrom([]string{"1", "2"}).Draw(rt, "value")
				} else {
					n := rapid.SampledFrom(b.nodes).Draw(rt, "node")
					b.world.text[n.Name] = rapid.SampledFrom(texts).Draw(rt, "text")
				}
			}
		}
		for range rapid.IntRange(1, 4).Draw(rt, "rounds") {
			edit()
			results, ran, err := b.build()
			if err != nil {
				rt.Fatal(err)
			}
			if len(slices.Compact(slices.Clone(ran))) != len(ran) {
				rt.Fatalf("ran twice: %q", ran)
			}
			clean := newBench(t)
			clean.world, clean.graph, clean.nodes = b.world, b.graph, b.nodes
			cleanResults, _, err := clean.build()
			if err != nil {
				rt.Fatal(err)
			}
			for _, n := range b.nodes {
				if got, want := b.output(results, n.Name), clean.output(cleanResults, n.Name); got != want {
					rt.Fatalf("%s: %q after an incremental build, %q after a clean one", n.Name, got, want)
				}
			}
			if _, ran, _ := b.build(); len(ran) > 0 {
				rt.Fatalf("null build ran %q", ran)
			}
		}
	})
}
