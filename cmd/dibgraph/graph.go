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
		Use:   "graph [flags] {ELEMENT… | FILE.yaml… [IMAGE…]}",
		Short: "show the nodes of an image and what they depend on",
		Long: `Show the nodes of the image in the order in which they are taken, grouped by
phase, with what a build would do to each. --dot prints the graph in the language
of Graphviz instead. It changes nothing and needs no root.

With files that list images it shows those of all of them, or of the ones named
behind the files; what is the same in several is marked, and one node with --dot.

--html makes a page that needs nothing but a browser: the graph, and for each
node what became of it, why, and the end of what it printed, with a timeline.
With elements that is about the build that would run now, beside the times of the
last one; without elements about the last build (-o chooses the image).
"#node=NAME" at the end of its address opens a node.
`,
		Example: `  dibgraph graph debian-minimal vm
  dibgraph graph --dot debian-minimal vm | dot -Tsvg > graph.svg
  dibgraph graph --dot images.yaml | dot -Tsvg > images.svg
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
	if listsImages(args) {
		return runGraphList(c, store, image, dot, args)
	}
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
		return writeDOT(c.OutOrStdout(), g, results, nil)
	}
	printTree(c.OutOrStdout(), img.Definition.Name, results, nil)
	return nil
}

// runGraphList shows the images of files: as one graph, or as a tree for each.
func runGraphList(c *cobra.Command, store *storeOptions, image *imageOptions, dot bool, args []string) error {
	s, err := store.open(true)
	if err != nil {
		return err
	}
	plans, err := loadPlans(image, s, args)
	if err != nil {
		return err
	}
	same := sameAs(plans)
	if !dot {
		for i, p := range plans {
			if i > 0 {
				fmt.Fprintln(c.OutOrStdout())
			}
			printTree(c.OutOrStdout(), p.Name, p.results, same)
		}
		return nil
	}
	var all graph.Graph
	var results []*graph.Result
	for _, p := range plans {
		if err := all.Add(p.graph.Nodes()...); err != nil {
			return err
		}
		results = append(results, p.results...)
	}
	return writeDOT(c.OutOrStdout(), &all, results, same)
}

// printTree prints nodes with hooks indented below their phase. Same has those
// that are one with a node of another image.
func printTree(w io.Writer, image string, results []*graph.Result, same map[*graph.Node]*graph.Node) {
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
		with := ""
		if other := same[r.Node]; other != nil {
			with = ", that of " + other.Image
		}
		fmt.Fprintf(w, "%s%s (%s%s)\n", branch, name, r.Status, with)
	}
}

func nextGroup(results []*graph.Result, i int) string {
	group, _ := reports.PhaseOf(results[i+1].Node.Name)
	return group
}

var dotColours = map[graph.Status]string{graph.Hit: "palegreen", graph.Run: "lightsalmon", graph.Maybe: "khaki"}

// writeDOT draws the graph. Nodes in same are drawn as the ones that they map to;
// what is left is named with its image where there are several.
func writeDOT(w io.Writer, g *graph.Graph, results []*graph.Result, same map[*graph.Node]*graph.Node) error {
	status := make(map[*graph.Node]graph.Status, len(results))
	shared := make(map[*graph.Node]bool)
	for _, r := range results {
		status[r.Node] = r.Status
		if other := same[r.Node]; other != nil {
			shared[other] = true
		}
	}
	return g.WriteDOT(w, same, func(n *graph.Node) map[string]string {
		label := n.Name
		if same != nil && !shared[n] {
			label = n.ID()
		}
		return map[string]string{"label": label, "shape": "box", "style": "filled", "fillcolor": dotColours[status[n]]}
	})
}
