package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/elements"
	"github.com/dibgraph/dibgraph/elements/stock"
	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/steps"
)

func newShellCommand(store *storeOptions) *cobra.Command {
	var image, command string
	c := &cobra.Command{
		Use:   "shell [-o IMAGE] NODE",
		Short: "open a shell on the build tree as a node finds it",
		Long: `Open a shell on what a node of the last build, such as install.d/50-app, has to
work on, with its environment and mounts: inside the image for hooks that run
there, on the host side otherwise. That is the state before the node, also after
it failed. What you change is thrown away when the shell ends. Needs root.
`,
		Example: `  dibgraph shell install.d/50-app
  dibgraph shell -c 'dpkg -l' install.d/50-app`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return runShell(c.Context(), store, image, command, args[0])
		},
	}
	c.Flags().StringVarP(&image, "output", "o", "", "`name` of the image (default: the one built last)")
	c.Flags().StringVarP(&command, "command", "c", "", "run this `command` line instead of an interactive shell")
	return c
}

func runShell(ctx context.Context, o *storeOptions, image, command, name string) error {
	if os.Geteuid() != 0 {
		return &hintError{fmt.Errorf("shell %s: not running as root: the build tree has to be mounted", name), "run the same command with sudo -E"}
	}
	store, err := o.open(false)
	if err != nil {
		return err
	}
	err = openShell(ctx, store, image, command, name)
	return errors.Join(err, store.Close())
}

func openShell(ctx context.Context, store *cache.Store, image, command, name string) error {
	build, err := lastBuild(store, image)
	if err != nil {
		return err
	}
	node, err := nodeOf(store, build, name)
	if err != nil {
		return err
	}
	step, ok := node.Action.(steps.Sheller)
	if !ok {
		return fmt.Errorf("shell %s: a node of kind %s has no build tree", name, node.Kind)
	}
	b := &graph.Builder{Store: store}
	return b.Enter(ctx, node, func(w *graph.Work) error {
		if command == "" {
			fmt.Fprintf(os.Stderr, "The state before %s of %s. Changes are thrown away when this shell ends.\n", name, build.Image)
		}
		return step.Shell(ctx, w, command, steps.Files{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
	})
}

// nodeOf lays out the graph of an earlier build again, from what was asked for
// then and the elements as they are now, and returns one of its nodes.
func nodeOf(store *cache.Store, build *cache.Build, name string) (*graph.Node, error) {
	var def elements.Definition
	if err := json.Unmarshal(build.Definition, &def); err != nil {
		return nil, fmt.Errorf("read what the last build of %s was asked for: %w", build.Image, err)
	}
	// Secrets are not recorded; those of now have to do.
	for name, value := range environment() {
		if _, recorded := def.Environment[name]; !recorded && elements.IsSecret(name, value) {
			def.Environment[name] = value
		}
	}
	img, err := elements.Load(def, stock.Elements())
	if err != nil {
		return nil, err
	}
	p, err := planner(img, store)
	if err != nil {
		return nil, err
	}
	g, _, err := p.Plan(&graph.Builder{Store: store})
	if err != nil {
		return nil, err
	}
	node := g.Node(def.Name, name)
	if node == nil {
		return nil, &hintError{fmt.Errorf("shell %s: %s has no node of that name", name, build.Image), `"dibgraph explain --all" lists them`}
	}
	return node, nil
}
