package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/elements"
	"github.com/dibgraph/dibgraph/graph"
)

type explainOptions struct {
	store *storeOptions
	image imageOptions
	json  bool
	all   bool
	node  string
}

func newExplainCommand(store *storeOptions) *cobra.Command {
	o := explainOptions{store: store}
	c := &cobra.Command{
		Use:   "explain [flags] [ELEMENT…]",
		Short: "say why each node ran or would run",
		Long: `Say for every node that ran why it did: each input that differs from the last
time, as the description of the node had it then and has it now, first cause
first. Without elements that is about the last build of this user's store (-o
chooses the image); with elements it is about the build that would run now.

It changes nothing and needs no root.
`,
		Example: `  dibgraph explain                              # the last build
  dibgraph explain -o web                       # the last build of web
  dibgraph explain -o web debian-minimal vm web # the build that would run now
  dibgraph explain --node install.d/50-app --json`,
		RunE: func(c *cobra.Command, args []string) error { return runExplain(c, &o, args) },
	}
	o.image.addFlags(c)
	c.Flags().StringVar(&o.node, "node", "", "only this `NODE`, such as install.d/50-app")
	c.Flags().BoolVar(&o.all, "all", false, "list the hits too")
	c.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return c
}

func runExplain(c *cobra.Command, o *explainOptions, args []string) error {
	store, err := o.store.open(true)
	if err != nil {
		return err
	}
	build, err := o.subject(store, args)
	if err != nil {
		return err
	}
	if o.node != "" {
		if build.Nodes = nodesNamed(build, o.node); len(build.Nodes) == 0 {
			return fmt.Errorf("explain %s: the build of %s had no node of that name", o.node, build.Image)
		}
		o.all = true
	}
	if o.json {
		out := json.NewEncoder(c.OutOrStdout())
		out.SetIndent("", "  ")
		return out.Encode(build)
	}
	printExplanation(c.OutOrStdout(), build, o.all)
	return nil
}

// subject returns the build to explain: the last one, or the one that would
// run now.
func (o *explainOptions) subject(store *cache.Store, args []string) (*cache.Build, error) {
	if len(args) == 0 {
		return lastBuild(store, o.image.output)
	}
	img, err := o.image.load(args)
	if err != nil {
		return nil, err
	}
	_, results, err := forecast(img, store)
	if err != nil {
		return nil, err
	}
	build := &cache.Build{Image: img.Definition.Name, Outcome: graph.OutcomePlanned}
	for _, r := range results {
		build.Nodes = append(build.Nodes, r.Summary())
	}
	return build, nil
}

// lastBuild returns the newest build of an image, of any image if none is
// named. The name may be one of an output, with directories.
func lastBuild(store *cache.Store, image string) (*cache.Build, error) {
	if image != "" {
		_, image = elements.SplitOutput(image, nil)
	}
	ids, err := store.Builds(image)
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		what := "nothing was built"
		if image != "" {
			what = fmt.Sprintf("%q was not built", image)
		}
		return nil, &hintError{errors.New(what + " with this store yet"), "name the elements to explain what a build would do; --cache-dir chooses another store"}
	}
	return store.Build(ids[0])
}

func nodesNamed(b *cache.Build, name string) []cache.BuildNode {
	for _, n := range b.Nodes {
		if n.Name == name {
			return []cache.BuildNode{n}
		}
	}
	return nil
}

func printExplanation(w io.Writer, b *cache.Build, all bool) {
	count := make(map[graph.Status]int)
	for _, n := range b.Nodes {
		count[graph.Status(n.Status)]++
	}
	if b.Outcome == graph.OutcomePlanned {
		fmt.Fprintf(w, "%s, if it were built now: %s\n", b.Image, counts(count))
	} else {
		fmt.Fprintf(w, "%s, built %s in %s: %s\n", b.Image, b.Started.Local().Format(time.DateTime), seconds(b.Duration), counts(count))
	}
	for _, n := range b.Nodes {
		if graph.Status(n.Status) == graph.Hit && !all {
			continue
		}
		fmt.Fprintf(w, "\n%s %s\n", n.Name, outcome(n))
		for _, r := range n.Reasons {
			fmt.Fprintf(w, "    %s\n", strings.ReplaceAll(reasonText(r), "\n", "\n    "))
		}
	}
}

// counts says how many nodes there are of each status, in a fixed order.
func counts(count map[graph.Status]int) string {
	var parts []string
	for _, s := range []struct {
		status graph.Status
		text   string
	}{
		{graph.Ran, "%d ran"}, {graph.Run, "%d would run"}, {graph.Maybe, "%d may run"},
		{graph.Failed, "%d failed"}, {graph.Skipped, "%d not reached"}, {graph.Hit, "%d hit"},
	} {
		if n := count[s.status]; n > 0 {
			parts = append(parts, fmt.Sprintf(s.text, n))
		}
	}
	if count[graph.Ran]+count[graph.Run]+count[graph.Maybe]+count[graph.Failed] == 0 {
		parts = append([]string{"nothing ran"}, parts...)
	}
	return strings.Join(parts, ", ")
}

func outcome(n cache.BuildNode) string {
	switch graph.Status(n.Status) {
	case graph.Hit:
		return "hit"
	case graph.Ran:
		return "ran (" + seconds(n.Duration) + ")"
	case graph.Failed:
		return "failed: " + n.Error
	case graph.Run:
		return "would run"
	case graph.Maybe:
		return "may run"
	}
	return "was not reached"
}

// firstReason is the first cause of a run, in a few words on one line.
func firstReason(reasons []cache.Reason) string {
	if len(reasons) == 0 {
		return "unknown reason"
	}
	text, _, _ := strings.Cut(reasonText(reasons[0]), "\n")
	if more := len(reasons) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}

// reasonText writes a reason as a sentence, with a diff where values differ.
func reasonText(r cache.Reason) string {
	if r.Detail != "" {
		return r.Detail
	}
	switch r.Kind {
	case cache.ReasonAdded:
		return inputName(r.Input) + " is new\n+ " + value(r.New)
	case cache.ReasonRemoved:
		return inputName(r.Input) + " is gone\n- " + value(r.Old)
	case cache.ReasonChanged:
		return inputName(r.Input) + " changed\n- " + value(r.Old) + "\n+ " + value(r.New)
	}
	return r.Kind
}

// inputName takes the quotes off the names of files.
func inputName(name string) string {
	kind, rest, ok := strings.Cut(name, " ")
	if !ok {
		return name
	}
	return kind + " " + strings.Trim(rest, `"`)
}

// value shortens what people cannot read anyway.
func value(s string) string {
	const most = 200
	digest, rest, _ := strings.Cut(s, " ")
	if d, err := cache.ParseDigest(digest); err == nil {
		s = strings.TrimSpace(d.Short() + " " + rest)
	}
	if len(s) > most {
		s = s[:most] + fmt.Sprintf("… (%d bytes)", len(s))
	}
	return s
}
