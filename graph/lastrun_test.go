package graph

import (
	"io"
	"os"
	"testing"
)

// A run is offered what the node left last time, as long as it is whole.
func TestLastRun(t *testing.T) {
	b := newBench(t)
	n := b.add("a")
	var read, opened string
	n.Action.(*fake).peek = func(w *Work) {
		read, opened = "none", "none"
		if content, ok := w.Last.Read("out"); ok {
			read = string(content)
		}
		if file, ok := w.Last.Open("out"); ok {
			defer file.Close()
			content, err := io.ReadAll(file)
			if err != nil {
				t.Error(err)
			}
			opened = string(content)
		}
		if _, ok := w.Last.Read("other"); ok {
			t.Error("it has an output that was never there")
		}
	}
	check := func(wantRead, wantOpened string) []*Result {
		t.Helper()
		results := b.mustRun("a")
		if read != wantRead || opened != wantOpened {
			t.Errorf("read %q and opened %q, want %q and %q", read, opened, wantRead, wantOpened)
		}
		return results
	}
	check("none", "none")
	b.world.text["a"] = "two"
	results := check("text of a", "text of a")

	blob, _ := results[0].Output("out")
	damage := func(content string) {
		t.Helper()
		path := b.store.BlobPath(blob.Digest)
		if err := os.Chmod(path, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	damage("tWo") // of the same size: found when it is hashed, and in quarantine then
	b.world.text["a"] = "three"
	results = check("none", "none")
	blob, _ = results[0].Output("out")
	damage("longer than it was")
	b.world.text["a"] = "four"
	check("none", "none")
}

// A recheck finds out what a run leaves that is offered nothing.
func TestLastRunIsNotForRechecks(t *testing.T) {
	b := newBench(t)
	n := b.add("a")
	b.mustRun("a")
	runs := 0
	n.Action.(*fake).peek = func(w *Work) {
		runs++
		if w.Last != nil {
			t.Error("the recheck was offered something")
		}
	}
	builder := &Builder{Store: b.store, Recheck: func(*Node) bool { return true }}
	if _, err := builder.Build(t.Context(), b.graph); err != nil || runs != 1 {
		t.Errorf("%d runs: %v", runs, err)
	}
	var none *LastRun
	if _, ok := none.Open("out"); ok {
		t.Error("nothing has an output")
	}
}
