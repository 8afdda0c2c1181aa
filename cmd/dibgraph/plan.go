package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/cmd/dibgraph/reports"
	"github.com/dibgraph/dibgraph/elements"
	"github.com/dibgraph/dibgraph/graph"
)

func newPlanCommand(store *storeOptions) *cobra.Command {
	var image imageOptions
	var asJSON bool
	c := &cobra.Command{
		Use:   "plan [flags] {ELEMENT… | FILE.yaml… [IMAGE…]}",
		Short: "say what a build would run, and why, running nothing",
		Long: `Say for every node of the image whether a build would take it from the cache
("hit"), run it ("run", with the reason), or decide once an earlier node has run
("maybe": it hits if that one leaves the same as last time), with the time it
took and the bytes it left last time. It changes nothing and needs no root.

With files that list images it is about all of them, or those that are named
behind the files. What an earlier one of them runs need not run for the others:
that is a "maybe" too.

"dibgraph explain" with the same arguments says more about the reasons.
`,
		Example: `  dibgraph plan -o web debian-minimal vm web
  dibgraph plan images.yaml web
  dibgraph plan --json debian-minimal vm | jq '.nodes[] | select(.status != "hit").name'`,
		Args: noElements,
		RunE: func(c *cobra.Command, args []string) error {
			if listsImages(args) {
				list, err := image.loadList(args)
				if err != nil {
					return err
				}
				return runPlanList(c, store, list, asJSON)
			}
			s, storeErr := store.open(true)
			if storeErr == nil {
				defer s.ReadAhead(image.name())()
			}
			img, err := image.load(args)
			if err = cmp.Or(err, storeErr); err != nil {
				return err
			}
			return runPlan(c, s, img, asJSON)
		},
	}
	image.addFlags(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func runPlan(c *cobra.Command, store *cache.Store, img *elements.Image, asJSON bool) error {
	_, results, err := forecast(img, store)
	if err != nil {
		return err
	}
	if asJSON {
		build := plannedBuild(img, results)
		return reports.WriteJSON(c.OutOrStdout(), build, explainBuild(store, build))
	}
	w := bufio.NewWriter(c.OutOrStdout()) // a system call for each of thousands of lines takes its time
	forecastOf(store, results).write(w, img.Definition.Name)
	return w.Flush()
}

// A planText is a plan for people.
type planText struct {
	lines []string
	count map[graph.Status]int
	// took and bytes add up what the nodes that may run took and left last
	// time; unknown counts those that have no last time.
	took    time.Duration
	bytes   int64
	unknown int
}

func forecastOf(store *cache.Store, results []*graph.Result) planText {
	t := planText{count: make(map[graph.Status]int)}
	for _, r := range results {
		t.count[r.Status]++
		if r.Status == graph.Hit {
			t.lines = append(t.lines, fmt.Sprintf("%-5s %s%s", "hit", r.Node.Name, fromWhere(r.Record)))
			continue
		}
		expected := "no time known"
		if r.Record == nil {
			t.unknown++
		} else {
			left := bytesLeft(store, r.Record)
			t.took, t.bytes = t.took+r.Record.Duration, t.bytes+left
			expected = seconds(r.Record.Duration) + ", " + size(left)
		}
		t.lines = append(t.lines, fmt.Sprintf("%-5s %s: %s [%s]", r.Status, r.Node.Name, firstReason(r.Reasons), expected))
	}
	return t
}

// write writes the plan of an image.
func (t planText) write(w io.Writer, image string) {
	for _, line := range t.lines {
		fmt.Fprintln(w, line)
	}
	fmt.Fprintln(w, image+": "+t.total())
}

// total says what a build would do as a whole.
func (t planText) total() string {
	text := counts(t.count)
	if t.took > 0 {
		text += fmt.Sprintf("; at most %s and %s, by what these nodes took and left last time", seconds(t.took), size(t.bytes))
		if t.unknown > 0 {
			text += fmt.Sprintf(", and %d that never ran", t.unknown)
		}
	}
	return text
}

// bytesLeft is how many bytes of content a run left in the store.
func bytesLeft(store *cache.Store, r *cache.Record) int64 {
	var total int64
	for _, b := range r.Outputs {
		total += b.Size
	}
	if layer, ok := r.Own(); ok {
		total += store.LayerBytes(layer)
	}
	return total
}

// size writes a number of bytes for people, in decimal units.
func size(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	value := float64(n)
	for value >= 1000 && len(units) > 1 {
		value, units = value/1000, units[1:]
	}
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", value, units[0])
}
