package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/cmd/dibgraph/reports"
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
		Use:   "explain [flags] [ELEMENT… | FILE.yaml… [IMAGE…] | BUILD [BUILD]]",
		Short: "say why each node ran or would run",
		Long: `Say for every node that ran why it did. What changed first comes first, as a
difference of texts or values, and below it the nodes that it made run. --node
shows one node with the whole way from each cause to it.

Without arguments that is about the last build of the store (-o chooses the
image), with a build about that one ("dibgraph builds" lists them; "last" and
"last~2" count from the newest), with two builds about what differs between
them. With elements it is about the build that would run now; with files that list
images about those of all of them, or of the ones that are named behind the files.

It changes nothing and needs no root. --json prints what
docs/report.schema.json describes.
`,
		Example: `  dibgraph explain                              # the last build
  dibgraph explain -o web                       # the last build of web
  dibgraph explain -o web debian-minimal vm web # the build that would run now
  dibgraph explain images.yaml web              # the same, of an image in a file
  dibgraph explain last~1 last                  # what differs between the last two
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
	if listsImages(args) {
		return explainList(c, o, store, args)
	}
	build, err := o.subject(store, args)
	if err != nil {
		return err
	}
	return o.explain(c, store, build)
}

// explainList explains what would run now for images that files list. A node of
// one of them is called by its name, or with that of the image before it; only
// images that have it are explained then.
func explainList(c *cobra.Command, o *explainOptions, store *cache.Store, args []string) error {
	plans, err := loadPlans(&o.image, store, args)
	if err != nil {
		return err
	}
	shown := 0
	for _, p := range plans {
		one := *o
		if o.node != "" {
			one.node = strings.TrimPrefix(o.node, p.Name+"/")
			if len(nodesNamed(p.build, one.node)) == 0 {
				continue
			}
		}
		if shown++; shown > 1 && !o.json {
			fmt.Fprintln(c.OutOrStdout())
		}
		if err := one.explain(c, store, p.build); err != nil {
			return err
		}
	}
	if shown == 0 {
		return &hintError{fmt.Errorf("explain %s: no image has a node of that name", o.node), `"dibgraph graph" with the same files lists them`}
	}
	return nil
}

// explain prints the explanation of one build.
func (o *explainOptions) explain(c *cobra.Command, store *cache.Store, build *cache.Build) error {
	explained := explainBuild(store, build)
	if o.node != "" {
		if explained = explanationsOf(explained, o.node); len(explained) == 0 {
			return &hintError{fmt.Errorf("explain %s: the build of %s had no node of that name", o.node, build.Image), `"dibgraph explain --all" lists them`}
		}
	}
	if o.json {
		return reports.WriteJSON(c.OutOrStdout(), build, explained)
	}
	n := narrator{comparer: comparer{store}, w: c.OutOrStdout(), build: build}
	n.headline(explained, o.node == "")
	switch {
	case o.node != "":
		n.node(explained[0])
	default:
		n.changes(explained, o.all)
		n.unchanged(explained, o.all)
	}
	return nil
}

// explainBuild finds the first causes of every node of a build.
func explainBuild(store *cache.Store, build *cache.Build) []graph.Explanation {
	e := graph.Explainer{Build: build, Earlier: func(id string) *cache.Build { return buildBefore(store, build.Image, id) }}
	return e.Explain()
}

func explanationsOf(all []graph.Explanation, name string) []graph.Explanation {
	for _, e := range all {
		if e.Name == name {
			return []graph.Explanation{e}
		}
	}
	return nil
}

// buildID is what the ids of builds look like, and how the newest are counted.
var buildID = regexp.MustCompile(`^(\d{8}T\d{6}\.\d{3}-[0-9a-f]+|last(~\d+)?)$`)

// subject returns the build to explain: one that is named, the last one, or the
// one that would run now.
func (o *explainOptions) subject(store *cache.Store, args []string) (*cache.Build, error) {
	named := 0
	for _, arg := range args {
		if buildID.MatchString(arg) {
			named++
		}
	}
	switch {
	case len(args) == 0:
		return lastBuild(store, o.image.output)
	case named == len(args) && named == 1:
		return namedBuild(store, o.image.output, args[0])
	case named == len(args) && named == 2:
		return o.between(store, args[0], args[1])
	case named > 0:
		return nil, &hintError{&usageError{fmt.Errorf("explain %s: want elements, or one build, or two", strings.Join(args, " "))}, `see "dibgraph explain --help"`}
	}
	img, err := o.image.load(args)
	if err != nil {
		return nil, err
	}
	_, results, err := forecast(img, store)
	if err != nil {
		return nil, err
	}
	return plannedBuild(img, results), nil
}

// plannedBuild is the build that would be recorded for a plan.
func plannedBuild(img *elements.Image, results []*graph.Result) *cache.Build {
	build := &cache.Build{Image: img.Definition.Name, Args: img.Definition.Args, Outcome: graph.OutcomePlanned}
	for _, r := range results {
		build.Nodes = append(build.Nodes, r.Summary())
	}
	return build
}

// between returns the second of two builds with what differs from the first.
func (o *explainOptions) between(store *cache.Store, first, second string) (*cache.Build, error) {
	before, err := namedBuild(store, o.image.output, first)
	if err != nil {
		return nil, err
	}
	after, err := namedBuild(store, o.image.output, second)
	if err != nil {
		return nil, err
	}
	return graph.Between(store, before, after), nil
}

// namedBuild returns a build by its id, or counted from the last one of an
// image.
func namedBuild(store *cache.Store, image, id string) (*cache.Build, error) {
	back, counted := 0, strings.HasPrefix(id, "last")
	if !counted {
		b, err := store.Build(id)
		if errors.Is(err, cache.ErrMissing) {
			return nil, &hintError{fmt.Errorf("no build %s is recorded in this store", id), `"dibgraph builds" lists those that are`}
		}
		return b, err
	}
	if _, err := fmt.Sscanf(strings.TrimPrefix(id, "last"), "~%d", &back); err != nil && id != "last" {
		return nil, &usageError{fmt.Errorf("%q is no build", id)}
	}
	_, name := elements.SplitOutput(image, nil)
	ids, err := store.Builds(name)
	if err != nil {
		return nil, err
	}
	if back >= len(ids) {
		return nil, fmt.Errorf("%s: only %d builds are recorded in this store", id, len(ids))
	}
	return store.Build(ids[back])
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
		return nil, &hintError{
			errors.New(what + " with this store yet"),
			fmt.Sprintf("it is %s, and --cache-dir chooses another; \"plan\" and \"explain\" with the elements say what a build would do", store.Dir()),
		}
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
	case graph.Differs:
		return "differs"
	}
	if n.Duration > 0 {
		return "was stopped after " + seconds(n.Duration)
	}
	return "was not reached"
}

// when says of which time a build is.
func when(b *cache.Build) string { return b.Started.Local().Format(time.DateTime) }
