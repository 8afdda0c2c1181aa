package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/cache"
)

type trimOptions struct {
	store            *storeOptions
	maxSize, minFree byteSize
	keep             age
	dryRun, asJSON   bool
}

func newCacheTrimCommand(store *storeOptions) *cobra.Command {
	o := trimOptions{store: store}
	c := &cobra.Command{
		Use:   "trim [--max-size SIZE] [--min-free SIZE]",
		Short: "give up the results that are worth least",
		Long: `Bring the store within limits. The results go first that take the most room for the
least time they save, and of those what was not used for long: old disk images
before the base system. What a running build uses, what is pinned, and what was
used within the time of --keep stays, whatever the limits.

Without a limit only what is of no use is removed: content that no result names,
damaged content after a week, and notes about what is long gone.

With --dry-run it changes nothing, needs no root, and lists what would go, and how
long it would take to make it again.
`,
		Example: `  dibgraph cache trim --max-size 20GB --dry-run
  dibgraph cache trim --min-free 10GiB --keep 24h`,
		Args: arguments(0, 0),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c) },
	}
	f := c.Flags()
	f.Var(&o.maxSize, "max-size", "the most that the store may take, such as 20GB")
	f.Var(&o.minFree, "min-free", "the least that is to be free on its filesystem, such as 10GiB")
	f.Var(&o.keep, "keep", "keep what a build used within this time, such as 7d or 24h")
	f.BoolVar(&o.dryRun, "dry-run", false, "only say what would go, and what it would cost later")
	f.BoolVar(&o.asJSON, "json", false, "print JSON; durations are nanoseconds")
	return c
}

func (o *trimOptions) run(c *cobra.Command) error {
	store, err := o.store.open(o.dryRun)
	if err != nil {
		return err
	}
	report, err := store.Trim(c.Context(), cache.TrimOptions{
		MaxSize: int64(o.maxSize), MinFree: int64(o.minFree), Keep: time.Duration(o.keep), DryRun: o.dryRun,
	})
	if err = errors.Join(err, store.Close()); err != nil {
		return err
	}
	if o.asJSON {
		err = printJSON(c.OutOrStdout(), report)
	} else {
		err = printTrim(c.OutOrStdout(), report, o.dryRun, time.Now())
	}
	if err == nil && report.Over > 0 {
		return &hintError{fmt.Errorf("trim the store: it is %s over the limit", size(report.Over)),
			`the rest is used by running builds, pinned, or kept by --keep; "dibgraph cache pin" lists pins`}
	}
	return err
}

func printTrim(w io.Writer, r *cache.TrimReport, dryRun bool, now time.Time) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(r.Records) > 0 {
		fmt.Fprintln(t, "FREES\tIMAGE\tNODE\tUSED\tTOOK")
	}
	for _, v := range r.Records {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", size(v.Bytes), v.Image, v.Node, since(v.Used, now), seconds(v.Took))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if r.Useless > 0 {
		fmt.Fprintf(w, "%s of no use to any build\n", size(r.Useless))
	}
	went, takes := "gone", "takes"
	if dryRun {
		went, takes = "would go", "would take"
	}
	fmt.Fprintf(w, "%s %s; making them again would take %s\n", plural(len(r.Records), "result"), went, seconds(r.Remake))
	_, err := fmt.Fprintf(w, "the store %s %s instead of %s\n", takes, size(r.After), size(r.Before))
	return err
}
