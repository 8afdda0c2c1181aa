package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/cache"
)

// usageKinds says what the directories of the store hold, in few words. The
// others are named as they are.
var usageKinds = map[string]string{
	"":           "files of the store itself",
	"blobs":      "outputs, logs and texts",
	"layers":     "what nodes wrote into build trees",
	"squash":     "merged layers; files shared with layers count as those",
	"records":    "what went into nodes and came out",
	"tmp":        "being made by running builds",
	"trash":      "about to be deleted",
	"failed":     "kept by --keep-failed",
	"quarantine": "damaged, kept for a week",
}

// A storeUsage is what the store takes on disk.
type storeUsage struct {
	Kinds []cache.Usage `json:"kinds"`
	Bytes int64         `json:"bytes"`
}

func newCacheUsageCommand(o *storeOptions) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "du",
		Short: "say what the store takes on disk",
		Long: `Say what the store takes on disk, by kind and in total, as du counts it: blocks,
with a file that has several names counted once.

It changes nothing and needs no root.
`,
		Example: `  dibgraph cache du
  dibgraph cache du --json | jq .bytes`,
		Args: arguments(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			return o.ask(func(store *cache.Store) error {
				kinds, err := store.DiskUsage(c.Context())
				if err != nil {
					return err
				}
				u := storeUsage{Kinds: kinds}
				for _, k := range kinds {
					u.Bytes += k.Bytes
				}
				if asJSON {
					return printJSON(c.OutOrStdout(), u)
				}
				return printUsage(c.OutOrStdout(), u)
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON; sizes are bytes")
	return c
}

func printUsage(w io.Writer, u storeUsage) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, k := range u.Kinds {
		if k.Files > 1 {
			fmt.Fprintf(t, "%s\t%s\t%s\n", size(k.Bytes), k.Kind, usageKinds[k.Kind])
		}
	}
	fmt.Fprintf(t, "%s\ttotal\t\n", size(u.Bytes))
	return t.Flush()
}
