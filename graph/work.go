package graph

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/dibgraph/dibgraph/cache"
)

// A Work is what an [Action] is given to run: a place to work in, what it
// works on, and where to say what it did. It belongs to one run.
type Work struct {
	// Node is the node that runs.
	Node *Node
	// Inputs are the parent state and the outputs of the node's dependencies.
	Inputs *Inputs
	// Dir is a private, empty scratch directory; it is removed afterwards.
	Dir string
	// Lower are the directories of the parent state's layers, top first, as
	// an overlay mount wants them. They must not be written to.
	Lower []string
	// Upper and OverlayWork are empty directories for such a mount. What is
	// in Upper after Run becomes the layer of a node that leaves one.
	Upper, OverlayWork string
	// Out takes the outputs: every regular file below it becomes a blob
	// under its relative name.
	Out string
	// Log takes everything the work prints.
	Log *os.File
	// Last offers what the node left last time. It is nil in a recheck,
	// which is to find out what a run without it leaves.
	Last *LastRun

	// Observed lists, in any order, the names of the ambient inputs that the
	// run read. The action sets it.
	Observed []string
	// Found holds, by the observation's name, what the run met of inputs that
	// may already be something else: it is recorded as the value of a line of
	// that name, in place of what [Observer] would write now.
	Found map[string]string
	// Coarse says that observation was not possible and Observed names
	// everything there is.
	Coarse bool
	// Mounts are those the state is left with; the action may change them.
	Mounts []Mount
	// Mentions are those that the state is left with besides those it had. The
	// action sets them.
	Mentions []string
	// Tools names host programs the run used, with their versions. They are
	// recorded and shown, not part of the key.
	Tools map[string]string
}

const (
	// squashAbove is the number of layers from which on the lowest ones are
	// mounted as one merged directory. Below 200 an overlay's depth costs
	// little; the kernel's limit is 500.
	squashAbove = 200
	// squashStep keeps merged prefixes long-lived: they are cut at multiples
	// of it, so that the next 150 nodes use the same one.
	squashStep = 150
)

// lowerDirs returns the directories of a state's layers, top first.
func (b *Builder) lowerDirs(ctx context.Context, s *State) ([]string, error) {
	if s == nil {
		return nil, nil
	}
	tree, _ := s.Tree(nil)
	layers := cache.Distinct(tree)
	b.Store.SupplyLayers(layers) // together, not one after the other
	var dirs []string
	if len(layers) > squashAbove {
		cut := len(layers) / squashStep * squashStep
		merged, err := b.Store.Squash(ctx, layers[:cut])
		if err != nil {
			return nil, fmt.Errorf("merge the lowest %d layers: %w", cut, err)
		}
		dirs, layers = []string{merged}, layers[cut:]
	}
	for _, l := range layers {
		dir, err := b.Store.LayerDir(l)
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, dir)
	}
	slices.Reverse(dirs)
	return dirs, nil
}

// prepare makes the directories a run works in.
func (b *Builder) prepare(ctx context.Context, n *Node, in *Inputs) (*Work, error) {
	lower, err := b.lowerDirs(ctx, in.Parent)
	if err != nil {
		return nil, fmt.Errorf("state before %s: %w", n.Name, err)
	}
	dir, err := b.Store.TempDir("node")
	if err != nil {
		return nil, err
	}
	w := &Work{
		Node: n, Inputs: in, Lower: lower,
		Dir: filepath.Join(dir, "scratch"), Out: filepath.Join(dir, "out"),
		Upper: filepath.Join(dir, "upper"), OverlayWork: filepath.Join(dir, "work"),
	}
	if in.Parent != nil {
		w.Mounts = in.Parent.Mounts
	}
	for _, d := range []string{w.Dir, w.Out, w.Upper, w.OverlayWork} {
		if err := os.Mkdir(d, 0o755); err != nil {
			b.Store.Discard(dir)
			return nil, err
		}
	}
	w.Log, err = os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		b.Store.Discard(dir)
		return nil, err
	}
	return w, nil
}

// drop ends a run: whatever was not taken into the store goes.
func (b *Builder) drop(w *Work) error {
	err := w.Log.Close()
	b.Store.Discard(filepath.Dir(w.Dir))
	return err
}

// commit takes what a run left into the store and records it.
func (b *Builder) commit(ctx context.Context, w *Work, v verdict, started time.Time, log cache.Blob) (*cache.Record, error) {
	n := w.Node
	r := &cache.Record{
		Image: n.Image, Node: n.Name, Kind: n.Kind,
		Static: v.key, Coarse: w.Coarse, Tools: w.Tools,
		Log: log, Started: started, Duration: b.now().Sub(started), Builder: b.Name,
		Outputs: map[string]cache.Blob{}, Uses: map[string]cache.Key{},
	}
	if n.Parent != nil {
		r.Parent = n.Parent.Name
	}
	for d, used := range w.Inputs.records {
		r.Uses[d.Name] = used.Key
	}
	inputs := Measure(ctx, "description")
	r.Shape = slices.Compact(slices.Sorted(slices.Values(w.Observed)))
	full, err := observed(n, w.Inputs, v, r.Shape, w.Found)
	if err != nil {
		return nil, err
	}
	namesOf(n, full.lines) // they differ in all that is ever looked up
	r.Description = full.String()
	r.Key = cache.KeyOf(r.Description)
	if r.Texts, err = b.keepTexts(n, full); err != nil {
		return nil, err
	}
	inputs()
	if n.Layer {
		layer, err := b.Store.CommitLayer(w.Upper, cache.LayerOptions{Volatile: n.Volatile})
		if err != nil {
			return nil, fmt.Errorf("keep what %s wrote: %w", n.Name, err)
		}
		s, err := b.settle(w.Inputs.Parent.with(n.Name, layer.Digest, w.Mounts, w.Mentions))
		if err != nil {
			return nil, fmt.Errorf("keep what %s left: %w", n.Name, err)
		}
		r.Below, r.Layers, r.Makers, r.Mounts, r.Mentions, r.Chain = s.Below, s.Layers, s.Makers, s.Mounts, s.Mentions, s.Chain()
	}
	if err := b.takeOutputs(w.Out, r.Outputs); err != nil {
		return nil, err
	}
	defer Measure(ctx, "record")()
	if err := b.Store.Put(r); err != nil {
		return nil, err
	}
	return r, nil
}

func (b *Builder) takeOutputs(dir string, outputs map[string]cache.Blob) error {
	return eachOutput(dir, func(name, path string) error {
		blob, err := b.Store.PutFile(path)
		if err != nil {
			return fmt.Errorf("keep output %q: %w", name, err)
		}
		outputs[name] = blob
		return nil
	})
}

// eachOutput calls f for every output in a directory that actions write to.
func eachOutput(dir string, f func(name, path string) error) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		return f(name, path)
	})
}
