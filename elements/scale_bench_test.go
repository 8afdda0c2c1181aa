package elements

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/steps"
)

// scales are numbers of elements; each has five hooks.
var scales = []int{10, 100, 1000}

func eachScale(b *testing.B, do func(b *testing.B, def Definition)) {
	for _, count := range scales {
		b.Run(fmt.Sprintf("elements=%d", count), func(b *testing.B) {
			b.ReportAllocs()
			do(b, synthetic(b, count))
		})
	}
}

// BenchmarkScaleLoad resolves, reads and merges elements.
func BenchmarkScaleLoad(b *testing.B) {
	eachScale(b, func(b *testing.B, def Definition) {
		defer processorTime(b)()
		for b.Loop() {
			loadSynthetic(b, def)
		}
	})
}

// BenchmarkScalePlanFirst is the plan of an image that was never built, with the
// loading of its elements.
func BenchmarkScalePlanFirst(b *testing.B) {
	eachScale(b, func(b *testing.B, def Definition) {
		dir := b.TempDir()
		defer processorTime(b)()
		for b.Loop() {
			planSynthetic(b, def, dir)
		}
	})
}

// BenchmarkScalePlanHit is the plan of an image of which nothing changed since it
// was built, with the loading of its elements.
func BenchmarkScalePlanHit(b *testing.B) {
	eachScale(b, func(b *testing.B, def Definition) {
		dir := b.TempDir()
		buildSynthetic(b, def, dir)
		defer processorTime(b)()
		for b.Loop() {
			for _, r := range planSynthetic(b, def, dir) {
				if r.Status != graph.Hit {
					b.Fatalf("%s: %s %v", r.Node.Name, r.Status, r.Reasons)
				}
			}
		}
	})
}

// BenchmarkScalePlanEdit is the plan after the first hook was edited: everything
// after it is judged as if it left the same.
func BenchmarkScalePlanEdit(b *testing.B) {
	eachScale(b, func(b *testing.B, def Definition) {
		dir := b.TempDir()
		buildSynthetic(b, def, dir)
		appendFile(b, filepath.Join(def.ElementsPath[0], "os/root.d/10-os"), "# edited\n")
		defer processorTime(b)()
		for b.Loop() {
			planSynthetic(b, def, dir)
		}
	})
}

// BenchmarkScaleRecord builds everything with hooks that do nothing but write a
// file each, so that what is left is the work of dibgraph itself. It reports
// what the records, shapes, history and logs take in the store.
func BenchmarkScaleRecord(b *testing.B) {
	eachScale(b, func(b *testing.B, def Definition) {
		var bytes int64
		var nodes int
		for b.Loop() {
			b.StopTimer()
			dir := b.TempDir()
			b.StartTimer()
			nodes = buildSynthetic(b, def, dir)
			b.StopTimer()
			bytes = recordBytes(b, dir)
			b.StartTimer()
		}
		b.ReportMetric(float64(bytes)/float64(nodes), "record-bytes/node")
	})
}

