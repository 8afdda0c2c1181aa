package reports

import (
	"fmt"
	"math"
	"time"

	"github.com/dibgraph/dibgraph/cache"
)

// Sizes of the timeline, in units of its picture.
const (
	timelineWidth = 900
	laneHeight    = 30
	barHeight     = 24
	axisHeight    = 22
	letterWidth   = 7
	labelRoom     = 50 // of a tick
)

// A timeline is the nodes that ran in a build, as bars on lanes.
type timeline struct {
	Width, Height int
	Bars          []bar
	Ticks         []tick
}

type bar struct {
	X, Width float64
	Y        int
	Height   int
	Name     string
	Status   string
	Label    string // what of the name has room in the bar
	// Known says that the report has a node of that name.
	Known bool
	Took  time.Duration
}

type tick struct {
	X     float64
	Label string
}

// timelineOf draws a build, nil if nothing ran in it. Known are the nodes that
// can be looked at.
func timelineOf(b *cache.Build, known map[string]int) *timeline {
	if b == nil {
		return nil
	}
	spans := spansOf(b)
	if len(spans) == 0 {
		return nil
	}
	whole := b.Duration
	for _, s := range spans {
		whole = max(whole, s.end)
	}
	x := func(at time.Duration) float64 {
		return math.Round(10*timelineWidth*at.Seconds()/whole.Seconds()) / 10
	}
	t := &timeline{Width: timelineWidth, Height: axisHeight + laneHeight*laneCount(spans)}
	for _, s := range spans {
		_, ok := known[s.node.Name]
		t.Bars = append(t.Bars, bar{
			X: x(s.start), Width: max(x(s.end)-x(s.start), 2), Y: axisHeight + s.lane*laneHeight, Height: barHeight,
			Name: s.node.Name, Status: s.node.Status, Known: ok, Took: (s.end - s.start).Round(time.Millisecond),
		})
		last := &t.Bars[len(t.Bars)-1]
		if last.X = min(last.X, timelineWidth-last.Width); last.Width > float64(letterWidth*(len(last.Name)+1)) {
			last.Label = last.Name
		}
	}
	step := tickStep(whole)
	for at := time.Duration(0); at <= whole; at += step {
		t.Ticks = append(t.Ticks, tick{X: x(at)})
		if last := &t.Ticks[len(t.Ticks)-1]; last.X < timelineWidth-labelRoom {
			last.Label = tickLabel(at, step)
		}
	}
	return t
}

// tickStep is a round time of which a duration has at most ten.
func tickStep(whole time.Duration) time.Duration {
	for unit := time.Millisecond; ; unit *= 10 {
		for _, n := range []time.Duration{1, 2, 5} {
			if step := n * unit; unit <= time.Second && step <= 5*time.Second && whole <= 10*step {
				return step
			}
		}
		if unit > time.Second {
			break
		}
	}
	for _, step := range []time.Duration{10, 15, 30, 60, 120, 300, 600, 1200, 1800} {
		if whole <= 10*step*time.Second {
			return step * time.Second
		}
	}
	return (whole / 10).Truncate(time.Hour) + time.Hour
}

func tickLabel(at, step time.Duration) string {
	switch {
	case step < 10*time.Millisecond:
		return fmt.Sprintf("%d ms", at.Milliseconds())
	case step < time.Second:
		return fmt.Sprintf("%g s", at.Seconds())
	case step < 10*time.Second || at < time.Minute && step < time.Minute:
		return fmt.Sprintf("%d s", int(at.Seconds()))
	}
	return fmt.Sprintf("%d:%02d min", int(at.Minutes()), int(at.Seconds())%60)
}
