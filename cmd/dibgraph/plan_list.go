package main

import (
	"bufio"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/cmd/dibgraph/reports"
	"github.com/dibgraph/dibgraph/graph"
)

// A listedPlan is what a build would do for one image of a list.
type listedPlan struct {
	listedImage
	graph   *graph.Graph
	results []*graph.Result
	build   *cache.Build
}

// forecastList plans images that are built together.
func forecastList(list []listedImage, store *cache.Store) ([]listedPlan, error) {
	var plans []listedPlan
	var results [][]*graph.Result
	for _, l := range list {
		g, r, err := forecast(l.loaded, store, l.Cache...)
		if err != nil {
			return nil, err
		}
		plans, results = append(plans, listedPlan{listedImage: l, graph: g, results: r}), append(results, r)
	}
	graph.Together(results...)
	for i := range plans {
		plans[i].build = plannedBuild(plans[i].loaded, plans[i].results)
	}
	return plans, nil
}

func runPlanList(c *cobra.Command, o *storeOptions, list []listedImage, asJSON bool) error {
	store, err := o.open(true)
	if err != nil {
		return err
	}
	plans, err := forecastList(list, store)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(c.OutOrStdout())
	for i, p := range plans {
		if asJSON { // one object after the other
			if err := reports.WriteJSON(w, p.build, explainBuild(store, p.build)); err != nil {
				return err
			}
			continue
		}
		if i > 0 {
			fmt.Fprintln(w)
		}
		forecastOf(store, p.results).write(w, p.Name)
	}
	return w.Flush()
}

// loadPlans reads the images of files and plans them.
func loadPlans(image *imageOptions, store *cache.Store, args []string) ([]listedPlan, error) {
	list, err := image.loadList(args)
	if err != nil {
		return nil, err
	}
	return forecastList(list, store)
}

// sameAs returns, for the nodes of plans that use the same result as a node of an
// earlier one, the first node that does.
func sameAs(plans []listedPlan) map[*graph.Node]*graph.Node {
	first := make(map[cache.Key]*graph.Node)
	same := make(map[*graph.Node]*graph.Node)
	for _, p := range plans {
		for _, r := range p.results {
			switch {
			case r.With != nil:
				same[r.Node] = r.With
			case r.Status == graph.Hit && first[r.Record.Key] != nil:
				same[r.Node] = first[r.Record.Key]
			case r.Status == graph.Hit:
				first[r.Record.Key] = r.Node
			}
		}
	}
	return same
}
