package main

import (
	"fmt"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/cmd/dibgraph/reports"
	"github.com/dibgraph/dibgraph/graph"
)

// A wording words the causes of many nodes. Most of them have the same ones, and
// comparing texts and layers takes time, so it remembers what it said.
type wording struct {
	narrator
	lines map[cache.Reason][]string
	hops  map[cache.Reason]string
}

func newWording(store *cache.Store) *wording {
	return &wording{narrator{comparer: comparer{store}}, make(map[cache.Reason][]string), make(map[cache.Reason]string)}
}

// why words the causes of one node.
func (w *wording) why(causes []graph.Cause) []reports.Why {
	var all []reports.Why
	for _, c := range causes {
		why := reports.Why{Title: causeTitle(c), Lines: w.shown(c.Reason)}
		if len(c.Path) > 0 {
			why.Title = c.Node + ": " + why.Title
			why.Lines = beginning(why.Lines, c.Node)
		}
		for _, hop := range c.Path {
			why.Way = append(why.Way, reports.Hop{Node: hop.Node, Text: w.hop(hop.Reason)})
		}
		all = append(all, why)
	}
	return all
}

func (w *wording) shown(r cache.Reason) []string {
	lines, ok := w.lines[r]
	if !ok {
		lines = w.difference(r)
		w.lines[r] = lines
	}
	return lines
}

func (w *wording) hop(r cache.Reason) string {
	key := r
	if !r.Before.IsZero() || !r.After.IsZero() {
		// The layers of the cause say it all; the state before differs.
		key.Input, key.Old, key.New = "", "", ""
	}
	text, ok := w.hops[key]
	if !ok {
		text = w.via(consequence{via: r})
		w.hops[key] = text
	}
	return text
}

// beginning cuts lines that are shown in full at another node.
func beginning(lines []string, node string) []string {
	const most = 8
	if more := len(lines) - most; more > 1 {
		lines = append(lines[:most:most], fmt.Sprintf("… and %d more lines, see %s", more, node))
	}
	return lines
}
