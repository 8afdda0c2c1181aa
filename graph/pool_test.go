package graph

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
)

// several lays the same stack of nodes out for several images, each with one
// node of its own at the end, and builds them together.
type several struct {
	*bench
	pool   *Pool
	graphs []*Graph
	force  func(*Node) bool
	events func(Event)
}

func newSeveral(t *testing.T, images ...string) *several {
	s := &several{bench: newBench(t)}
	for _, image := range images {
		g := &Graph{}
		var parent *Node
		for _, name := range []string{"a", "b", "own of " + image} {
			n := &Node{Image: image, Name: name, Kind: "fake", Parent: parent, Layer: true}
			n.Action = &fake{world: s.world, node: n}
			s.world.text[name] = "text of " + name
			if err := g.Add(n); err != nil {
				t.Fatal(err)
			}
			parent = n
		}
		s.graphs = append(s.graphs, g)
	}
	return s
}

// build builds all images at once, and returns what ran and the results.
func (s *several) build() (ran []string, results [][]*Result, errs []error) {
	s.world.runs = nil
	s.pool = NewPool(4)
	results, errs = make([][]*Result, len(s.graphs)), make([]error, len(s.graphs))
	var group sync.WaitGroup
	for i, g := range s.graphs {
		group.Go(func() {
			b := &Builder{Store: s.store, Pool: s.pool, Rank: i, Force: s.force, Events: s.events}
			results[i], errs[i] = b.Build(s.t.Context(), g)
		})
	}
	group.Wait()
	return slices.Sorted(slices.Values(s.world.runs)), results, errs
}

func (s *several) mustBuild(want ...string) [][]*Result {
	s.t.Helper()
	ran, results, errs := s.build()
	if err := errors.Join(errs...); err != nil {
		s.t.Fatal(err)
	}
	if slices.Sort(want); !slices.Equal(ran, want) {
		s.t.Fatalf("ran %q, want %q", ran, want)
	}
	return results
}

func TestImagesShareNodes(t *testing.T) {
	s := newSeveral(t, "one", "two", "three")
	results := s.mustBuild("a", "b", "own of one", "own of two", "own of three")
	ran := 0
	for _, of := range results {
		for _, r := range of[:2] {
			switch {
			case r.Status == Ran:
				ran++
			case r.With == nil || r.With.Name != r.Node.Name || r.With.Image == r.Node.Image:
				t.Errorf("%s hit with the run of %+v, want that of another image", r.Node.ID(), r.With)
			}
		}
	}
	if ran != 2 {
		t.Errorf("%d results say that they ran, want 2", ran)
	}
	s.mustBuild()
	s.world.text["own of two"] = "edited"
	s.mustBuild("own of two")
	s.world.text["b"] = "edited"
	s.mustBuild("b", "own of one", "own of two", "own of three")
}

// What is to run again runs again once, and not once for each image.
func TestImagesShareForcedNodes(t *testing.T) {
	s := newSeveral(t, "one", "two")
	s.mustBuild("a", "b", "own of one", "own of two")
	s.force = func(n *Node) bool { return n.Name == "a" }
	s.mustBuild("a")
}

// A node that waits for the same one of another image takes no place: another
// that can run runs meanwhile, although there are but two.
func TestWaitingForAnotherImageTakesNoPlace(t *testing.T) {
	s := newSeveral(t, "one", "two")
	free := &Node{Image: "two", Name: "free", Kind: "fake"}
	freeRan := make(chan bool)
	free.Action = &fake{world: s.world, node: free, fail: func() error { close(freeRan); return nil }}
	s.world.text["free"] = "text"
	if err := s.graphs[1].Add(free); err != nil {
		t.Fatal(err)
	}
	// The shared node ends when the free one has run.
	slow := func() error { <-freeRan; return nil }
	for _, g := range s.graphs {
		g.Nodes()[0].Action.(*fake).fail = slow
	}
	pool := NewPool(2)
	var group sync.WaitGroup
	for i, g := range s.graphs {
		group.Go(func() {
			if _, err := (&Builder{Store: s.store, Pool: pool, Rank: i}).Build(t.Context(), g); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

func TestFailureOfOneImageLeavesOthers(t *testing.T) {
	s := newSeveral(t, "one", "two")
	broken := errors.New("broken")
	s.graphs[0].Nodes()[2].Action.(*fake).fail = func() error { return broken }
	_, results, errs := s.build()
	if !errors.Is(errs[0], broken) || errs[1] != nil {
		t.Errorf("errors %v, want one of the first image", errs)
	}
	if last := results[1][2]; last.Status != Ran {
		t.Errorf("%s: %s, want that it ran", last.Node.ID(), last.Status)
	}
}

// Places are taken by rank, given back, and left when a build is stopped.
func TestTurns(t *testing.T) {
	p := NewPool(1)
	first, third, second := p.turn(0, 0), p.turn(2, 0), p.turn(1, 7)
	if err := first.wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := second.wait(stopped); err == nil {
		t.Error("a turn was given to a node that is not to start")
	}
	fourth := p.turn(1, 9)
	first.end()
	select {
	case <-third.granted:
		t.Error("the third came before the fourth, whose rank is lower")
	default:
	}
	for _, next := range []*turn{fourth, third} {
		if err := next.wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		next.end()
	}
	if p.free != 1 {
		t.Errorf("%d places are free, want 1", p.free)
	}
}