// processorTime reports, when the function it returns is called, what one
// operation took of all processors since: other programs on the machine make it
// differ less than the time that passed.
func processorTime(b *testing.B) func() {
	used := func() time.Duration {
		var u unix.Rusage
		if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	return func() { b.ReportMetric((used()-before).Seconds()*1000/float64(b.N), "cpu-ms/op") }
}

func loadSynthetic(b *testing.B, def Definition) *Image {
	b.Helper()
	img, err := Load(def, nil)
	if err != nil {
		b.Fatal(err)
	}
	return img
}

func planSynthetic(b *testing.B, def Definition, dir string) []*graph.Result {
	b.Helper()
	store, err := cache.Open(dir, cache.Options{ReadOnly: true})
	if err != nil {
		b.Fatal(err)
	}
	p := plannerOf(b, loadSynthetic(b, def), store)
	_, results, err := p.Plan(&graph.Builder{Store: store})
	if err != nil {
		b.Fatal(err)
	}
	return results
}

func plannerOf(b *testing.B, img *Image, store *cache.Store) *Planner {
	b.Helper()
	p := NewPlanner(img, store.TempDir, store, "/proc/self/exe")
	return p
}

// buildSynthetic fills a store with the results of all nodes, and returns how
// many there are. Keys and records are those of the real nodes; only what runs
// is not a hook.
func buildSynthetic(b *testing.B, def Definition, dir string) int {
	b.Helper()
	store, err := cache.Open(dir, cache.Options{})
	if err != nil {
		b.Fatal(err)
	}
	p := plannerOf(b, loadSynthetic(b, def), store)
	g, err := p.Graph()
	if err != nil {
		b.Fatal(err)
	}
	for i, n := range g.Nodes() {
		n.Action = &imitation{Action: n.Action, planner: p, number: i}
	}
	started := &graph.Builder{Store: store, Name: "bench@host"}
	if _, err := started.Build(context.Background(), g); err != nil {
		b.Fatal(err)
	}
	if err := store.Close(); err != nil {
		b.Fatal(err)
	}
	return len(g.Nodes())
}

// An imitation is the action of a node that is described as that is, but
// leaves what a run could have left without running anything.
type imitation struct {
	graph.Action
	planner *Planner
	number  int
}

func (i *imitation) Observe(d *graph.Description, name string, in *graph.Inputs) error {
	if o, ok := i.Action.(graph.Observer); ok {
		return o.Observe(d, name, in)
	}
	return nil
}

func (i *imitation) Run(_ context.Context, w *graph.Work) error {
	switch action := i.Action.(type) {
	case *steps.Environment:
		return i.environment(w, action)
	case *steps.Hook:
		return i.hook(w, action)
	case *steps.Disk:
		return os.WriteFile(filepath.Join(w.Out, steps.RawOutput), []byte("disk"), 0o600)
	case *steps.Convert:
		return os.WriteFile(filepath.Join(w.Out, steps.ImageOutput), []byte("image"), 0o600)
	}
	return nil
}

func (i *imitation) environment(w *graph.Work, action *steps.Environment) error {
	phase, _ := PhaseNamed(strings.TrimSuffix(action.Phase, ".d"))
	result := steps.PhaseResult{Set: map[string]string{}, Hooks: i.planner.hooks(phase)}
	for _, f := range action.Files {
		element, _, _ := strings.Cut(strings.TrimPrefix(f.Name, "50-"), ".")
		result.Set["DIB_"+strings.ToUpper(element)+"_A"] = element
	}
	content, err := json.Marshal(result)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(w.Out, "phase.json"), content, 0o600)
}

// hook lets every second hook write a file, and every twentieth a program that
// reads the variables it mentions itself. Those that look for files find theirs.
func (i *imitation) hook(w *graph.Work, action *steps.Hook) error {
	if action.Words.Has("dirname") {
		_, element, _ := strings.Cut(action.Name, "-")
		element, _, _ = strings.Cut(element, "-")
		w.Observed = []string{"dir hooks/" + element + "-data", "file hooks/" + element + "-data/" + element + ".conf"}
	}
	if i.number%20 == 1 {
		w.Mentions = slices.DeleteFunc(slices.Collect(maps.Keys(action.Words.Names)), func(name string) bool { return !own(name) })
	}
	if i.number%2 == 0 {
		return nil
	}
	return os.WriteFile(filepath.Join(w.Upper, fmt.Sprintf("file-%d", i.number)), []byte(action.Name), 0o644)
}

// recordBytes adds up what a build left besides layers and outputs.
func recordBytes(b *testing.B, dir string) (sum int64) {
	b.Helper()
	for _, name := range []string{"records", "shapes", "history", "builds", "blobs"} {
		err := filepath.WalkDir(filepath.Join(dir, name), func(_ string, e os.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() {
				return err
			}
			info, err := e.Info()
			sum += info.Size()
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return sum
}

func appendFile(b *testing.B, name, text string) {
	b.Helper()
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
}
