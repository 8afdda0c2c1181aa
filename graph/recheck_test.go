package graph

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/cache"
)

// recheck builds, running again what hits and has one of the names.
func (b *bench) recheck(names ...string) (results map[string]*Result, events []string) {
	b.t.Helper()
	b.world.runs = nil
	b.builder = &Builder{
		Store: b.store, Name: "test",
		Recheck: func(n *Node) bool { return slices.Contains(names, n.Name) },
		Events: func(e Event) {
			if e, ok := e.(Rechecking); ok {
				events = append(events, e.Node.Name)
			}
		},
	}
	list, err := b.builder.Build(b.t.Context(), b.graph)
	if err != nil {
		b.t.Fatal(err)
	}
	results = make(map[string]*Result)
	for _, r := range list {
		results[r.Node.Name] = r
	}
	return results, events
}

// storeFiles lists the files of a store that say what its results are.
func (b *bench) storeFiles() string {
	b.t.Helper()
	var all strings.Builder
	for _, dir := range []string{"records", "shapes", "history", "layers", "blobs"} {
		err := filepath.Walk(filepath.Join(b.store.Dir(), dir), func(path string, info os.FileInfo, err error) error {
			if err != nil || !info.Mode().IsRegular() {
				return err
			}
			content, err := os.ReadFile(path)
			when := info.ModTime()
			if dir == "records" {
				when = time.Time{} // of the last use
			}
			fmt.Fprintf(&all, "%s %s %s\n", path, when, DigestBytes(content))
			return err
		})
		if err != nil {
			b.t.Fatal(err)
		}
	}
	return all.String()
}

func TestRecheckAgrees(t *testing.T) {
	b := newBench(t)
	c := b.stack("c", b.stack("a", nil))
	b.stack("d", c)
	b.mustRun("a", "c", "d")
	before := b.storeFiles()
	results, events := b.recheck("a", "c")
	if want := []string{"a", "c"}; !slices.Equal(b.world.runs, want) || !slices.Equal(events, want) {
		t.Errorf("ran %q with events of %q, want %q", b.world.runs, events, want)
	}
	for _, name := range []string{"a", "c"} {
		if r := results[name]; r.Status != Hit || r.Recheck == nil || !r.Recheck.Agrees() {
			t.Errorf("%s: %s with %+v, want a hit that agrees", name, r.Status, r.Recheck)
		}
	}
	if results["d"].Recheck != nil {
		t.Error("d was rechecked, which nobody asked for")
	}
	if after := b.storeFiles(); after != before {
		t.Errorf("the store changed from\n%sto\n%s", before, after)
	}
}

func TestRecheckDiffers(t *testing.T) {
	b := newBench(t)
	a := b.stack("a", nil)
	b.stack("c", a)
	mood := "good"
	a.Action.(*fake).moody = func() string { return " in a " + mood + " mood" }
	b.mustRun("a", "c")
	before := b.storeFiles()
	mood = "bad"
	results, _ := b.recheck("a", "c")
	r := results["a"].Recheck
	if r.Agrees() || len(r.Layer.Differences) != 1 || r.Layer.Differences[0].Path != "a" {
		t.Fatalf("layer of a: %+v, want that the file a differs", r.Layer)
	}
	if got, want := r.Texts["a"], []string{"line 1:", "- text of a in a good mood (no newline)", "+ text of a in a bad mood (no newline)"}; !slices.Equal(got, want) {
		t.Errorf("diff %q, want %q", got, want)
	}
	if len(r.Outputs) != 1 || r.Outputs[0].Name != "out" || r.Outputs[0].Content.First != int64(len("text of a in a ")) {
		t.Errorf("outputs of a: %+v, want that out differs after %d bytes", r.Outputs, len("text of a in a "))
	}
	// What follows works on what is recorded.
	if !results["c"].Recheck.Agrees() || results["a"].Status != Hit {
		t.Errorf("c: %+v, want that it agrees", results["c"].Recheck)
	}
	if after := b.storeFiles(); after != before {
		t.Errorf("the store changed from\n%sto\n%s", before, after)
	}
	b.mustRun()
}

func TestRecheckOutputsComeAndGo(t *testing.T) {
	b := newBench(t)
	a := b.add("a")
	name := "old"
	a.Action.(*fake).moody = func() string { return "" }
	a.Action = &beside{fake: a.Action.(*fake), name: &name}
	b.mustRun("a")
	name = "new"
	results, _ := b.recheck("a")
	var got []string
	for _, o := range results["a"].Recheck.Outputs {
		got = append(got, fmt.Sprintf("%s missing %t new %t %d %d", o.Name, o.Missing, o.New, o.Content.Before, o.Content.After))
	}
	want := []string{"new missing false new true 0 3", "old missing true new false 3 0"}
	if !slices.Equal(got, want) {
		t.Errorf("outputs %q, want %q", got, want)
	}
}

// A beside makes another output with a name that is no input.
type beside struct {
	*fake
	name *string
}

