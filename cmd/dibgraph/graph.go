package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/graph"
)

func newGraphCommand(store *storeOptions) *cobra.Command {
	var image imageOptions
	var dot bool
	c := &cobra.Command{
		Use:   "graph [flags] ELEMENT…",
		Short: "show the nodes of an image and what they depend on",
		Long: `Show the nodes of the image in the order in which they are taken, grouped by
phase, with what a build would do to each. --dot prints the graph in the language
of Graphviz instead. It changes nothing and needs no root.
`,
		Example: `  dibgraph graph debian-minimal vm
  dibgraph graph --dot debian-minimal vm | dot -Tsvg > graph.svg`,
		Args: noElements,
		RunE: func(c *cobra.Command, args []string) error {
			img, err := image.load(args)
			if err != nil {
				return err
			}
			s, err := store.open(true)
			if err != nil {
				return err
			}
			g, results, err := forecast(img, s)
			if err != nil {
				return err
			}
			if dot {
				return writeDOT(c.OutOrStdout(), g, results)
			}
			printTree(c.OutOrStdout(), img.Definition.Name, results)
			return nil
		},
	}
	image.addFlags(c)
	c.Flags().BoolVar(&dot, "dot", false, "print DOT")
	return c
}

// printTree prints nodes with hooks indented below their phase.
func printTree(w io.Writer, image string, results []*graph.Result) {
	fmt.Fprintln(w, image)
	phase := ""
	for i, r := range results {
		group, name := grouped(r.Node.Name)
		if group != phase && group != "" {
			fmt.Fprintf(w, "├── %s\n", group)
		}
		phase = group
		branch := "├── "
		if i == len(results)-1 {
			branch = "└── "
		}
		if group != "" {
			branch = "│   " + "├── "
			if i == len(results)-1 || !strings.HasPrefix(nextGroup(results, i), group) {
				branch = "│   " + "└── "
			}
		}
		fmt.Fprintf(w, "%s%s (%s)\n", branch, name, r.Status)
	}
}

func nextGroup(results []*graph.Result, i int) string {
	group, _ := grouped(results[i+1].Node.Name)
	return group
}

// grouped returns the phase directory a node belongs to, "" for none, and its
// name within it.
func grouped(name string) (group, rest string) {
	if phase, ok := strings.CutPrefix(name, "env:"); ok {
		return phase + ".d", "environment"
	}
	if phase, hook, ok := strings.Cut(name, "/"); ok {
		return phase, hook
	}
	return "", name
}

var dotColours = map[graph.Status]string{graph.Hit: "palegreen", graph.Run: "lightsalmon", graph.Maybe: "khaki"}

func writeDOT(w io.Writer, g *graph.Graph, results []*graph.Result) error {
	status := make(map[*graph.Node]graph.Status, len(results))
	for _, r := range results {
		status[r.Node] = r.Status
	}
	return g.WriteDOT(w, func(n *graph.Node) map[string]string {
		return map[string]string{"label": n.Name, "shape": "box", "style": "filled", "fillcolor": dotColours[status[n]]}
	})
}
