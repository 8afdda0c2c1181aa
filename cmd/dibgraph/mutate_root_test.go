package main

import (
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/dibgraph/dibgraph/cache"
)

// mutateVariable makes the suite run whole: its value is the name of a file for
// the table, or "-" for none.
const mutateVariable = "DIBGRAPH_MUTATE"

// After any single edit a build makes the image that a build from nothing makes,
// runs exactly the nodes that it must, and names the edit, and nothing else, as
// the first cause. Without the variable it is about a few of the edits only.
func TestMutate(t *testing.T) {
	all := mutations()
	whole := os.Getenv(mutateVariable) != ""
	if !whole {
		all = sample(all)
	}
	var score scoreboard
	t.Cleanup(func() { score.report(t) })
	workers := runtime.GOMAXPROCS(0)
	for worker := range workers {
		t.Run(fmt.Sprint(worker), func(t *testing.T) {
			m := newMutator(t)
			for i := worker; i < len(all); i += workers {
				t.Run(all[i].group+"/"+all[i].name, func(t *testing.T) {
					score.add(m.try(t, &all[i], i+1, whole || i%10 == 0))
				})
			}
		})
	}
}

// sample returns some edits of every sort.
func sample(all []mutation) []mutation {
	var some []mutation
	for i := 4; i < len(all); i += 18 {
		some = append(some, all[i])
	}
	return some
}

// A mutator tries mutations on a site of its own, one after the other, each with
// a copy of the store as it was before the first: two can have the same effect,
// and the second would run nothing after the first.
type mutator struct {
	site   *site
	before *cache.Build
}

func newMutator(t *testing.T) *mutator {
	t.Helper()
	s := newSite(t)
	m := &mutator{site: s, before: s.build("store", "image")}
	s.tool("mv", "store", "first-store")
	return m
}

// try makes an edit, builds, checks what that did, and takes the edit back, after
// which nothing has to run.
func (m *mutator) try(t *testing.T, mut *mutation, number int, clean bool) trial {
	s := m.site.in(t)
	s.number = number
	before := m.before
	s.tool("cp", "-a", "first-store", "store")
	if mut.given != nil {
		mut.given(s)
		before = s.build("store", "image")
		clear(s.touched)
	}
	mut.edit(s)
	b := s.build("store", "image")
	o := mut.check(s, before, b)
	if clean {
		s.build("clean-store", "clean")
		o.wrong = !equalTrees(t, s.result("image"), s.result("clean"))
		s.tool("rm", "-rf", "clean-store")
	}
	s.reset()
	for _, n := range s.build("store", "image").Nodes {
		if n.Status != "hit" {
			o.needless = append(o.needless, fmt.Sprintf("%s after the edit was taken back: %q", n.Name, n.Reasons))
		}
	}
	s.tool("rm", "-rf", "store")
	o.tell(t)
	return o
}

// in returns the site for a test below the one that made it.
func (s *site) in(t *testing.T) *site {
	one, p := *s, *s.program
	p.t = t
	one.program = &p
	one.reset()
	return &one
}

// equalTrees compares what two builds left.
func equalTrees(t *testing.T, got, want map[string]string) bool {
	t.Helper()
	if maps.Equal(got, want) {
		return true
	}
	compareTrees(t, got, want)
	return false
}

// tell fails the test of a mutation that went otherwise than it must.
func (o *trial) tell(t *testing.T) {
	t.Helper()
	for what, list := range map[string][]string{"ran needlessly": o.needless, "did not run": o.missing, "wrong first causes": o.causes} {
		if len(list) > 0 {
			t.Errorf("%s:\n%s", what, strings.Join(list, "\n"))
		}
	}
}

// A scoreboard collects outcomes. It may be used concurrently.
type scoreboard struct {
	mu   sync.Mutex
	list []trial
}

func (s *scoreboard) add(o trial) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, o)
}

// report logs the score, and writes the table to the file that was asked for.
func (s *scoreboard) report(t *testing.T) {
	type line struct{ edits, ran, nodes, wrong, needless, causes int }
	var total line
	groups := make(map[string]*line)
	for _, o := range s.list {
		g := groups[o.mutation.group]
		if g == nil {
			g = &line{}
			groups[o.mutation.group] = g
		}
		for _, l := range []*line{g, &total} {
			l.edits, l.ran, l.nodes = l.edits+1, l.ran+o.ran, l.nodes+o.nodes
			l.needless += len(o.needless)
			if o.wrong || len(o.missing) > 0 {
				l.wrong++
			}
			if len(o.causes) > 0 {
				l.causes++
			}
		}
	}
	var table strings.Builder
	table.WriteString("| edits of | edits | nodes that ran | wrong results | needless reruns | wrong first causes |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		g := groups[name]
		fmt.Fprintf(&table, "| %s | %d | %d of %d | %d | %d | %d |\n", name, g.edits, g.ran, g.nodes, g.wrong, g.needless, g.causes)
	}
	fmt.Fprintf(&table, "| all | %d | %d of %d | %d | %d | %d |\n", total.edits, total.ran, total.nodes, total.wrong, total.needless, total.causes)
	t.Logf("mutate: %d edits, %d wrong results, %d needless reruns, %d wrong first causes\n%s",
		total.edits, total.wrong, total.needless, total.causes, &table)
	if file := os.Getenv(mutateVariable); file != "" && file != "-" {
		if err := os.WriteFile(file, []byte(table.String()), 0o644); err != nil {
			t.Error(err)
		}
	}
}
