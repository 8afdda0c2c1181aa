package cache

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/internal/faultcount"
)

// The clock jumps back and forth by up to years, of each of the processes that
// have the store open by itself. What an open store uses is not trimmed, nothing
// is trimmed in part, and the newest build is the last one.
func TestFaultsClock(t *testing.T) {
	rounds := 40
	if faultcount.Full() {
		rounds = 1500
	}
	suite := faultcount.New(t, "clock jumps")
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir() + "/store"
	for round := range rounds {
		suite.Case()
		c := &clockwork{t: t, suite: suite, random: random, round: round, now: time.Now()}
		c.run(dir)
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
}

// A clockwork is a store that is open twice, with clocks that jump.
type clockwork struct {
	t        *testing.T
	suite    *faultcount.Suite
	random   *rand.Rand
	round    int
	now      time.Time
	user     *Store // of what must stay
	trimming *Store
	used     []*Record
}

// clock is that of one store at one moment.
func (c *clockwork) clock() time.Time {
	jumps := []time.Duration{0, 0, time.Second, time.Hour, 25 * time.Hour, 365 * 24 * time.Hour, 40 * 365 * 24 * time.Hour}
	jump := jumps[c.random.IntN(len(jumps))]
	if c.random.IntN(2) == 0 {
		jump = -jump
	}
	return c.now.Add(jump)
}

func (c *clockwork) run(dir string) {
	c.t.Helper()
	sizes := []int64{0, 1, 50 << 10, 1 << 30}
	open := func() *Store {
		s, err := Open(dir, Options{Now: c.clock, MaxSize: sizes[c.random.IntN(len(sizes))]})
		check(c.t, err)
		return s
	}
	c.user, c.trimming = open(), open()
	for range 1 + c.random.IntN(6) {
		c.step()
		c.checkUsed()
	}
	check(c.t, c.user.Close())
	check(c.t, c.trimming.Verify(c.t.Context(), true, func(p Problem) { c.suite.Wrong(c.t, "%s", p) }))
	check(c.t, c.trimming.Close())
}

// step does one thing of those that builds and trims do.
func (c *clockwork) step() {
	c.t.Helper()
	switch c.random.IntN(4) {
	case 0:
		r := testRecord(c.t, c.user, fmt.Sprintf("record %d", c.random.IntN(30)))
		r.Image = fmt.Sprintf("image %d", c.random.IntN(3))
		r.Started = c.clock()
		// What came is not yet named by a record, and leased all the same.
		c.trim()
		check(c.t, c.user.Put(r))
		check(c.t, c.user.SetLast(r.Image, r.Node, r.Key))
		c.used = append(c.used, r)
	case 1:
		r, err := c.user.Lookup(KeyOf(fmt.Sprintf("record %d", c.random.IntN(30))))
		if err == nil {
			c.used = append(c.used, r)
		} else if miss, ok := errors.AsType[*MissError](err); !ok || miss.Reason != NeverBuilt {
			c.suite.Wrong(c.t, "look-up: %v", err)
		}
	case 2:
		b := &Build{Image: "image", Started: c.clock()}
		check(c.t, c.user.PutBuild(b))
		if ids := must[[]string](c.t)(c.user.Builds("")); ids[0] != b.ID {
			c.suite.Wrong(c.t, "the newest build is %s, not %s", ids[0], b.ID)
		}
	case 3:
		c.trim()
	}
}

func (c *clockwork) trim() {
	c.t.Helper()
	keeps := []time.Duration{0, time.Hour, 1000 * time.Hour}
	report, err := c.trimming.Trim(c.t.Context(), TrimOptions{MaxSize: int64(c.random.IntN(2)), Keep: keeps[c.random.IntN(len(keeps))]})
	check(c.t, err)
	if report.After < 0 || report.After > report.Before {
		c.suite.Wrong(c.t, "a trim of %d bytes left %d", report.Before, report.After)
	}
}

// checkUsed looks for all that the open store found or made.
func (c *clockwork) checkUsed() {
	c.t.Helper()
	for _, r := range c.used {
		got, err := c.user.Lookup(r.Key)
		if err != nil {
			c.suite.Wrong(c.t, "round %d: what is in use is gone: %v", c.round, err)
			continue
		}
		if got.Description != r.Description {
			c.suite.Wrong(c.t, "the record of %q is that of %q", r.Description, got.Description)
		}
		if text, err := c.user.ReadBlob(got.Log.Digest); err != nil || string(text) != "log of "+r.Description {
			c.suite.Wrong(c.t, "the log of %q is %q, %v", r.Description, text, err)
		}
		if _, err := c.user.LayerDir(got.Layers[0]); err != nil {
			c.suite.Wrong(c.t, "the layer of %q: %v", r.Description, err)
		}
	}
}
