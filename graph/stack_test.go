package graph

import (
	"fmt"
	"os"
	"slices"
	"testing"
)

// tall returns a bench with a chain of so many nodes that states share stacks.
func tall(t *testing.T, nodes int) (b *bench, names []string) {
	b = newBench(t)
	var parent *Node
	for i := range nodes {
		names = append(names, fmt.Sprintf("n%03d", i))
		parent = b.stack(names[i], parent)
	}
	return b, names
}

func TestTallStates(t *testing.T) {
	b, names := tall(t, 3*maxAbove+5)
	b.mustRun(names...)
	b.mustRun()
	s := mustState(t, b, names[len(names)-1])
	layers, makers := s.Tree(nil)
	if !slices.Equal(makers, names) || len(layers) != len(names) {
		t.Errorf("the layers are of %q, want one of each node", makers)
	}
	for i, name := range names {
		one := mustState(t, b, name)
		if part, _ := one.Tree(nil); !slices.Equal(part, layers[:i+1]) {
			t.Fatalf("the state of %s has %d layers, and not those of the nodes up to it", name, len(part))
		}
		if len(one.Layers) > maxAbove {
			t.Errorf("the record of %s names %d layers, want at most %d", name, len(one.Layers), maxAbove)
		}
	}
	b.reopen()
	b.mustRun()
	if again, _ := mustState(t, b, names[len(names)-1]).Tree(nil); !slices.Equal(again, layers) {
		t.Error("another store reads other layers")
	}
}

// The chain is that of the layers, however they are put together.
func TestChainDoesNotDependOnStacks(t *testing.T) {
	b := newBench(t)
	layers := []Digest{DigestText("a"), DigestText("b"), DigestText("c")}
	makers := []string{"a", "b", "c"}
	low, err := b.store.PutStack(nil, layers[:1], makers[:1], []string{"DIB_A"})
	if err != nil {
		t.Fatal(err)
	}
	high, err := b.store.PutStack(low, layers[1:2], makers[1:2], nil)
	if err != nil {
		t.Fatal(err)
	}
	want := (&State{Layers: layers, Makers: makers}).Chain()
	for name, s := range map[string]*State{
		"one stack": {Below: low, Layers: layers[1:], Makers: makers[1:]}, "two stacks": {Below: high, Layers: layers[2:], Makers: makers[2:]},
	} {
		if got := s.Chain(); got != want {
			t.Errorf("%s: chain %s, want %s", name, got, want)
		}
	}
	for name, s := range map[string]*State{
		"another order": {Below: high, Layers: layers[:1]}, "one less": {Below: high}, "one more": {Below: high, Layers: append(layers[2:3:3], layers[0])},
	} {
		if s.Chain() == want {
			t.Errorf("%s has the same chain", name)
		}
	}
}

func TestTallStatesBlameTheNodeThatChanged(t *testing.T) {
	b, names := tall(t, 3*maxAbove)
	b.mustRun(names...)
	changed := names[maxAbove+7]
	b.world.text[changed] = "another text"
	after := names[maxAbove+8:]
	results := b.mustRun(slices.Concat(after, []string{changed})...)
	for _, name := range after {
		for _, r := range reasonsOf(results, name) {
			if r.Cause != changed {
				t.Errorf("%s ran because of %q, want %q: %+v", name, r.Cause, changed, r)
			}
		}
	}
}

// A stack, or a layer of it, that is lost is made again with the node that left
// it.
func TestLostStacksAreMadeAgain(t *testing.T) {
	b, names := tall(t, 2*maxAbove+10)
	b.mustRun(names...)
	s := mustState(t, b, names[len(names)-1])
	last, err := b.store.Last("image", names[len(names)-1])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(b.store.BlobPath(s.Below.Digest)); err != nil {
		t.Fatal(err)
	}
	b.reopen()
	if _, err := b.store.Lookup(last.Key); err == nil {
		t.Fatal("a record hits without its stack")
	}
	if _, _, err := b.build(); err != nil {
		t.Fatal(err)
	}
	b.mustRun()
	dir, err := b.store.LayerDir(s.Below.Layers[3])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	b.reopen()
	b.mustRun(s.Below.Makers[3])
	b.mustRun()
}
