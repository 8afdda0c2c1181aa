package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/elements"
	"github.com/dibgraph/dibgraph/graph"
)

func newPlanCommand(store *storeOptions) *cobra.Command {
	var image imageOptions
	var asJSON bool
	c := &cobra.Command{
		Use:   "plan [flags] ELEMENT…",
		Short: "say what a build would run, and why, running nothing",
		Long: `Say for every node of the image whether a build would take it from the cache
("hit"), run it ("run", with the reason), or decide once an earlier node has run
("maybe": it hits if that one leaves the same as last time). It changes nothing
and needs no root.
`,
		Example: `  dibgraph plan -o web debian-minimal vm web
  dibgraph plan --json debian-minimal vm | jq '.nodes[] | select(.status != "hit").name'`,
		Args: noElements,
		RunE: func(c *cobra.Command, args []string) error {
			img, err := image.load(args)
			if err != nil {
				return err
			}
			return runPlan(c, store, img, asJSON)
		},
	}
	image.addFlags(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func runPlan(c *cobra.Command, o *storeOptions, img *elements.Image, asJSON bool) error {
	store, err := o.open(true)
	if err != nil {
		return err
	}
	_, results, err := forecast(img, store)
	if err != nil {
		return err
	}
	w := c.OutOrStdout()
	if asJSON {
		build := &cache.Build{Image: img.Definition.Name, Outcome: graph.OutcomePlanned}
		for _, r := range results {
			build.Nodes = append(build.Nodes, r.Summary())
		}
		out := json.NewEncoder(w)
		out.SetIndent("", "  ")
		return out.Encode(build)
	}
	count := make(map[graph.Status]int)
	var expected time.Duration
	for _, r := range results {
		count[r.Status]++
		line := fmt.Sprintf("%-5s %s", r.Status, r.Node.Name)
		if r.Status != graph.Hit {
			line += ": " + firstReason(r.Reasons)
			if r.Record != nil {
				expected += r.Record.Duration
				line += fmt.Sprintf(" [%s last time]", seconds(r.Record.Duration))
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
	fmt.Fprintf(w, "%s: %s", img.Definition.Name, counts(count))
	if expected > 0 {
		fmt.Fprintf(w, "; at most %s, by what these nodes took last time", seconds(expected))
	}
	fmt.Fprintln(w)
	return nil
}
