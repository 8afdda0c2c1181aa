package main

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/cache/remote"
	"github.com/dibgraph/dibgraph/steps"
)

// A taker is a machine that takes what others made from one place.
type taker struct {
	*program
	place sharedPlace
	args  []string // of its builds
	store string
}

// newTaker is another machine with the elements of a.
func newTaker(a *program, store string, place sharedPlace, public string, build []string) *taker {
	args := slices.Concat(build, []string{"--cache-from", place.address, "--cache-trust", public})
	return &taker{a.elsewhere(store), place, args, a.path(store)}
}

// A haul is what a build got: requests, the least and the most that the bytes of
// contents can be, and the bytes of packs and of answers that there is none.
type haul struct {
	requests    int
	least, most int64
	packs       int64
}

// mostPacks is how much the packs of a build may be: some 50 nodes take 50 kB.
const mostPacks = 200_000

// mostTexts is how much what is only shown may be: the hook as it was.
const mostTexts = 2000

// check compares with the bytes that contents have as they travel.
func (h haul) check(t *testing.T, contents int64) {
	t.Helper()
	if h.most < contents || h.least > contents+mostTexts || h.packs > mostPacks {
		t.Errorf("got %+v, want %d bytes of contents", h, contents)
	}
}

// take builds, and returns what ran and what came.
func (b *taker) take(t *testing.T) ([]string, haul) {
	t.Helper()
	b.place.since()
	_, said := b.run(b.args...)
	names := ran(b.last())
	if n := ranNodes(t, said); n != len(names) {
		t.Errorf("it is said that %d nodes ran, and recorded that %q did", n, names)
	}
	h := b.haul(said)
	t.Logf("%q ran, got %+v", names, h)
	return names, h
}

// checkHit builds what another machine built: it takes a pack and the image, and
// runs nothing.
func (b *taker) checkHit(t *testing.T) {
	t.Helper()
	names, got := b.take(t)
	if len(names) > 0 {
		t.Errorf("%q ran", names)
	}
	got.check(t, b.travels(b.record("qcow2").Outputs[steps.ImageOutput].Digest))
	if got.requests != 2 {
		t.Errorf("%d requests, want one for the pack and one for the image", got.requests)
	}
	if layers := b.layers(); len(layers) > 0 {
		t.Errorf("layers %q came, and nothing ran on them", layers)
	}
}

// checkEdit builds after an edit of a hook, where another machine built what was
// before it: it takes the layers that this hook works on, and no other, and does
// what was done there.
func (b *taker) checkEdit(t *testing.T, there *cache.Build) {
	t.Helper()
	names, got := b.take(t)
	if want := ran(there); !slices.Equal(names, want) {
		t.Errorf("%q ran, and on a machine that has everything %q", names, want)
	}
	want := keysIn(there)
	for name, key := range keysIn(b.last()) {
		// The kernel lays out the same files differently each time it fills a disk.
		if key != want[name] && name != "qcow2" {
			t.Errorf("%s has the key %s, and there %s", name, key.Short(), want[name].Short())
		}
	}
	made := make(map[string]bool)
	for _, name := range names {
		made[name] = true
	}
	var below int64
	all, makers := b.tree()
	for i, d := range all {
		if !made[makers[i]] {
			below += b.travels(d)
		}
	}
	got.check(t, below)
	var wanted []string
	for _, d := range all {
		wanted = append(wanted, d.String())
	}
	slices.Sort(wanted)
	if layers := b.layers(); !slices.Equal(layers, slices.Compact(wanted)) {
		t.Errorf("the layers are %q, want %q", layers, wanted)
	}
}

// keysIn returns the keys of the nodes, which have the digest of all that each
// works on.
func keysIn(b *cache.Build) map[string]cache.Key {
	keys := make(map[string]cache.Key)
	for _, n := range b.Nodes {
		keys[n.Name] = n.Key
	}
	return keys
}

// haul returns what came since the last one, as the meter has it. Nobody stands
// before a directory, and what the build says of it is rounded and has the packs
// in it.
func (b *taker) haul(said string) (h haul) {
	b.t.Helper()
	if b.place.meter == nil {
		requests, least, most := saidDown(b.t, said)
		return haul{requests: requests, least: least - mostPacks, most: most}
	}
	for _, e := range b.place.meter.exchanges() {
		h.requests++
		if contentPath.MatchString(e.line) {
			h.most += e.bytes.Load()
		} else {
			h.packs += e.bytes.Load()
		}
	}
	h.least = h.most
	return h
}

var downForm = regexp.MustCompile(`(\d+) requests?, (\d+(?:\.\d)?) (bytes?|kB|MB) down`)

// saidDown returns how much a build says that it asked for and got; the unit is
// that of the last digit.
func saidDown(t testing.TB, said string) (requests int, least, most int64) {
	t.Helper()
	m := downForm.FindStringSubmatch(said)
	if m == nil {
		t.Fatalf("it is not said what came:\n%s", said)
	}
	requests, _ = strconv.Atoi(m[1])
	amount, _ := strconv.ParseFloat(m[2], 64)
	unit := map[string]float64{"kB": 1e3, "MB": 1e6}[m[3]]
	if unit == 0 {
		return requests, int64(amount), int64(amount)
	}
	return requests, int64((amount - 0.1) * unit), int64((amount + 0.1) * unit)
}

// contentPath is in the addresses of contents, with all servers.
var contentPath = regexp.MustCompile(`/(contents|blobs|cas)/`)

// last returns the last build.
func (p *program) last() *cache.Build {
	p.t.Helper()
	out, _ := p.run("explain", "--all", "--json")
	var b cache.Build
	if err := json.Unmarshal([]byte(out), &b); err != nil {
		p.t.Fatal(err)
	}
	return &b
}

// record returns the record that a node had in the last build.
func (b *taker) record(node string) (r *cache.Record) {
	b.t.Helper()
	b.ask(func(s *cache.Store) (err error) {
		n, err := nodeIn(b.last(), node)
		if err == nil {
			r, err = s.Record(n.Key)
		}
		return err
	})
	return r
}

// tree returns the layers that the disk was made of in the last build, and who
// made them.
func (b *taker) tree() (layers []cache.Digest, makers []string) {
	b.t.Helper()
	b.ask(func(s *cache.Store) error {
		r, err := lastState(s, b.last())
		if err == nil {
			layers, makers = r.Tree()
		}
		return err
	})
	return layers, makers
}

// travels returns how many bytes content has in the remote.
func (b *taker) travels(d cache.Digest) int64 {
	b.t.Helper()
	var at struct{ Part remote.Content }
	b.ask(func(s *cache.Store) error {
		p, err := s.Places(d)
		if err != nil || p == nil {
			b.t.Fatalf("nobody knows where %s is: %v", d.Short(), err)
		}
		return json.Unmarshal(p.Places[0].At, &at)
	})
	return at.Part.Size
}

func (b *taker) ask(question func(*cache.Store) error) {
	b.t.Helper()
	s, err := cache.Open(b.store, cache.Options{ReadOnly: true})
	if err != nil {
		b.t.Fatal(err)
	}
	defer s.Close()
	if err := question(s); err != nil {
		b.t.Fatal(err)
	}
}

// layers returns the digests of those that are in the store.
func (b *taker) layers() (names []string) {
	b.t.Helper()
	paths, err := filepath.Glob(b.store + "/layers/*/*")
	if err != nil {
		b.t.Fatal(err)
	}
	for _, path := range paths {
		names = append(names, filepath.Base(path))
	}
	slices.Sort(names)
	return names
}
