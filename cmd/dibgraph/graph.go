package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/cmd/dibgraph/reports"
	"github.com/dibgraph/dibgraph/graph"
)

func newGraphCommand(store *storeOptions) *cobra.Command {
	var image imageOptions
	var dot bool
	var page graphPage
	c := &cobra.Command{
		Use:   "graph [flags] ELEMENT…",
		Short: "show the nodes of an image and what they depend on",
		Long: `Show the nodes of the image in the order in which they are taken, grouped by
phase, with what a build would do to each. --dot prints the graph in the language
of Graphviz instead. It changes nothing and needs no root.

--html makes a page that needs nothing but a browser: the graph, and for each
node what became of it, why, and the end of what it printed, with a timeline.
With elements that is about the build that would run now, beside the times of the
last one; without elements about the last build (-o chooses the image).
"#node=NAME" at the end of its address opens a node.
`,
		Example: `  dibgraph graph debian-minimal vm
  dibgraph graph --dot debian-minimal vm | dot -Tsvg > graph.svg
  dibgraph graph --html > last.html             # the last build
  dibgraph graph --html=next.html debian-minimal vm`,
		Args: func(c *cobra.Command, args []string) error {
			if dot && page.file != "" {
				return errors.New("--dot and --html are two ways to print a graph: choose one")
			}
			return page.checkArgs(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			if page.file != "" {
				s, err := store.open(true)
				if err != nil {
					return err
				}
				return page.write(c, s, &image, args)
			}
			return runGraph(c, store, &image, dot, args)
		},
	}
	image.addFlags(c)
	c.Flags().BoolVar(&dot, "dot", false, "print DOT")
	c.Flags().StringVar(&page.file, "html", "", "print a page for a browser, or write it to `FILE`")
	c.Flags().Lookup("html").NoOptDefVal = "-"
	c.Flags().StringVar(&page.build, "build", "", "with --html: this past `BUILD`, an id or such as last~1")
	return c
}

func runGraph(c *cobra.Command, store *storeOptions, image *imageOptions, dot bool, args []string) error {
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
}

// printTree prints nodes with hooks indented below their phase.
func printTree(w io.Writer, image string, results []*graph.Result) {
	fmt.Fprintln(w, image)
	phase := ""
	for i, r := range results {
		group, name := reports.PhaseOf(r.Node.Name)
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
	group, _ := reports.PhaseOf(results[i+1].Node.Name)
	return group
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
