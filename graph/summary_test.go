package graph

import (
	"slices"
	"testing"
	"time"
)

// What is kept of a build tells its graph and its times, also of hits and of
// what a failure left out.
func TestSummaryTellsGraphAndTimes(t *testing.T) {
	b := newBench(t)
	base := b.stack("base", nil)
	top := b.stack("top", base)
	b.add("end", base, top)
	clock := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	now := func() time.Time {
		clock = clock.Add(time.Second)
		return clock
	}
	for _, status := range []Status{Ran, Hit} {
		builder := &Builder{Store: b.store, Now: now}
		results, err := builder.Build(t.Context(), b.graph)
		if err != nil {
			t.Fatal(err)
		}
		before := time.Time{}
		for i, want := range [][]string{nil, {"base"}, {"base", "top"}} {
			n := results[i].Summary()
			if !slices.Equal(n.Dependencies, want) {
				t.Errorf("%s depends on %q, want %q", n.Name, n.Dependencies, want)
			}
			if n.Status != string(status) || !n.Started.After(before) || (n.Duration > 0) != (status == Ran) {
				t.Errorf("%s: %s at %v for %v, after %v", n.Name, n.Status, n.Started, n.Duration, before)
			}
			before = n.Started
		}
	}
	skipped := (&Result{Node: top, Status: Skipped}).Summary()
	if !slices.Equal(skipped.Dependencies, []string{"base"}) || !skipped.Started.IsZero() {
		t.Errorf("of a node that was not reached: %+v", skipped)
	}
}
