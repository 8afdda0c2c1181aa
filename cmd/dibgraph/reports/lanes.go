package reports

import (
	"cmp"
	"slices"
)

// arrange sorts spans by their start and gives each the lowest lane on which
// nothing else is going on: as many lanes as there were jobs at once.
func arrange(spans []span) {
	slices.SortStableFunc(spans, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	var lanes []int // the last span of each
	for i := range spans {
		s := &spans[i]
		s.lane = slices.IndexFunc(lanes, func(last int) bool { return spans[last].end <= s.start })
		if s.lane < 0 {
			s.lane = len(lanes)
			lanes = append(lanes, i)
		}
		lanes[s.lane] = i
	}
}

// laneCount returns how many lanes the spans take.
func laneCount(spans []span) int {
	count := 0
	for _, s := range spans {
		count = max(count, s.lane+1)
	}
	return count
}
