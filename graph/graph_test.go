package graph

import (
	"strings"
	"testing"
)

func nodes(names ...string) []*Node {
	var all []*Node
	for _, name := range names {
		all = append(all, &Node{Image: "i", Name: name})
	}
	return all
}

func names(all []*Node) string {
	var list []string
	for _, n := range all {
		list = append(list, n.Name)
	}
	return strings.Join(list, " ")
}

func TestOrder(t *testing.T) {
	n := nodes("d", "b", "c", "a")
	n[0].Parent = n[2]
	n[2].Inputs = []*Node{n[1]}
	n[2].Partial = []*Node{n[1], n[3]}
	var g Graph
	if err := g.Add(n...); err != nil {
		t.Fatal(err)
	}
	for range 20 { // the order must not depend on map iteration
		order, err := g.Order()
		if err != nil {
			t.Fatal(err)
		}
		if got, want := names(order), "b a c d"; got != want {
			t.Fatalf("order %q, want %q", got, want)
		}
	}
}

func TestOrderNamesTheCycle(t *testing.T) {
	n := nodes("a", "b", "c", "d")
	n[0].Parent, n[1].Parent, n[2].Parent, n[3].Parent = n[2], n[0], n[1], n[2]
	var g Graph
	if err := g.Add(n...); err != nil {
		t.Fatal(err)
	}
	_, err := g.Order()
	if want := "graph: cycle: i/a -> i/b -> i/c -> i/a"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %q", err, want)
	}
}

func TestOrderNamesWhatIsMissing(t *testing.T) {
	n := nodes("a", "b")
	n[0].Parent = n[1]
	var g Graph
	if err := g.Add(n[0]); err != nil {
		t.Fatal(err)
	}
	_, err := g.Order()
	if err == nil || !strings.Contains(err.Error(), "i/a depends on i/b, which is not in the graph") {
		t.Errorf("error %v", err)
	}
	if err := g.Add(nodes("a")...); err == nil {
		t.Error("two nodes of one name were added")
	}
}

func TestWriteDOT(t *testing.T) {
	n := nodes("a", "b")
	n[1].Parent = n[0]
	var g Graph
	if err := g.Add(n...); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	err := g.WriteDOT(&out, nil, func(n *Node) map[string]string { return map[string]string{"label": n.Name} })
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"i/a" -> "i/b"`, `label="a"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s in\n%s", want, out.String())
		}
	}
}

func TestDescriptionDiff(t *testing.T) {
	var before, after Description
	before.Add("same", "1")
	before.Add("changed", "%q", "a\tb\n")
	before.Add("gone", "")
	after.Add("new", "")
	after.Add("changed", "%q", "c")
	after.Add("same", "1")
	got := Diff(ParseDescription(before.String()), ParseDescription(after.String()))
	want := []Difference{
		{Name: "new", Added: true},
		{Name: "changed", Old: `"a\tb\n"`, New: `"c"`},
		{Name: "gone", Removed: true},
	}
	if len(got) != len(want) {
		t.Fatalf("diff %+v, want %+v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("difference %d: %+v, want %+v", i, got[i], want[i])
		}
	}
}

func TestChain(t *testing.T) {
	layer := DigestText("layer")
	var none *State
	one := none.with("node", layer, nil, nil)
	states := map[string]*State{
		"nothing":  none,
		"a layer":  one,
		"twice":    one.with("node", layer, nil, nil),
		"a mount":  one.with("node", Digest{}, []Mount{{Point: "/a"}}, nil),
		"a source": one.with("node", Digest{}, []Mount{{Point: "/a", Source: "b"}}, nil),
	}
	seen := make(map[Digest]string)
	for name, s := range states {
		if other, ok := seen[s.Chain()]; ok {
			t.Errorf("%q and %q have the same chain", name, other)
		}
		seen[s.Chain()] = name
	}
	if one.with("node", Digest{}, nil, []string{"word"}).Chain() != one.Chain() {
		t.Error("words that are mentioned change the chain")
	}
}
