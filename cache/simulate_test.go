package cache

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// An author is somebody who works on one image for a week: mostly on its hooks,
// now and then on the list of packages, once on the base. The sizes and times are
// those of an image of Debian.
type author struct {
	r                    *rand.Rand
	base, packages       int
	hooks                [12]int
	builds               int
	before               [][12]int // what the hooks were
	now                  time.Time
	lastBase, lastPacked int
}

// A madeNode is a node of one build.
type madeNode struct {
	name  string
	key   string // its inputs: what was before it, too
	bytes int64
	took  time.Duration
	layer bool
}

// edit makes the next edit and returns the build that follows.
func (a *author) edit() []madeNode {
	a.builds++
	a.now = a.now.Add(time.Duration(5+a.r.IntN(25)) * time.Minute)
	if a.builds%12 == 0 {
		a.now = a.now.Add(15 * time.Hour) // the next day
	}
	a.before = append(a.before, a.hooks)
	switch p := a.r.IntN(100); {
	case p < 8: // only to see whether it still builds
	case p < 18: // back to what it was
		a.hooks = a.before[a.r.IntN(len(a.before))]
	case p < 28:
		a.lastPacked++
		a.packages = a.lastPacked
	case p < 32 && a.lastPacked > 0:
		a.packages-- // a package too many
	case p == 99 || a.builds == 30:
		a.lastBase++
		a.base = a.lastBase
	default:
		a.hooks[a.r.IntN(len(a.hooks))] = a.builds
	}
	const mb = 1 << 20
	chain := fmt.Sprint("base ", a.base)
	nodes := []madeNode{{"base", chain, 250 * mb, 40 * time.Second, true}}
	chain += fmt.Sprint(" packages ", a.packages)
	nodes = append(nodes, madeNode{"packages", chain, 180 * mb, 20 * time.Second, true})
	for i, h := range a.hooks {
		chain += fmt.Sprint(" hook ", h)
		nodes = append(nodes, madeNode{fmt.Sprint("hook ", i), chain, 8 << 10, 100 * time.Millisecond, true})
	}
	return append(nodes,
		madeNode{"raw", chain + " raw", 700 * mb, 4 * time.Second, false},
		madeNode{"qcow2", chain + " qcow2", 200 * mb, 3 * time.Second, false})
}

// A simulation is a store that only exists in the mind.
type simulation struct {
	limit int64 // 0: none
	held  map[string]*heldRecord
	order []string // of held, as they came
	sizes map[Digest]int64
	names map[string][]objectID
	saved time.Duration
	most  int64
}

func (s *simulation) build(nodes []madeNode, now time.Time) {
	used := make(map[string]bool)
	var layers []objectID
	for _, n := range nodes {
		own := objectID{blobsDir, DigestBytes([]byte(n.key))}
		parts := []objectID{own}
		if n.layer {
			own.dir = layersDir
			layers = append(layers, own)
			parts = append([]objectID(nil), layers...)
		}
		used[n.key] = true
		if r := s.held[n.key]; r != nil {
			s.saved += n.took
			r.used = now
			continue
		}
		s.sizes[own.hash] = n.bytes
		s.names[n.key] = parts
		s.held[n.key] = &heldRecord{key: KeyOf(n.key), node: n.name, bytes: 8 << 10, used: now, took: n.took}
		s.order = append(s.order, n.key)
		s.trim(used, now)
	}
}

// trim lets the store choose.
func (s *simulation) trim(used map[string]bool, now time.Time) {
	inv := newInventory()
	var keys []string
	var total int64
	for _, key := range s.order {
		r := s.held[key]
		if r == nil {
			continue
		}
		copied := *r
		copied.keep = used[key]
		for _, id := range s.names[key] {
			if _, known := inv.index[id]; !known {
				inv.addObject(object{objectID: id, bytes: s.sizes[id.hash]})
				total += s.sizes[id.hash]
			}
			copied.parts = inv.parts(copied.parts, id.dir, id.hash)
		}
		total += r.bytes
		inv.addRecord(copied)
		keys = append(keys, key)
	}
	if s.limit > 0 {
		e := newEviction(inv, now)
		e.free(total - s.limit)
		for _, i := range e.dropped {
			delete(s.held, keys[i])
		}
		total -= e.freed
	}
	s.most = max(s.most, total)
}

func simulate(limit int64, seed uint64) *simulation {
	a := &author{r: rand.New(rand.NewPCG(seed, 2)), now: time.Date(2024, 1, 1, 9, 0, 0, 0, time.UTC)}
	s := &simulation{limit: limit, held: map[string]*heldRecord{}, sizes: map[Digest]int64{}, names: map[string][]objectID{}}
	for range 50 {
		nodes := a.edit()
		s.build(nodes, a.now)
	}
	return s
}

// A third of the room saves nearly all of the time: what goes are disk images of
// builds that nobody comes back to.
func TestTrimKeepsTheSecondsSaved(t *testing.T) {
	for seed := range uint64(5) {
		all := simulate(0, seed)
		for _, percent := range []int64{50, 30, 10, 5} {
			s := simulate(all.most*percent/100, seed)
			kept := 100 * s.saved.Seconds() / all.saved.Seconds()
			t.Logf("history %d: %2d %% of %.1f GB, at most %.1f GB: %.1f %% of %.0f s saved",
				seed, percent, float64(all.most)/1e9, float64(s.most)/1e9, kept, all.saved.Seconds())
			if percent >= 30 && kept < 90 {
				t.Errorf("history %d: %d %% of the room saves %.1f %% of the seconds", seed, percent, kept)
			}
			if percent >= 10 && s.most > all.most*percent/100 {
				t.Errorf("history %d: it takes %d, more than %d %%", seed, s.most, percent)
			}
		}
	}
}
