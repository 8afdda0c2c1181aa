package graph

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/dibgraph/dibgraph/cache"
)

// A listing is an action with a list and a long value as its inputs.
type listing struct {
	names []string
	value string
}

func (l *listing) Describe(d *Description, _ *Inputs) error {
	var lines []Line
	for _, name := range l.names {
		lines = append(lines, Line{Name: "exists " + name, Value: "file"})
	}
	d.Append(ListLine("names", lines), ValueLine("env LONG", l.value))
	return nil
}

func (l *listing) Run(context.Context, *Work) error { return nil }

// Lists and long values stand in descriptions as digests; a rerun still has
// the entry as its reason, and the part of the value that differs.
func TestReasonsNameWhatIsBehindADigest(t *testing.T) {
	store, err := cache.Open(t.TempDir(), cache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	long := strings.Repeat("element ", 1000)
	action := &listing{names: []string{"a", "b", "c"}, value: long + "old"}
	build := func() *Result {
		t.Helper()
		var g Graph
		if err := g.Add(&Node{Image: "i", Name: "n", Kind: "hook", Action: action}); err != nil {
			t.Fatal(err)
		}
		results, err := (&Builder{Store: store}).Build(t.Context(), &g)
		if err != nil {
			t.Fatal(err)
		}
		return results[0]
	}
	first := build()
	if n := len(first.Record.Description); n > 1000 {
		t.Errorf("the description has %d bytes, so the long value is in it", n)
	}
	if r := build(); r.Status != Hit {
		t.Fatalf("nothing changed, and it %s: %+v", r.Status, r.Reasons)
	}
	action.names, action.value = []string{"a", "c", "d"}, long+"new"
	var got []string
	for _, r := range build().Reasons {
		got = append(got, r.Kind+" "+r.Input)
		if r.Input == "env LONG" && (!strings.HasSuffix(r.Old, `element old"`) || !strings.HasSuffix(r.New, `element new"`) || len(r.New) > maxExcerpt+20) {
			t.Errorf("the values are shown as %s and %s", r.Old, r.New)
		}
	}
	if want := []string{"added exists d", "removed exists b", "changed env LONG"}; !slices.Equal(got, want) {
		t.Errorf("reasons %q, want %q", got, want)
	}
}
