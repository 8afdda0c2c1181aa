package share

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/cache/remote"
	"github.com/dibgraph/dibgraph/cache/remote/directory"
)

// What no pack leads to goes, and packs that nobody wrote for long; what the
// rest leads to stays.
func TestCollect(t *testing.T) {
	dir := t.TempDir()
	g := remote.NewGuard(directory.New(dir), remote.GuardOptions{})
	a := newMachine(t, to(directory.New(dir)))
	a.send(a.put("one"))
	stray := remote.Content{Sum: remote.Sum{1}, Size: 5}
	path := filepath.Join(dir, "cas", stray.Sum.String()[:2], stray.Sum.String())
	check(t, os.MkdirAll(filepath.Dir(path), 0o755))
	check(t, os.WriteFile(path, []byte("stray"), 0o644))
	now := time.Now()

	collect := func(since, now time.Time, dry bool) Garbage {
		t.Helper()
		found, err := Collect(t.Context(), g, since, now, dry)
		check(t, err)
		return found
	}
	if got := collect(now.Add(-time.Hour), now, false); got.Packs+got.Contents != 0 || got.Kept != 2 {
		t.Errorf("at once: %+v", got)
	}
	later := now.Add(2 * settling)
	if got := collect(now.Add(-time.Hour), later, true); got.Contents != 1 || got.Bytes != 5 {
		t.Errorf("dry: %+v", got)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("a dry run removed something: %v", err)
	}
	if got := collect(now.Add(-time.Hour), later, false); got.Contents != 1 {
		t.Errorf("later: %+v", got)
	}
	b := newMachine(t, from(directory.New(dir)))
	b.find("one")
	if _, err := b.store.LayerDir(b.hit("one").Layers[0]); err != nil {
		t.Errorf("what a pack leads to is gone: %v", err)
	}
	if got := collect(later, later, false); got.Packs != 2 || got.Contents == 0 || got.Kept != 0 {
		t.Errorf("all packs are old: %+v", got)
	}
}
