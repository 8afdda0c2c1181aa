package main

import (
	"context"
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

type shellOptions struct {
	past    pastOptions
	command string
	after   bool
}

func newShellCommand(store *storeOptions) *cobra.Command {
	var o shellOptions
	c := &cobra.Command{
		Use:   "shell [-o IMAGE | --build ID] [--after] NODE",
		Short: "open a shell on the build tree as a node finds it",
		Long: `Open a shell on what a node of the last build, such as install.d/50-app, has to
work on, with its environment and mounts: inside the image for hooks that run
there, on the host side otherwise. That is the state before the node, also after
it failed; --after is the state that it left.

With --build, with --after, and where the elements can no longer be read, state
and environment are those that were recorded, whatever the elements have become.
Of the merged hooks and the elements there is then only what the node was seen to
read.

What you change is thrown away when the shell ends. Needs root.
`,
		Example: `  dibgraph shell install.d/50-app
  dibgraph shell -c 'dpkg -l' install.d/50-app
  dibgraph shell --after --build last~1 install.d/50-app`,
		Args: arguments(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			return runShell(c.Context(), store, &o, args[0])
		},
	}
	o.past.addFlags(c)
	c.Flags().BoolVar(&o.after, "after", false, "open the state that the node left, in place of the one before it")
	c.Flags().StringVarP(&o.command, "command", "c", "", "run this `command` line instead of an interactive shell")
	return c
}

func runShell(ctx context.Context, store *storeOptions, o *shellOptions, name string) error {
	if os.Geteuid() != 0 {
		return &hintError{fmt.Errorf("shell %s: not running as root: the build tree has to be mounted", name), "run the same command with sudo -E"}
	}
	s, err := store.open(false)
	if err != nil {
		return err
	}
	return errors.Join(o.open(ctx, s, name), s.Close())
}

// open opens a shell on a node of today's graph, or on what is recorded.
func (o *shellOptions) open(ctx context.Context, store *cache.Store, name string) error {
	build, err := o.past.find(store)
	if err != nil {
		return err
	}
	if o.past.build != "" || o.after {
		return o.openRecorded(ctx, store, build, name)
	}
	node, err := nodeOf(store, build, name)
	if err != nil {
		if _, missing := nodeIn(build, name); missing == nil {
			fmt.Fprintf(os.Stderr, "dibgraph: note: the elements are not what they were (%v); this is what was recorded\n", err)
			return o.openRecorded(ctx, store, build, name)
		}
		return err
	}
	step, ok := node.Action.(steps.Sheller)
	if !ok {
		return fmt.Errorf("shell %s: a node of kind %s has no build tree", name, node.Kind)
	}
	b := &graph.Builder{Store: store}
	return b.Enter(ctx, node, func(w *graph.Work) error { return o.run(ctx, step, w, "before "+name+" of "+build.Image) })
}

// run opens the shell on a tree that is ready to be mounted.
func (o *shellOptions) run(ctx context.Context, step steps.Sheller, w *graph.Work, what string) error {
	if o.command == "" {
		fmt.Fprintf(os.Stderr, "The state %s. Changes are thrown away when this shell ends.\n", what)
	}
	return step.Shell(ctx, w, o.command, steps.Files{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
}

// openRecorded opens a shell on what a build recorded of a node.
func (o *shellOptions) openRecorded(ctx context.Context, store *cache.Store, build *cache.Build, name string) error {
	n, err := nodeIn(build, name)
	if err != nil {
		return fmt.Errorf("shell %s: %w", name, err)
	}
	var r *cache.Record
	if !n.Key.IsZero() {
		if r, err = recordIn(store, build, n); err != nil {
			return fmt.Errorf("shell %s: %w", name, err)
		}
	}
	state, err := o.state(store, build, n, r)
	if err != nil {
		return fmt.Errorf("shell %s: %w", name, err)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	past := &elements.Past{Store: store, Build: build, Environment: environment(), Helper: self}
	visit, err := past.Shell(n, r)
	if err != nil {
		return fmt.Errorf("shell %s: %w", name, err)
	}
	when := "before"
	if o.after {
		when = "after"
	}
	b := &graph.Builder{Store: store}
	return b.Revisit(ctx, build.Image, name, state, func(w *graph.Work) error {
		return o.run(ctx, visit, w, fmt.Sprintf("%s %s of %s, as in build %s", when, name, build.Image, build.ID))
	})
}

// state returns the record with the state that is wanted; nil is the empty tree.
func (o *shellOptions) state(store *cache.Store, build *cache.Build, n cache.BuildNode, r *cache.Record) (*cache.Record, error) {
	switch {
	case n.Kind == "convert" || n.Kind == "checksum":
		return nil, fmt.Errorf("a node of kind %s has no build tree", n.Kind)
	case o.after && r == nil:
		return nil, fmt.Errorf("it left no state in the build %s of %s: %s", build.ID, build.Image, outcome(n))
	case o.after && r.Chain.IsZero():
		return nil, &hintError{fmt.Errorf("a node of kind %s leaves no state", n.Kind), "the state before it is opened without --after"}
	case o.after:
		return r, nil
	case r == nil:
		return stateBefore(store, build, n)
	case r.Parent == "":
		return nil, nil
	}
	parent, err := store.Record(r.Uses[r.Parent])
	if err != nil {
		return nil, fmt.Errorf("the state before it, left by %s, is no longer in the store: %w", r.Parent, err)
	}
	return parent, nil
}

// stateBefore returns the last state in a build before a node that has no
// result: a node works on what the one before it left.
func stateBefore(store *cache.Store, build *cache.Build, n cache.BuildNode) (state *cache.Record, err error) {
	for _, earlier := range build.Nodes {
		if earlier.Name == n.Name {
			break
		}
		if earlier.Key.IsZero() {
			return nil, fmt.Errorf("the build %s of %s did not come as far: %s %s", build.ID, build.Image, earlier.Name, outcome(earlier))
		}
		r, err := recordIn(store, build, earlier)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", earlier.Name, err)
		}
		if !r.Chain.IsZero() {
			state = r
		}
	}
	return state, nil
}

// nodeOf lays out the graph of an earlier build again, from what was asked for
// then and the elements as they are now, and returns one of its nodes.
func nodeOf(store *cache.Store, build *cache.Build, name string) (*graph.Node, error) {
	def, err := elements.AskedFor(build)
	if err != nil {
		return nil, err
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
