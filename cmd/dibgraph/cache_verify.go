package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/cache"
)

func newCacheVerifyCommand(o *storeOptions) *cobra.Command {
	var full bool
	c := &cobra.Command{
		Use:   "verify [--full]",
		Short: "look for damage in the store",
		Long: `Look for damage in the store: whether everything is there that records name, by
sizes and counts. With --full, all content is read and hashed again, which takes
about as long as reading the store.

What is damaged goes to the directory "quarantine" of the store, and the nodes
whose results need it are listed: they run again in the next build. The exit status
is 7 if anything is damaged.
`,
		Example: `  dibgraph cache verify
  dibgraph cache verify --full`,
		Args: arguments(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			store, err := o.open(false)
			if err != nil {
				return err
			}
			defer store.Close()
			var found damageReport
			if err := store.Verify(c.Context(), full, found.add); err != nil {
				return err
			}
			return found.print(c.OutOrStdout())
		},
	}
	c.Flags().BoolVar(&full, "full", false, "read and hash all content again")
	return c
}

// A damageReport is what a verification found.
type damageReport struct {
	problems []string
	nodes    []string // that run again
}

func (r *damageReport) add(p cache.Problem) {
	r.problems = append(r.problems, p.String())
	if p.Node != "" {
		r.nodes = append(r.nodes, fmt.Sprintf("%s of image %s", p.Node, p.Image))
	}
}

func (r *damageReport) print(w io.Writer) error {
	if len(r.problems) == 0 {
		_, err := fmt.Fprintln(w, "no damage found")
		return err
	}
	slices.Sort(r.problems)
	slices.Sort(r.nodes)
	for _, p := range r.problems {
		fmt.Fprintln(w, p)
	}
	for _, n := range slices.Compact(r.nodes) {
		fmt.Fprintln(w, "runs again:", n)
	}
	return &hintError{&statusError{exitDamaged, fmt.Sprintf("verify the store: %s found", plural(len(r.problems), "problem"))},
		`what was damaged is in "quarantine" in the store; the next build makes again what it needs of it`}
}
