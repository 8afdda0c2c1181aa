package graph

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/dibgraph/dibgraph/cache"
)

// A world is what fake actions read: declared texts by node name, and ambient
// files that a node may look at.
type world struct {
	mu      sync.Mutex
	text    map[string]string
	ambient map[string]string
	runs    []string // names of nodes, in the order in which they ran
}

// A fake writes an output made of its own text, its inputs, and the ambient
// files that its text names, each as "@name".
type fake struct {
	world *world
	node  *Node
	deps  []*Node
	fail  func() error
	moody func() string // adds to what the node leaves, and is no input
	peek  func(*Work)   // looks at what the run is given
}

func (f *fake) own() string {
	f.world.mu.Lock()
	defer f.world.mu.Unlock()
	return f.world.text[f.node.Name]
}

func (f *fake) Describe(d *Description, _ *Inputs) error {
	d.Add("text", "%q", f.own())
	return nil
}

func (f *fake) Observe(d *Description, name string, _ *Inputs) error {
	f.world.mu.Lock()
	defer f.world.mu.Unlock()
	value, ok := f.world.ambient[name]
	d.Add("ambient "+name, "%t %q", ok, value)
	return nil
}

func (f *fake) Run(_ context.Context, w *Work) error {
	f.world.mu.Lock()
	f.world.runs = append(f.world.runs, f.node.Name)
	f.world.mu.Unlock()
	if f.peek != nil {
		f.peek(w)
	}
	if f.fail != nil {
		if err := f.fail(); err != nil {
			fmt.Fprintln(w.Log, "about to fail")
			return err
		}
	}
	out := strings.ToLower(f.own()) // so that a change of case is cut off early
	for _, word := range strings.Fields(f.own()) {
		if name, ok := strings.CutPrefix(word, "@"); ok {
			w.Observed = append(w.Observed, name)
			f.world.mu.Lock()
			out += " " + name + "=" + f.world.ambient[name]
			f.world.mu.Unlock()
		}
	}
	for _, d := range f.deps {
		content, err := w.Inputs.Read(d, "out")
		if err != nil {
			return err
		}
		out += "[" + string(content) + "]"
	}
	if f.moody != nil {
		out += f.moody()
	}
	if f.node.Layer {
		if err := os.WriteFile(filepath.Join(w.Upper, f.node.Name), []byte(out), 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(w.Out, "out"), []byte(out), 0o644)
}

// A bench is a store, a world and the graph over it.
type bench struct {
	t       testing.TB
	store   *cache.Store
	world   *world
	graph   *Graph
	nodes   []*Node
	builder *Builder
	expired func(*Node, *cache.Record) (string, bool)
}

func newBench(t testing.TB) *bench {
	t.Helper()
	store, err := cache.Open(filepath.Join(t.TempDir(), "store"), cache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return &bench{t: t, store: store, world: &world{text: map[string]string{}, ambient: map[string]string{}}, graph: &Graph{}}
}

// add adds a node that reads the outputs of others.
func (b *bench) add(name string, deps ...*Node) *Node {
	n := &Node{Image: "image", Name: name, Kind: "fake", Inputs: deps}
	n.Action = &fake{world: b.world, node: n, deps: deps}
	return b.put(n)
}

// stack adds a node that leaves a layer on the state of another.
func (b *bench) stack(name string, parent *Node) *Node {
	n := &Node{Image: "image", Name: name, Kind: "fake", Parent: parent, Layer: true}
	n.Action = &fake{world: b.world, node: n}
	return b.put(n)
}

func (b *bench) put(n *Node) *Node {
	b.t.Helper()
	if err := b.graph.Add(n); err != nil {
		b.t.Fatal(err)
	}
	b.nodes = append(b.nodes, n)
	b.world.text[n.Name] = "text of " + n.Name
	return n
}

// build builds with a fresh Builder and returns what ran.
func (b *bench) build() (results []*Result, ran []string, err error) {
	b.t.Helper()
	b.world.runs = nil
	b.builder = &Builder{Store: b.store, Jobs: 4, Name: "test", Expired: b.expired}
	results, err = b.builder.Build(b.t.Context(), b.graph)
	return results, slices.Sorted(slices.Values(b.world.runs)), err
}

// mustRun builds and checks which nodes ran.
func (b *bench) mustRun(want ...string) []*Result {
	b.t.Helper()
	results, ran, err := b.build()
	if err != nil {
		b.t.Fatal(err)
	}
	slices.Sort(want)
	if !slices.Equal(ran, want) {
		b.t.Fatalf("ran %q, want %q", ran, want)
	}
	return results
}

func (b *bench) output(results []*Result, name string) string {
	b.t.Helper()
	for _, r := range results {
		if r.Node.Name == name {
			blob, ok := r.Output("out")
			if !ok {
				b.t.Fatalf("%s has no output", name)
			}
			content, err := b.store.ReadBlob(blob.Digest)
			if err != nil {
				b.t.Fatal(err)
			}
			return string(content)
		}
	}
	b.t.Fatalf("no result of %s", name)
	return ""
}

func reasonsOf(results []*Result, name string) []cache.Reason {
	for _, r := range results {
		if r.Node.Name == name {
			return r.Reasons
		}
	}
	return nil
}
