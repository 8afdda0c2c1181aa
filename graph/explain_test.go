package graph

import (
	"errors"
	"slices"
	"testing"

	"github.com/dibgraph/dibgraph/cache"
)

// A story is a series of builds of one image.
type story struct {
	*bench
	builds []*cache.Build
}

// build builds, keeps the build as the program does, and explains it.
func (s *story) build(t *testing.T) map[string]Explanation {
	t.Helper()
	results, err := s.fresh().Build(t.Context(), s.graph)
	b := &cache.Build{ID: string(rune('a' + len(s.builds))), Outcome: OutcomeDone}
	if err != nil {
		b.Outcome = OutcomeFailed
	}
	for _, r := range results {
		b.Nodes = append(b.Nodes, r.Summary())
	}
	earlier := slices.Clone(s.builds)
	s.builds = append(s.builds, b)
	e := Explainer{Build: b, Earlier: func(id string) *cache.Build {
		for _, b := range slices.Backward(earlier) {
			if b.ID < id {
				return b
			}
		}
		return nil
	}}
	explained := make(map[string]Explanation)
	for _, one := range e.Explain() {
		explained[one.Name] = one
	}
	return explained
}

// fresh returns a builder for the next build.
func (s *story) fresh() *Builder { return &Builder{Store: s.store, Jobs: 1} }

// want checks that a node has one first cause: an input of a node, reached by
// a path.
func want(t *testing.T, got Explanation, node, input string, path ...string) {
	t.Helper()
	if len(got.Causes) != 1 {
		t.Fatalf("%s: %d causes, want 1: %+v", got.Name, len(got.Causes), got.Causes)
	}
	c := got.Causes[0]
	var hops []string
	for _, h := range c.Path {
		hops = append(hops, h.Node)
	}
	if c.Node != node || c.Reason.Input != input || !slices.Equal(hops, path) {
		t.Errorf("%s: cause %q of %s by %q (%+v), want %q of %s by %q", got.Name, c.Reason.Input, c.Node, hops, c.Reason, input, node, path)
	}
}

func TestExplainLeadsToTheFirstCause(t *testing.T) {
	s := &story{bench: newBench(t)}
	a := s.stack("a", nil)
	b := s.stack("b", a)
	c := s.stack("c", b)
	s.add("image", c)
	for _, n := range []string{"a", "b", "c", "image"} {
		s.world.text[n] = n
	}
	for name, e := range s.build(t) {
		if len(e.Causes) == 0 || e.Causes[0].Reason.Kind != cache.ReasonNeverBuilt {
			t.Errorf("%s was never built, explained by %+v", name, e.Causes)
		}
	}
	s.world.text["a"] = "a changed"
	got := s.build(t)
	want(t, got["a"], "a", "text")
	want(t, got["b"], "a", "text", "b")
	want(t, got["c"], "a", "text", "c") // what b left is what it left before
	if r := got["c"].Reasons[0]; r.Cause != "a" || r.Before.IsZero() || r.After.IsZero() || r.Before == r.After {
		t.Errorf("c is explained by %+v, want the layers of a", r)
	}
	// Back to what was: everything hits another record than last time.
	s.world.text["a"] = "a"
	got = s.build(t)
	if got["c"].Status != string(Hit) {
		t.Errorf("c: %s, want a hit", got["c"].Status)
	}
	want(t, got["c"], "a", "text", "c")
}

func TestExplainAfterAFailedBuild(t *testing.T) {
	s := &story{bench: newBench(t)}
	a := s.stack("a", nil)
	b := s.stack("b", a)
	s.world.text["a"], s.world.text["b"] = "a", "b"
	s.build(t)
	s.world.text["a"] = "a changed"
	b.Action.(*fake).fail = func() error { return errors.New("as wanted") }
	s.build(t)
	b.Action.(*fake).fail = nil
	got := s.build(t)
	if got["a"].Status != string(Hit) || got["b"].Status != string(Ran) {
		t.Fatalf("a: %s, b: %s; want a hit and a run", got["a"].Status, got["b"].Status)
	}
	want(t, got["b"], "a", "text", "b")
}

func TestExplainNodesThatComeAndGo(t *testing.T) {
	s := &story{bench: newBench(t)}
	a := s.stack("a", nil)
	s.stack("c", a)
	s.build(t)
	s.graph, s.nodes = &Graph{}, nil
	a = s.stack("a", nil)
	s.stack("c", s.stack("b", a))
	got := s.build(t)
	want(t, got["c"], "b", "", "c")
	if kind := got["c"].Causes[0].Reason.Kind; kind != cache.ReasonNeverBuilt {
		t.Errorf("c ran because b is %q, want %q", kind, cache.ReasonNeverBuilt)
	}
	s.graph, s.nodes = &Graph{}, nil
	s.stack("c", s.stack("a", nil))
	s.world.text["c"] = "another c, or there would be nothing to run"
	got = s.build(t)
	if n := len(got["c"].Causes); n != 2 {
		t.Fatalf("c has %d causes, want its text and the end of b: %+v", n, got["c"].Causes)
	}
	gone := got["c"].Causes[0]
	if gone.Reason.Kind != cache.ReasonRemoved {
		gone = got["c"].Causes[1]
	}
	if gone.Node != "b" || gone.Reason.Kind != cache.ReasonRemoved {
		t.Errorf("c ran because of %+v, want that b is gone", got["c"].Causes)
	}
}
