package reports

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/graph"
)

func TestBandsOf(t *testing.T) {
	names := []string{"source:base", "env:root", "root.d/10-a", "[base]", "env:install", "install.d/50-b", "[packages]", "disk", "checksum:raw"}
	bands, labels := bandsOf(names)
	if want := []string{"sources", "root.d", "root.d", "root.d", "install.d", "install.d", "install.d", "image", "image"}; !slices.Equal(bands, want) {
		t.Errorf("bands %q, want %q", bands, want)
	}
	if want := []string{"base", "environment", "10-a", "[base]", "environment", "50-b", "[packages]", "disk", "checksum:raw"}; !slices.Equal(labels, want) {
		t.Errorf("labels %q, want %q", labels, want)
	}
}

// What is left of the dependencies leads to the same nodes, and none of it can
// be left out.
func TestReduce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dependencies := drawDependencies(t)
		reduced := reduce(dependencies)
		want := reach(dependencies)
		if got := reach(reduced); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%v became %v: that reaches %v, not %v", dependencies, reduced, got, want)
		}
		for i, direct := range reduced {
			for _, d := range direct {
				for _, other := range direct {
					if want[other][d] {
						t.Errorf("%v: %d depends on %d by way of %d, and still %v", dependencies, i, d, other, reduced)
					}
				}
			}
		}
	})
}

func drawDependencies(t *rapid.T) [][]int {
	all := make([][]int, rapid.IntRange(1, 12).Draw(t, "nodes"))
	for i := range all {
		for d := range i {
			if rapid.Bool().Draw(t, "depends") {
				all[i] = append(all[i], d)
			}
		}
	}
	return all
}

func reach(dependencies [][]int) []map[int]bool {
	all := make([]map[int]bool, len(dependencies))
	for i, direct := range dependencies {
		all[i] = make(map[int]bool)
		for _, d := range direct {
			all[i][d] = true
			for e := range all[d] {
				all[i][e] = true
			}
		}
	}
	return all
}

// No two boxes overlap, everything is inside the picture, and no edge crosses
// a box.
func TestLayOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dependencies := drawDependencies(t)
		nodes := make([]Node, len(dependencies))
		for i, direct := range dependencies {
			phase := rapid.SampledFrom([]string{"root.d/", "install.d/", ""}).Draw(t, "phase")
			n := cache.BuildNode{Name: fmt.Sprintf("%s%d", phase, i)}
			for _, d := range direct {
				n.Dependencies = append(n.Dependencies, nodes[d].Name)
			}
			nodes[i].Explanation = graph.Explanation{BuildNode: n}
		}
		d := layOut(nodes)
		for i, a := range d.Boxes {
			if a.X < titleRoom || a.Y < 0 || a.X+boxWidth > d.Width || a.Y+boxHeight > d.Height {
				t.Errorf("box %d at %d,%d is outside of %d × %d", i, a.X, a.Y, d.Width, d.Height)
			}
			for j, b := range d.Boxes[:i] {
				if abs(a.X-b.X) < boxWidth && abs(a.Y-b.Y) < boxHeight {
					t.Errorf("boxes %d and %d overlap", i, j)
				}
			}
		}
		for _, e := range d.Edges {
			checkEdge(t, d, e)
		}
	})
}

func abs(x int) int { return max(x, -x) }

var segment = regexp.MustCompile(`([MHV])(-?\d+)(?: (-?\d+))?`)

func checkEdge(t *rapid.T, d drawing, e edge) {
	x, y := 0, 0
	for _, s := range segment.FindAllStringSubmatch(e.Path, -1) {
		at, _ := strconv.Atoi(s[2])
		oldX, oldY := x, y
		switch s[1] {
		case "M":
			x = at
			y, _ = strconv.Atoi(s[3])
			continue
		case "H":
			x = at
		case "V":
			y = at
		}
		for i, b := range d.Boxes {
			if max(x, oldX) > b.X && min(x, oldX) < b.X+boxWidth && max(y, oldY) > b.Y && min(y, oldY) < b.Y+boxHeight {
				t.Errorf("the edge from %d to %d, %s, crosses box %d at %d,%d", e.From, e.To, e.Path, i, b.X, b.Y)
			}
		}
		if x < 0 || y < 0 || x > d.Width || y > d.Height {
			t.Errorf("the edge %s leaves the picture", e.Path)
		}
	}
	to := d.Boxes[e.To]
	if x < to.X || x > to.X+boxWidth || y != to.Y && y != to.Y+boxHeight && x != to.X {
		t.Errorf("the edge %s does not end at box %d at %d,%d", e.Path, e.To, to.X, to.Y)
	}
}