func (a *beside) Run(ctx context.Context, w *Work) error {
	return errors.Join(a.fake.Run(ctx, w), os.WriteFile(filepath.Join(w.Out, *a.name), []byte(*a.name), 0o600))
}

func TestRecheckComparesMounts(t *testing.T) {
	b := newBench(t)
	a := b.stack("a", nil)
	point := "one"
	a.Action = &mounting{fake: a.Action.(*fake), point: &point}
	b.mustRun("a")
	if results, _ := b.recheck("a"); !results["a"].Recheck.Agrees() {
		t.Errorf("%+v, want that it agrees", results["a"].Recheck)
	}
	point = "two"
	if results, _ := b.recheck("a"); !results["a"].Recheck.Mounts || results["a"].Recheck.Agrees() {
		t.Errorf("%+v, want that it left other mounts", results["a"].Recheck)
	}
}

// A mounting leaves a mount at a point that is no input.
type mounting struct {
	*fake
	point *string
}

func (a *mounting) Run(ctx context.Context, w *Work) error {
	w.Mounts = []Mount{{Source: "source", Point: *a.point}}
	return a.fake.Run(ctx, w)
}

// An action that can look into its outputs has the last word about them.
func TestRecheckLooksInside(t *testing.T) {
	for inside, agrees := range map[string]bool{"same": true, "other": false, "unknown": false} {
		b := newBench(t)
		a := b.add("a")
		mood := "good"
		a.Action.(*fake).moody = func() string { return mood }
		a.Action = &seeing{fake: a.Action.(*fake), inside: inside}
		b.mustRun("a")
		mood = "bad"
		results, _ := b.recheck("a")
		r := results["a"].Recheck
		if r.Agrees() != agrees || len(r.Outputs) != 1 || (r.Outputs[0].Inside == nil) != (inside == "unknown") {
			t.Errorf("%s: %+v, want that it agrees: %t", inside, r, agrees)
		}
	}
}

// A seeing says what is in its outputs.
type seeing struct {
	*fake
	inside string
}

func (a *seeing) CompareOutput(_ context.Context, name, before, after, dir string) (Comparison, bool, error) {
	for _, path := range []string{before, after, dir} {
		if _, err := os.Stat(path); err != nil || name != "out" {
			return Comparison{}, false, errors.Join(err, errors.New("compare "+name))
		}
	}
	c := Comparison{}
	if a.inside == "other" {
		c.Differences = []cache.Difference{{Path: "file"}}
	}
	return c, a.inside != "unknown", nil
}

func TestRecheckFails(t *testing.T) {
	b := newBench(t)
	a := b.stack("a", nil)
	b.mustRun("a")
	a.Action.(*fake).fail = func() error { return errors.New("no luck") }
	results, _ := b.recheck("a")
	r := results["a"]
	if r.Err != nil || r.Status != Hit || r.Recheck.Agrees() || r.Recheck.Failed == nil || r.Recheck.Output != "about to fail\n" {
		t.Errorf("%s %v %+v, want a hit that failed when run again, with its output", r.Status, r.Err, r.Recheck)
	}
}

// What misses runs, and is not run twice for that.
func TestRecheckOfWhatRan(t *testing.T) {
	b := newBench(t)
	b.add("a")
	results, events := b.recheck("a")
	if r := results["a"]; r.Status != Ran || r.Recheck != nil || len(events) != 0 || len(b.world.runs) != 1 {
		t.Errorf("%s with %+v after %d runs, want one run", r.Status, r.Recheck, len(b.world.runs))
	}
	// In a later pass of the same build it hits.
	again, err := b.builder.Build(t.Context(), b.graph)
	if err != nil || len(b.world.runs) != 1 || again[0].Recheck != nil {
		t.Errorf("a second pass: %v after %d runs, want no further one", err, len(b.world.runs))
	}
}

// A second pass over what was rechecked reports it again and does not run it.
func TestRecheckOnce(t *testing.T) {
	b := newBench(t)
	b.add("a")
	b.mustRun("a")
	b.recheck("a")
	again, err := b.builder.Build(t.Context(), b.graph)
	if err != nil || len(b.world.runs) != 1 || again[0].Recheck == nil {
		t.Errorf("a second pass: %v after %d runs, want the first one's recheck", err, len(b.world.runs))
	}
}

func TestRecheckShowsNoSecrets(t *testing.T) {
	before, after := t.TempDir(), t.TempDir()
	var differences []cache.Difference
	for name, mode := range map[string]uint32{"open": 0o644, "secret": 0o640} {
		for dir, text := range map[string]string{before: "one\n", after: "two\n"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		e := &cache.Entry{Path: name, Type: cache.TypeFile, Mode: mode, Size: 4}
		differences = append(differences, cache.Difference{Path: name, Before: e, After: e, Aspects: []cache.Aspect{cache.AspectContent}})
	}
	texts, err := diffTexts(differences, before, after)
	if err != nil || texts["open"] == nil || texts["secret"] != nil {
		t.Errorf("%q, %v: want the diff of the file that all may read", texts, err)
	}
}
