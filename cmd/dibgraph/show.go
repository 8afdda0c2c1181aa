package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/graph"
)

func newShowCommand(o *storeOptions) *cobra.Command {
	var past pastOptions
	var asJSON, files bool
	c := &cobra.Command{
		Use:   "show [-o IMAGE | --build ID] NODE",
		Short: "show what a node used and what it left",
		Long: `Show one node of a build, such as install.d/50-app: what became of it, who made
the result that was used, when and in how long, every input with its value, what
the run was seen to read, and what it left: its outputs, its layer (--files lists
what is in it), mounts. Values of secrets are not recorded.

It changes nothing and needs no root.
`,
		Example: `  dibgraph show install.d/50-app
  dibgraph show --files -o web install.d/50-app
  dibgraph show --json --build last~1 disk | jq .record.outputs`,
		Args: arguments(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			return o.ask(func(store *cache.Store) error {
				s, err := show(store, &past, args[0], files)
				if err != nil {
					return fmt.Errorf("show %s: %w", args[0], err)
				}
				if asJSON {
					return printJSON(c.OutOrStdout(), s)
				}
				s.print(c.OutOrStdout(), comparer{store})
				return nil
			})
		},
	}
	past.addFlags(c)
	c.Flags().BoolVar(&files, "files", false, "list what is in the layer that the node left")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// A shownNode is all that is recorded of one node.
type shownNode struct {
	Image string          `json:"image"`
	Build string          `json:"build"`
	Node  cache.BuildNode `json:"node"`
	// Record is what the node used or made; nil if it has no result.
	Record *cache.Record `json:"record"`
	// Layer is what the node left in the build tree; nil if it left nothing.
	Layer *shownLayer `json:"layer"`
}

// A shownLayer is one layer, with its paths only if they are wanted.
type shownLayer struct {
	Digest cache.Digest `json:"digest"`
	Paths  int          `json:"paths"`
	Bytes  int64        `json:"bytes"`
	Files  []shownFile  `json:"files,omitempty"`
	entry  []cache.Entry
}

type shownFile struct {
	Path    string `json:"path"`
	Removed bool   `json:"removed,omitempty"`
	*entryJSON
}

func show(store *cache.Store, past *pastOptions, name string, files bool) (*shownNode, error) {
	build, err := past.find(store)
	if err != nil {
		return nil, err
	}
	n, err := nodeIn(build, name)
	if err != nil {
		return nil, err
	}
	s := &shownNode{Image: build.Image, Build: build.ID, Node: n}
	if n.Key.IsZero() {
		return s, nil
	}
	if s.Record, err = recordIn(store, build, n); err != nil {
		return nil, err
	}
	own, ok := s.Record.Own()
	if !ok {
		return s, nil
	}
	listing, err := store.Listing(own)
	if err != nil {
		return nil, err
	}
	s.Layer = &shownLayer{Digest: own, Paths: len(listing.Entries), Bytes: listing.Bytes()}
	if files {
		s.Layer.list(listing)
	}
	return s, nil
}

func (l *shownLayer) list(listing *cache.Listing) {
	l.entry = listing.Entries
	for i := range l.entry {
		e := &l.entry[i]
		f := shownFile{Path: shownPath(e.Path), Removed: e.Whiteout}
		if !e.Whiteout {
			f.entryJSON = entryForJSON(e)
		}
		l.Files = append(l.Files, f)
	}
}

func (s *shownNode) print(w io.Writer, compare comparer) {
	fmt.Fprintf(w, "%s of %s, build %s: %s\n", s.Node.Name, s.Image, s.Build, outcome(s.Node))
	field := func(name, format string, args ...any) {
		fmt.Fprintf(w, "  %-10s %s\n", name, fmt.Sprintf(format, args...))
	}
	field("kind", "%s", s.Node.Kind)
	if s.Node.Where != "" {
		field("runs", "%s", s.Node.Where)
	}
	r := s.Record
	if r == nil {
		s.printReasons(w, compare)
		return
	}
	field("made", "%s in %s by %s, for %s", r.Started.Local().Format(time.DateTime), seconds(r.Duration), r.Builder, r.Image)
	field("key", "%s", r.Key)
	if r.Parent != "" {
		field("after", "%s", r.Parent)
	}
	if r.Coarse {
		field("coarse", "what it read could not be observed: everything it could have read counts")
	}
	for _, tool := range slices.Sorted(maps.Keys(r.Tools)) {
		field("tool", "%s %s", tool, r.Tools[tool])
	}
	s.printReasons(w, compare)
	s.printInputs(w)
	s.printResult(w)
}

func (s *shownNode) printReasons(w io.Writer, compare comparer) {
	if len(s.Node.Reasons) == 0 {
		return
	}
	fmt.Fprintln(w, "\nwhy:")
	for _, r := range s.Node.Reasons {
		fmt.Fprintf(w, "  %s\n", reasonTitle(r))
		for _, line := range compare.difference(r) {
			fmt.Fprintf(w, "    %s\n", line)
		}
	}
}

func (s *shownNode) printInputs(w io.Writer) {
	fmt.Fprintln(w, "\ninputs:")
	kept := make(map[cache.Digest]bool)
	for _, text := range s.Record.Texts {
		kept[text.Digest] = true
	}
	for _, line := range graph.ParseDescription(s.Record.Description) {
		text := unquotedName(line.Name) + "  " + shortValue(line.Value)
		if d, _, ok := contentOf(line.Value); ok && kept[d] {
			text += "  (text kept)"
		}
		fmt.Fprintf(w, "  %s\n", text)
	}
	if len(s.Record.Shape) > 0 {
		fmt.Fprintln(w, "\nwas seen to read:")
	}
	for _, name := range s.Record.Shape {
		fmt.Fprintf(w, "  %s\n", unquotedName(name))
	}
}

func (s *shownNode) printResult(w io.Writer) {
	fmt.Fprintln(w, "\nleft:")
	r := s.Record
	left := false
	say := func(format string, args ...any) {
		left = true
		fmt.Fprintf(w, "  "+format+"\n", args...)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Outputs)) {
		say("output %s, %s", name, bytesOf(r.Outputs[name].Size))
	}
	if s.Layer != nil {
		say("layer %s: %s, %s; the state has %s", s.Layer.Digest.Short(), plural(s.Layer.Paths, "path"), bytesOf(s.Layer.Bytes), plural(layersIn(r), "layer"))
		s.Layer.print(w)
	}
	for _, m := range r.Mounts {
		say("mount on %s of %s", m.Point, strings.TrimSpace(m.FSType+" "+m.Source))
	}
	if r.Log.Size > 0 {
		say("log, %s: \"dibgraph log --build %s %s\"", bytesOf(r.Log.Size), s.Build, quoted(s.Node.Name))
	}
	if !left {
		say("nothing")
	}
}

func (l *shownLayer) print(w io.Writer) {
	for i := range l.entry {
		if e := &l.entry[i]; e.Whiteout {
			fmt.Fprintf(w, "    %s: removed\n", shownPath(e.Path))
		} else {
			fmt.Fprintf(w, "    %s: %s\n", shownPath(e.Path), describeEntry(e))
		}
	}
}

// unquotedName takes the quotes off the name of an input.
func unquotedName(name string) string {
	kind, quoted, _ := strings.Cut(name, " ")
	if plain, err := strconv.Unquote(quoted); err == nil {
		return kind + " " + pathText(plain)
	}
	return name
}

// layersIn returns of how many layers the state is that a record left.
func layersIn(r *cache.Record) int {
	layers, _ := r.Tree()
	return len(layers)
}
