package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/elements"
	"github.com/dibgraph/dibgraph/graph"
)

func newBuildsCommand(o *storeOptions) *cobra.Command {
	var image string
	var most int
	var asJSON bool
	c := &cobra.Command{
		Use:   "builds [-o IMAGE] [-n N]",
		Short: "list past builds, newest first",
		Long: `List the builds that the store remembers, newest first: when each began, of which
image, how it ended, how many nodes ran and how many hit, how long it took, how
long the nodes that hit had taken when they ran, and what was asked for. The last
200 are kept. The id names a build in other commands, as do last and last~1.

It changes nothing and needs no root.
`,
		Example: `  dibgraph builds -n 5
  dibgraph builds -o web
  dibgraph builds --json | jq 'map(.saved) | add'`,
		Args: arguments(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			if most < 0 {
				return &usageError{errors.New("-n is how many builds to list, and cannot be negative")}
			}
			return o.ask(func(store *cache.Store) error {
				past, err := pastBuilds(store, image, most)
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(c.OutOrStdout(), past)
				}
				return printBuilds(c.OutOrStdout(), past)
			})
		},
	}
	c.Flags().StringVarP(&image, "output", "o", "", "only those of the image of this `name`")
	c.Flags().IntVarP(&most, "number", "n", 0, "only the last `N` (0: all)")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON; durations are nanoseconds")
	return c
}

// A pastBuild is a line of the list.
type pastBuild struct {
	ID       string        `json:"id"`
	Image    string        `json:"image"`
	Args     []string      `json:"args"`
	Started  time.Time     `json:"started"`
	Duration time.Duration `json:"duration"`
	Outcome  string        `json:"outcome"`
	Nodes    int           `json:"nodes"`
	Ran      int           `json:"ran"`
	Hit      int           `json:"hit"`
	Failed   int           `json:"failed"`
	Saved    time.Duration `json:"saved"`
	Outputs  []string      `json:"outputs"`
}

// pastBuilds returns at most so many builds of an image, all for 0.
func pastBuilds(store *cache.Store, image string, most int) ([]pastBuild, error) {
	if image != "" {
		_, image = elements.SplitOutput(image, nil)
	}
	ids, err := store.Builds(image)
	if err != nil {
		return nil, err
	}
	past := []pastBuild{}
	for _, id := range ids {
		if most > 0 && len(past) == most {
			break
		}
		build, err := store.Build(id)
		if errors.Is(err, cache.ErrMissing) {
			continue // a build that ended meanwhile has pushed it out
		}
		if err != nil {
			return nil, err
		}
		past = append(past, summarise(build))
	}
	return past, nil
}

func summarise(b *cache.Build) pastBuild {
	p := pastBuild{
		ID: b.ID, Image: b.Image, Args: b.Args, Started: b.Started, Duration: b.Duration,
		Outcome: b.Outcome, Nodes: len(b.Nodes), Outputs: b.Outputs,
	}
	for _, n := range b.Nodes {
		p.Saved += n.Saved
		switch graph.Status(n.Status) {
		case graph.Ran:
			p.Ran++
		case graph.Hit:
			p.Hit++
		case graph.Failed:
			p.Failed++
		}
	}
	return p
}

func printBuilds(w io.Writer, past []pastBuild) error {
	if len(past) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tSTARTED\tIMAGE\tOUTCOME\tRAN\tHIT\tTOOK\tSAVED\tASKED FOR")
	for _, p := range past {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\t%s\n", p.ID, p.Started.Local().Format(time.DateTime), p.Image, p.Outcome,
			p.Ran, p.Hit, seconds(p.Duration), seconds(p.Saved), strings.Join(p.Args, " "))
	}
	return t.Flush()
}

// printJSON prints v for programs, and for people with patience.
func printJSON(w io.Writer, v any) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(v)
}
