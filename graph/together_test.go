package graph

import (
	"fmt"
	"testing"
)

// plans plans all images, and says of each node what would become of it, and
// after a slash which image it is shared with.
func (s *several) plans() (verdicts []string) {
	s.t.Helper()
	var all [][]*Result
	for _, g := range s.graphs {
		results, err := (&Builder{Store: s.store}).Plan(g)
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, results)
	}
	Together(all...)
	for _, results := range all {
		text := ""
		for _, r := range results {
			text += string(r.Status)
			if r.With != nil {
				text += "/" + r.With.Image
			}
			text += " "
		}
		verdicts = append(verdicts, text)
	}
	return verdicts
}

func (s *several) mustPlan(want ...string) {
	s.t.Helper()
	if got := s.plans(); fmt.Sprint(got) != fmt.Sprint(want) {
		s.t.Errorf("plans %q, want %q", got, want)
	}
}

func TestTogether(t *testing.T) {
	s := newSeveral(t, "one", "two")
	// Only of the first node is the key known; the second may be the same.
	s.mustPlan("run run run ", "maybe/one maybe run ")
	s.mustBuild("a", "b", "own of one", "own of two")
	s.mustPlan("hit hit hit ", "hit hit hit ")
	s.world.text["b"] = "edited"
	s.mustPlan("hit run maybe ", "hit maybe/one maybe ")
	// What differs is nothing that the images have in common.
	s.world.text["b"] = "text of b"
	s.world.text["own of two"] = "edited"
	s.mustPlan("hit hit hit ", "hit hit run ")
}
