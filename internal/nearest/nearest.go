// Package nearest finds the names that a mistyped one can have meant.
package nearest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxSuggestions is how many names are offered: more is a list, not a hint.
const maxSuggestions = 3

// Question asks whether the known names nearest to name were meant; it is empty
// when none is near.
func Question(name string, known []string) string {
	near := Names(name, known)
	if len(near) == 0 {
		return ""
	}
	for i, n := range near {
		near[i] = fmt.Sprintf("%q", n)
	}
	return "did you mean " + strings.Join(near, " or ") + "?"
}

// Names returns the known names that a third of the letters of name, at least
// one, can be mistyped for; nearest first, then by name.
func Names(name string, known []string) []string {
	type candidate struct {
		name     string
		distance int
	}
	limit := max(1, len(name)/3)
	var near []candidate
	for _, k := range known {
		if d := distance(name, k); d <= limit {
			near = append(near, candidate{k, d})
		}
	}
	slices.SortFunc(near, func(a, b candidate) int {
		return cmp.Or(a.distance-b.distance, strings.Compare(a.name, b.name))
	})
	var names []string
	for _, c := range near[:min(len(near), maxSuggestions)] {
		names = append(names, c.name)
	}
	return names
}

// distance returns how many letters have to be inserted, deleted, replaced or
// swapped with their neighbour to make b of a.
func distance(a, b string) int {
	before, last := []int(nil), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replace := last[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			row[j] = min(last[j]+1, row[j-1]+1, replace)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
