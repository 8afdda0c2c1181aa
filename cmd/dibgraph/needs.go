package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dibgraph/dibgraph/elements"
	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/internal/host"
	"github.com/dibgraph/dibgraph/steps"
)

// checkPrograms finds out, before anything runs, whether the programs are there
// that this build is going to run in the end. What is cached needs none, and what
// another machine may have is not known yet.
func (b *imageBuild) checkPrograms(p *elements.Planner, builder *graph.Builder) error {
	if len(b.settings.From) > 0 {
		return nil
	}
	g, err := p.Graph()
	if err != nil {
		return err
	}
	nodes, err := g.Order()
	if err != nil || !slices.ContainsFunc(nodes, func(n *graph.Node) bool { return steps.Missing(n.Action) != "" }) {
		return err
	}
	_, results, err := p.Plan(builder)
	if err != nil {
		return err
	}
	var lacking, fixes []string
	for _, r := range results {
		program := steps.Missing(r.Node.Action)
		if program == "" || r.Status == graph.Hit {
			continue
		}
		lacking = append(lacking, fmt.Sprintf("%s needs %s", r.Node.Name, program))
		if fix := fixFor(program); !slices.Contains(fixes, fix) {
			fixes = append(fixes, fix)
		}
	}
	if lacking == nil {
		return nil
	}
	return &hintError{fmt.Errorf("build %s: %s: not installed here", b.img.Definition.Name, strings.Join(lacking, ", ")), strings.Join(fixes, "; ")}
}

// fixFor says how to get a program.
func fixFor(program string) string {
	var machine host.Machine
	for _, n := range buildNeeds {
		if slices.Contains(n.Programs, program) {
			if f := machine.Look([]host.Need{n})[0]; f.Fix != "" {
				return f.Fix
			}
		}
	}
	return "install " + program
}
