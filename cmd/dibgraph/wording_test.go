package main

import (
	"fmt"
	"slices"
	"testing"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/graph"
)

// A long difference is shown in full where the input is, and begun at what
// depends on it; a change of two values is too short to be cut.
func TestWordingOfManyNodes(t *testing.T) {
	store, err := cache.Open(t.TempDir()+"/store", cache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	text := ""
	for i := range 30 {
		text += fmt.Sprintf("line %d\n", i)
	}
	reason := cache.Reason{Kind: cache.ReasonChanged, Input: "env DIB_TEXT", Old: `"\n"`, New: fmt.Sprintf("%q", text)}
	layer := cache.Reason{Kind: cache.ReasonChanged, Input: "parent", Old: "a", New: "b", Cause: "install.d/50-app", Detail: "what it left changed", Before: cache.DigestBytes(nil)}
	words := newWording(store)
	at := words.why([]graph.Cause{{Node: "install.d/50-app", Reason: reason}})[0]
	for _, state := range []string{"b", "c"} { // of two nodes
		layer.New = state
		after := words.why([]graph.Cause{{Node: "install.d/50-app", Reason: reason, Path: []graph.Hop{{Node: "disk", Reason: layer}}}})[0]
		if want := append(slices.Clone(at.Lines[:8]), fmt.Sprintf("… and %d more lines, see install.d/50-app", len(at.Lines)-8)); len(at.Lines) < 30 || !slices.Equal(after.Lines, want) {
			t.Errorf("lines %q after %q", after.Lines, at.Lines)
		}
		if after.Title != "install.d/50-app: "+at.Title || len(after.Way) != 1 || after.Way[0].Text != "what it left changed" {
			t.Errorf("the way is %+v", after)
		}
	}
	if len(words.lines) != 1 || len(words.hops) != 1 {
		t.Errorf("%d differences and %d hops are remembered, want one of each", len(words.lines), len(words.hops))
	}
	short := cache.Reason{Kind: cache.ReasonChanged, Input: "env DIB_APP", Old: `"one"`, New: `"two"`}
	got := words.why([]graph.Cause{{Node: "a", Reason: short, Path: []graph.Hop{{Node: "b", Reason: layer}}}})[0].Lines
	if want := []string{`- "one"`, `+ "two"`}; !slices.Equal(got, want) {
		t.Errorf("lines %q, want %q", got, want)
	}
}
