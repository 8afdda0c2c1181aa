package reports

import (
	"fmt"
	"strings"
	"time"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/graph"
)

// began is when the builds of the tests did.
var began = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// sample is a report on a build of a whole image: so many hooks, one of which
// changed, in the phases of an ordinary one.
func sample(hooks int) *Report {
	b := &cache.Build{ID: "20261123T100000.000-abcdef", Image: "web", Args: []string{"-o", "web", "debian-minimal", "vm", "web"},
		Started: began, Outcome: graph.OutcomeDone, Outputs: []string{"web.qcow2"}}
	add := func(kind, name string, dependencies ...string) {
		n := cache.BuildNode{Name: name, Kind: kind, Status: string(graph.Hit), Key: cache.KeyOf(name), Dependencies: dependencies,
			Started: began.Add(b.Duration), Saved: 1200 * time.Millisecond}
		if len(b.Nodes) > hooks/2 {
			n.Status, n.Saved, n.Duration = string(graph.Ran), 0, time.Duration(100+37*len(b.Nodes)%900)*time.Millisecond
			n.Reasons = []cache.Reason{{Kind: cache.ReasonChanged, Detail: "the state left by install.d/50-app changed", Cause: "install.d/50-app"}}
			b.Duration += n.Duration
		}
		b.Nodes = append(b.Nodes, n)
	}
	last := ""
	for i, phase := range []string{"root", "extra-data", "pre-install", "install", "post-install", "post-root"} {
		env := "env:" + phase
		if last == "" {
			add("environment", env)
		} else {
			add("environment", env, last)
		}
		count := []int{2, 4, 8, hooks - 24, 7, 3}[i]
		for j := range count {
			name := fmt.Sprintf("%s.d/%02d-some-hook-of-%s", phase, j, phase)
			if last == "" {
				add("hook", name, env)
			} else {
				add("hook", name, last, env)
			}
			last = name
		}
		if phase == "root" {
			add("base", "[base]", last)
			last = "[base]"
		}
	}
	add("disk", "disk", last)
	add("convert", "qcow2", "disk")
	add("checksum", "checksum:raw", "disk")
	b.Nodes[len(b.Nodes)-1].Started = b.Nodes[len(b.Nodes)-2].Started
	add("checksum", "checksum:qcow2", "qcow2")
	return worded(b)
}

// worded makes a report of a build, in any words.
func worded(b *cache.Build) *Report {
	r := &Report{Build: b, Timed: b, Headline: "some ran", Facts: []Fact{{"arguments", strings.Join(b.Args, " ")}}}
	e := graph.Explainer{Build: b}
	for _, explained := range e.Explain() {
		n := Node{Explanation: explained, Outcome: explained.Status}
		if n.Duration > 0 {
			n.Took = n.Duration.String()
			n.Reason = "the state left by install.d/50-app changed"
			n.Why = []Why{{Title: "elements/web/install.d/50-app changed", Lines: []string{" #!/bin/sh", "-echo one", "+echo two"}, Way: []Hop{{n.Name, "uses what it left"}}}}
		}
		n.Log = TailOf([]byte(strings.Repeat("Unpacking a-package (1.2.3-4) over (1.2.3-3) ...\n", 200)), LogRoom(len(b.Nodes), false))
		r.Nodes = append(r.Nodes, n)
	}
	return r
}
