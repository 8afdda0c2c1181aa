package main

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/graph"
)

// severalProgress shows the builds of several images as one. Events of nodes
// come from all of them at once.
type severalProgress struct {
	mu      sync.Mutex
	inner   progress
	rename  bool // say in the names of nodes which image they are of
	planned map[string][]*graph.Node
}

// newSeveralProgress shows builds of several images between calls of begin and
// close.
func newSeveralProgress(inner progress) *severalProgress {
	s := &severalProgress{inner: inner, rename: true, planned: make(map[string][]*graph.Node)}
	if j, ok := inner.(*jsonProgress); ok {
		j.several, s.rename = true, false
	}
	return s
}

func (s *severalProgress) begin(title string) { s.inner.begin(title) }

// image returns the progress of one image.
func (s *severalProgress) image(name string) progress {
	return &imageProgress{severalProgress: s, name: name}
}

func (s *severalProgress) close(text string) { s.inner.close(text) }

type imageProgress struct {
	*severalProgress
	name  string
	since time.Time
}

func (p *imageProgress) begin(string)       { p.since = time.Now() }
func (p *imageProgress) started() time.Time { return p.since }

func (p *imageProgress) notice(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inner.notice(p.name + ": " + text)
}

func (p *imageProgress) renamed(from, to string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inner.renamed(from, to) // the names tell which image it is
}

func (p *imageProgress) event(e graph.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if planned, ok := e.(graph.Planned); ok {
		p.planned[p.name] = planned.Nodes
		var all []*graph.Node
		for _, nodes := range p.planned {
			all = append(all, nodes...)
		}
		e = graph.Planned{Nodes: all}
	}
	if p.rename {
		e = withImage(e)
	}
	p.inner.event(e)
}

func (p *imageProgress) end(b *cache.Build) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inner.part(b)
}

func (p *imageProgress) part(b *cache.Build) { p.end(b) }

func (p *imageProgress) checked(c checkReport) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.results = slices.Clone(c.results)
	for i, r := range c.results {
		renamed := *r
		renamed.Node = nodeWithImage(r.Node)
		c.results[i] = &renamed
	}
	p.inner.checked(c)
}

// withImage returns the event with names that say of which image nodes are.
func withImage(e graph.Event) graph.Event {
	switch e := e.(type) {
	case graph.Started:
		e.Node = nodeWithImage(e.Node)
		return e
	case graph.Rechecking:
		e.Node = nodeWithImage(e.Node)
		return e
	case graph.Waiting:
		e.Node = nodeWithImage(e.Node)
		return e
	case graph.Finished:
		r := *e.Result
		r.Node = nodeWithImage(r.Node)
		return graph.Finished{Result: &r}
	}
	return e
}

func nodeWithImage(n *graph.Node) *graph.Node {
	named := *n
	named.Name = n.ID()
	return &named
}

// builtLine says how the builds of several images ended.
func builtLine(ends []*imageBuild) string {
	count := make(map[string]int)
	var ran, hits int
	for _, b := range ends {
		count[b.outcome()]++
		if b.record == nil {
			continue
		}
		for _, n := range b.record.Nodes {
			switch graph.Status(n.Status) {
			case graph.Ran:
				ran++
			case graph.Hit:
				hits++
			}
		}
	}
	text := plural(len(ends), "image")
	for _, outcome := range outcomesOfImages {
		if n := count[outcome]; n > 0 {
			text += fmt.Sprintf(", %d %s", n, outcome)
		}
	}
	return text + fmt.Sprintf("; %d ran, %d from the cache", ran, hits)
}
