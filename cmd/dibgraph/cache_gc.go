package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/cache/settings"
	"github.com/dibgraph/dibgraph/cache/share"
)

func newCacheGCCommand() *cobra.Command {
	var address string
	keep := age(30 * 24 * time.Hour)
	var dryRun bool
	c := &cobra.Command{
		Use:   "gc --remote URL",
		Short: "remove from a remote what nobody stored for long",
		Long: `Remove from a remote the packs that no build has written within the time of --keep,
and content that no pack leads to any more. It needs the right to list and remove
there. Builds may go on meanwhile; one that loses something makes it again.

A registry gives back the room when it next collects its garbage. A web server
cannot be listed: clear it up where it is.
`,
		Example: `  dibgraph cache gc --remote oci://registry.example.org/images/cache --keep 90d --dry-run`,
		Args:    arguments(0, 0),
	}
	f := c.Flags()
	f.StringVar(&address, "remote", "", "the remote at `URL`")
	f.Var(&keep, "keep", "keep what was stored within this time, such as 90d")
	f.BoolVar(&dryRun, "dry-run", false, "only say what would go")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if address == "" {
			return &hintError{&usageError{errors.New("no remote is named")}, "name it with --remote; \"dibgraph cache config\" lists those that are used"}
		}
		notice := func(text string) { fmt.Fprintln(c.ErrOrStderr(), "note:", text) }
		shared := &sharedCache{guards: make(guards)}
		guard, err := shared.open(settings.Place{URL: address}, notice)
		if err != nil {
			return &usageError{err}
		}
		now := time.Now()
		g, err := share.Collect(c.Context(), guard, now.Add(-time.Duration(keep)), now, dryRun)
		did := "removed"
		if dryRun {
			did = "would be removed"
		}
		fmt.Fprintf(c.OutOrStdout(), "%s: %s and %s %s, %s; %s stay\n", guard,
			plural(g.Packs, "pack"), plural(g.Contents, "content"), did, size(g.Bytes), plural(g.Kept, "pack"))
		return err
	}
	return c
}
