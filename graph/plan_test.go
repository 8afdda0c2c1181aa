package graph

import (
	"bytes"
	"os"
	"slices"
	"testing"

	"github.com/dibgraph/dibgraph/cache"
)

// A reader is judged by what another node left.
type reader struct {
	*fake
	dep *Node
}

func (r *reader) Describe(d *Description, in *Inputs) error {
	content, err := in.Read(r.dep, "out")
	if err != nil {
		return err
	}
	d.Add("read", "%q", content)
	return r.fake.Describe(d, in)
}

// What a node is judged by may be damaged in a way that only reading it shows.
// That fails no plan: the build makes it again.
func TestPlanOnDamagedOutputs(t *testing.T) {
	for _, test := range []struct {
		name   string
		damage func(path string, size int) error
		reason string
	}{
		{"gone", func(path string, _ int) error { return os.Remove(path) }, cache.ReasonMissing},
		{"other bytes", func(path string, size int) error { return os.WriteFile(path, bytes.Repeat([]byte("x"), size), 0o600) }, cache.ReasonDamaged},
		{"another size", func(path string, _ int) error { return os.WriteFile(path, nil, 0o600) }, cache.ReasonDamaged},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			source := b.add("source")
			n := &Node{Image: "image", Name: "reader", Kind: "fake", Inputs: []*Node{source}}
			n.Action = &reader{&fake{world: b.world, node: n, deps: []*Node{source}}, source}
			b.put(n)
			b.add("after", n)
			b.mustRun("source", "reader", "after")
			record, err := b.store.Last("image", "source")
			if err != nil {
				t.Fatal(err)
			}
			out := record.Outputs["out"]
			if err := test.damage(b.store.BlobPath(out.Digest), int(out.Size)); err != nil {
				t.Fatal(err)
			}
			store, err := cache.Open(b.store.Dir(), cache.Options{ReadOnly: true})
			if err != nil {
				t.Fatal(err)
			}
			results, err := (&Builder{Store: store}).Plan(b.graph)
			if err != nil {
				t.Fatal(err)
			}
			var statuses []Status
			for _, r := range results {
				statuses = append(statuses, r.Status)
			}
			if want := []Status{Run, Maybe, Maybe}; !slices.Equal(statuses, want) {
				t.Errorf("the plan is %q, want %q", statuses, want)
			}
			if got := results[0].Reasons; len(got) != 1 || got[0].Kind != test.reason || got[0].Detail == "" {
				t.Errorf("the source runs because of %+v, want %q", got, test.reason)
			}
			b.mustRun("source")
		})
	}
}
