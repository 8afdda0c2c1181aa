package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/elements"
)

// The orders of the list, by the words of --sort. What is of most interest comes
// first; equal ones stay in the order of their names.
var cacheOrders = map[string]func(a, b cache.Held) int{
	"name":  func(_, _ cache.Held) int { return 0 },
	"size":  func(a, b cache.Held) int { return cmp.Compare(b.Bytes, a.Bytes) },
	"used":  func(a, b cache.Held) int { return b.Used.Compare(a.Used) },
	"saves": func(a, b cache.Held) int { return cmp.Compare(b.Saves, a.Saves) },
}

func newCacheListCommand(o *storeOptions) *cobra.Command {
	var image, order string
	var asJSON bool
	c := &cobra.Command{
		Use:   "ls [-o IMAGE] [GLOB…]",
		Short: "list the results that the store has",
		Long: `List the results that the store has: of which image and node each is, what it takes
on disk, when a build used it last, and how long the work took that it saves. A
node has one for each set of inputs it was run with. The size is that of what the
node itself left; a result also needs what the nodes before it left.

The globs choose nodes by name (a "*" stands for any text). It changes nothing and
needs no root.
`,
		Example: `  dibgraph cache ls --sort size
  dibgraph cache ls -o web 'install.d/*'
  dibgraph cache ls --json | jq 'map(.bytes) | add'`,
		RunE: func(c *cobra.Command, args []string) error {
			compare, known := cacheOrders[order]
			if !known {
				return &usageError{fmt.Errorf("--sort %q: want %s", order, strings.Join(slices.Sorted(maps.Keys(cacheOrders)), ", "))}
			}
			if err := nodeGlobs(args).check(); err != nil {
				return &usageError{err}
			}
			return o.ask(func(store *cache.Store) error {
				held, err := store.Contents(c.Context())
				if err != nil {
					return err
				}
				held, err = chosenResults(held, image, args)
				if err != nil {
					return err
				}
				slices.SortStableFunc(held, compare)
				if asJSON {
					return printJSON(c.OutOrStdout(), held)
				}
				return printHeld(c.OutOrStdout(), held, time.Now())
			})
		},
	}
	c.Flags().StringVarP(&image, "output", "o", "", "only those of the image of this `name`")
	c.Flags().StringVar(&order, "sort", "name", "`order`: name, size, used or saves")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON; durations are nanoseconds")
	return c
}

// chosenResults returns those of an image, all for "", whose nodes match a glob.
func chosenResults(held []cache.Held, image string, globs []string) ([]cache.Held, error) {
	if image != "" {
		_, image = elements.SplitOutput(image, nil)
		held = slices.DeleteFunc(held, func(h cache.Held) bool { return h.Image != image })
	}
	if len(globs) == 0 {
		return held, nil
	}
	var names []string
	for _, h := range held {
		names = append(names, h.Node)
	}
	if missed := nodeGlobs(globs).unmatched(names); len(missed) > 0 {
		return nil, &hintError{errors.New("no result is of a node " + missed[0]), `"dibgraph cache ls" without globs lists all`}
	}
	return slices.DeleteFunc(held, func(h cache.Held) bool { return !nodeGlobs(globs).match(h.Node) }), nil
}

func printHeld(w io.Writer, held []cache.Held, now time.Time) error {
	if len(held) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "IMAGE\tNODE\tKEY\tSIZE\tUSED\tSAVES\t")
	for _, h := range held {
		pinned := ""
		if h.Pinned {
			pinned = "pinned"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", h.Image, h.Node, h.Key.Short(), size(h.Bytes), since(h.Used, now), seconds(h.Saves), pinned)
	}
	return t.Flush()
}

// since says for people how long ago something was. A time to come is now.
func since(then, now time.Time) string {
	switch d := now.Sub(then); {
	case d < time.Minute:
		return "now"
	case d < time.Hour:
		return plural(int(d.Minutes()), "minute") + " ago"
	case d < 48*time.Hour:
		return plural(int(d.Hours()), "hour") + " ago"
	default:
		return plural(int(d.Hours()/24), "day") + " ago"
	}
}
