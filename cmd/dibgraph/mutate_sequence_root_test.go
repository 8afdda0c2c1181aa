package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// After any sequence of edits of the table, each with a build after it, the image
// is the one that a build from nothing makes.
func TestMutateSequences(t *testing.T) {
	rounds := 1
	if os.Getenv(mutateVariable) != "" {
		rounds = 12
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	s := newSite(t)
	all := footprints(s)
	for round := range rounds {
		s.reset()
		var done []string
		for _, f := range sequence(random, all) {
			s.number = 1000 + 10*round + len(done)
			f.mutation.edit(s)
			s.build("store", "image")
			done = append(done, f.mutation.group+": "+f.mutation.name)
		}
		for _, n := range s.build("store", "image").Nodes {
			if n.Status != "hit" {
				t.Errorf("after %q, %s ran again", done, n.Name)
			}
		}
		s.build("clean-store", "clean")
		s.tool("rm", "-rf", "clean-store")
		if !equalTrees(t, s.result("image"), s.result("clean")) {
			t.Fatalf("round %d, after %q", round, done)
		}
	}
}

// A footprint is what an edit touches, so that others can be found that it has
// nothing to do with.
type footprint struct {
	mutation *mutation
	touched  []string
}

// footprints tries all edits once, without building.
func footprints(s *site) []footprint {
	all := mutations()
	var list []footprint
	for i := range all {
		if all[i].given != nil {
			continue // it needs what other edits do not
		}
		s.reset()
		vars, settings := maps.Clone(s.vars), s.settings()
		all[i].edit(s)
		f := footprint{&all[i], slices.Sorted(maps.Keys(s.touched))}
		for name, value := range s.vars {
			if was, ok := vars[name]; !ok || was != value {
				f.touched = append(f.touched, "variable "+name)
			}
		}
		if s.settings() != settings {
			f.touched = append(f.touched, "settings")
		}
		list = append(list, f)
	}
	s.reset()
	return list
}

// settings is what edits change besides files and variables.
func (s *site) settings() string { return fmt.Sprint(s.image, s.options, s.types, s.paths) }

// sequence chooses two to four edits of different things.
func sequence(random *rand.Rand, all []footprint) []footprint {
	var chosen []footprint
	for n := 2 + random.IntN(3); len(chosen) < n; {
		f := all[random.IntN(len(all))]
		if !slices.ContainsFunc(chosen, f.meets) {
			chosen = append(chosen, f)
		}
	}
	return chosen
}

// meets reports whether two edits touch the same thing, or one of them a
// directory that the other's is in.
func (f footprint) meets(o footprint) bool {
	for _, a := range f.touched {
		for _, b := range o.touched {
			if a == b || strings.HasPrefix(a, b+"/") || strings.HasPrefix(b, a+"/") {
				return true
			}
		}
	}
	return false
}
