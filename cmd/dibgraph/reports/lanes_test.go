package reports

import (
	"slices"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/cache"
)

func TestArrange(t *testing.T) {
	for name, test := range map[string]struct {
		times [][2]time.Duration
		want  []int
	}{
		"none":               {nil, nil},
		"one after another":  {[][2]time.Duration{{0, 5}, {5, 9}, {10, 11}}, []int{0, 0, 0}},
		"two at once":        {[][2]time.Duration{{0, 5}, {2, 4}, {5, 9}}, []int{0, 1, 0}},
		"the lowest is free": {[][2]time.Duration{{0, 3}, {1, 9}, {4, 6}, {5, 7}}, []int{0, 1, 0, 2}},
		"by start":           {[][2]time.Duration{{8, 9}, {0, 9}}, []int{0, 1}},
	} {
		var spans []span
		for _, times := range test.times {
			spans = append(spans, span{start: times[0], end: times[1]})
		}
		arrange(spans)
		var got []int
		for _, s := range spans {
			got = append(got, s.lane)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: lanes %v, want %v", name, got, test.want)
		}
	}
}

func TestTimeline(t *testing.T) {
	b := &cache.Build{Started: began, Duration: 4 * time.Second, Nodes: []cache.BuildNode{
		{Name: "hit", Status: "hit", Started: began},
		{Name: "first", Status: "ran", Started: began.Add(time.Second), Duration: 2 * time.Second},
		{Name: "beside", Status: "failed", Started: began.Add(2 * time.Second), Duration: time.Millisecond},
	}}
	got := timelineOf(b, map[string]int{"first": 0})
	want := []bar{
		{X: 225, Width: 450, Y: axisHeight, Height: barHeight, Name: "first", Status: "ran", Label: "first", Known: true, Took: 2 * time.Second},
		{X: 450, Width: 2, Y: axisHeight + laneHeight, Height: barHeight, Name: "beside", Status: "failed", Took: time.Millisecond},
	}
	if !slices.Equal(got.Bars, want) {
		t.Errorf("bars\n%+v, want\n%+v", got.Bars, want)
	}
	if got.Height != axisHeight+2*laneHeight {
		t.Errorf("height %d is not that of two lanes", got.Height)
	}
	if ticks := []tick{{0, "0 s"}, {112.5, "0.5 s"}, {225, "1 s"}}; !slices.Equal(got.Ticks[:3], ticks) {
		t.Errorf("ticks %v, want %v …", got.Ticks, ticks)
	}
	if got := timelineOf(&cache.Build{Nodes: b.Nodes[:1]}, nil); got != nil {
		t.Errorf("a timeline of hits: %+v", got)
	}
}

func TestTickStep(t *testing.T) {
	for whole, want := range map[time.Duration]string{
		900 * time.Microsecond: "1 ms", 80 * time.Millisecond: "0.01 s", 3 * time.Second: "0.5 s", 45 * time.Second: "5 s",
		100 * time.Second: "10 s", 11 * time.Minute: "2:00 min", 40 * time.Hour: "300:00 min",
	} {
		step := tickStep(whole)
		if got := tickLabel(step, step); got != want || whole > 10*step {
			t.Errorf("first tick of %v is %s, want %s", whole, got, want)
		}
	}
}
