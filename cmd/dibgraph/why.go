package main

import (
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/internal/nearest"
	"github.com/dibgraph/dibgraph/steps"
)

func newWhyCommand(o *storeOptions) *cobra.Command {
	var past pastOptions
	var asJSON bool
	c := &cobra.Command{
		Use:   "why [-o IMAGE | --build ID] PATH",
		Short: "say which node wrote a file of an image, and its history",
		Long: `Say which node wrote or last changed a path of the image, such as /etc/hosts, and
what every node before did to it, the first one first: content, mode, owner. Small
texts are compared. Symbolic links among the directories of the path are followed
as they are in the image.

The answer is about the tree that the disk is made from. What the disk node does
in the filesystem after that, with hooks of finalise.d among others, leaves no
layer; it is said where that may matter.

It changes nothing, mounts nothing and needs no root.
`,
		Example: `  dibgraph why /etc/hosts
  dibgraph why -o web /usr/bin/python3
  dibgraph why --build last~1 /etc/passwd`,
		Args: arguments(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			return o.ask(func(store *cache.Store) error {
				a, err := why(store, &past, args[0])
				if err != nil {
					return fmt.Errorf("why %s: %w", args[0], err)
				}
				if asJSON {
					return printJSON(c.OutOrStdout(), a)
				}
				a.print(c.OutOrStdout())
				return nil
			})
		},
	}
	past.addFlags(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// A fileAnswer says how a path came to be what it is.
type fileAnswer struct {
	Image string `json:"image"`
	Build string `json:"build"`
	Path  string `json:"path"`
	// Now is what is there; nil for a path that was removed.
	Now       *entryJSON     `json:"now"`
	Revisions []fileRevision `json:"revisions,omitempty"`
	// Contents says for a directory which nodes left the files in it.
	Contents []portion `json:"contents,omitempty"`
	// Disk says what the disk node does to the path by itself, and DiskHooks
	// are the hooks that it runs in the filesystem.
	Disk      string   `json:"disk,omitempty"`
	DiskHooks []string `json:"disk_hooks,omitempty"`

	now *cache.Entry
}

// A fileRevision is what one node did to a path.
type fileRevision struct {
	maker
	Before *entryJSON `json:"before"`
	After  *entryJSON `json:"after"`
	// Changed says what differs, where there are both.
	Changed []cache.Aspect `json:"changed,omitempty"`
	// Diff compares contents, if they are short texts that are still there.
	Diff []string `json:"diff,omitempty"`

	revision cache.Revision
}

// A maker is the node that left a layer.
type maker struct {
	Node    string    `json:"node"`
	Where   string    `json:"where,omitempty"`
	Started time.Time `json:"started,omitzero"`
}

func (m maker) String() string {
	text := m.Node
	if m.Where != "" {
		text += " (" + m.Where + ")"
	}
	if !m.Started.IsZero() {
		text += ", " + m.Started.Local().Format(time.DateTime)
	}
	return text
}

// A portion is how much of a directory one node left.
type portion struct {
	Node  string `json:"node"`
	Files int    `json:"files"`
}

// why answers for one build.
func why(store *cache.Store, past *pastOptions, name string) (*fileAnswer, error) {
	build, err := past.find(store)
	if err != nil {
		return nil, err
	}
	state, err := lastState(store, build)
	if err != nil {
		return nil, err
	}
	if state == nil {
		return nil, fmt.Errorf("the build %s of %s left no tree", build.ID, build.Image)
	}
	digests, makers := state.Tree()
	layers, err := store.Listings(digests)
	if err != nil {
		return nil, err
	}
	view := cache.NewView(layers)
	at := view.Resolve(imageRoot, name)
	a := &fileAnswer{Image: build.Image, Build: build.ID, Path: shownPath(at), now: view.Find(at), DiskHooks: diskHooks(store, build)}
	a.Now = entryForJSON(a.now)
	w := witness{store: store, build: build, layers: digests, makers: makers}
	for _, r := range cache.Revisions(layers, at) {
		a.Revisions = append(a.Revisions, w.tell(r, a.Revisions))
	}
	var made bool
	if a.Disk, made = steps.DiskEffect(a.Path); len(a.Revisions) == 0 && !made {
		return nil, a.unknown(view, at)
	}
	if a.now != nil && a.now.Type == cache.TypeDir {
		a.Contents = w.shares(view, at)
	}
	return a, nil
}

// A witness tells what the layers of a state know.
type witness struct {
	store *cache.Store
	build *cache.Build
	// layers and makers are those of the state, bottom first.
	layers []cache.Digest
	makers []string
}

// maker returns the node that left a layer, with what is known of its run.
func (w witness) maker(layer int) maker {
	m := maker{Node: w.makers[layer]}
	if n, err := nodeIn(w.build, m.Node); err == nil {
		m.Where = n.Where
		if r, err := w.store.Record(n.Key); err == nil {
			m.Started = r.Started
		}
	}
	return m
}

// tell adds to a revision who made it, and the difference of the texts.
func (w witness) tell(r cache.Revision, earlier []fileRevision) fileRevision {
	told := fileRevision{maker: w.maker(r.Layer), Before: entryForJSON(r.Before), After: entryForJSON(r.After), Changed: r.Aspects, revision: r}
	for _, aspect := range r.Aspects {
		if aspect == cache.AspectContent {
			// What was there before is in the layer of the revision before.
			before := w.text(earlier[len(earlier)-1].revision.Layer, r.Before)
			after := w.text(r.Layer, r.After)
			if before != nil && after != nil {
				told.Diff = cache.ShortDiff(before, after)
			}
		}
	}
	return told
}

// text returns the content of a file in a layer; nil if it is too long to be
// compared, or cannot be read.
func (w witness) text(layer int, e *cache.Entry) []byte {
	if e.Size > cache.MaxDiffFile {
		return nil
	}
	content, err := w.store.ReadFile(w.layers[layer:layer+1], e.Path)
	if err != nil {
		return nil
	}
	return content
}

// shares counts which nodes left the files below a directory, in the order in
// which they ran.
func (w witness) shares(view *cache.View, dir string) []portion {
	count := make(map[int]int)
	for _, e := range view.Below(dir) {
		// A layer has the directories of what it changed, too.
		if layer, ok := view.Layer(e.Path); ok && e.Type != cache.TypeDir {
			count[layer]++
		}
	}
	var shares []portion
	for layer, node := range w.makers {
		if count[layer] > 0 {
			shares = append(shares, portion{node, count[layer]})
		}
	}
	return shares
}

// diskHooks returns the hooks that the disk node of a build ran, or would have.
func diskHooks(store *cache.Store, build *cache.Build) (hooks []string) {
	for _, n := range build.Nodes {
		if n.Kind != "disk" || n.Key.IsZero() {
			continue
		}
		r, err := store.Record(n.Key)
		if err != nil {
			continue
		}
		for _, line := range graph.ParseDescription(r.Description) {
			if hook, ok := strings.CutPrefix(line.Name, "hook "); ok {
				hooks = append(hooks, strings.TrimPrefix(strings.Trim(hook, `"`), "hooks/"))
			}
		}
	}
	return hooks
}

// unknown is the error for a path that no layer ever had.
func (a *fileAnswer) unknown(view *cache.View, at string) error {
	err := fmt.Errorf("it is not in %s: no node left it in the tree that the disk is made from", a.Image)
	if a.DiskHooks != nil {
		err = fmt.Errorf("%w; hooks of the disk node work in the filesystem and leave no layer: if it is in the image, it is from one of %s", err, strings.Join(a.DiskHooks, ", "))
	}
	if near := nearPaths(view, at); near != "" {
		return &hintError{err, near}
	}
	return err
}

// nearPaths offers paths for one that is not there: those with near names in
// the same directory, else those elsewhere with the same name.
func nearPaths(view *cache.View, at string) string {
	dir, name := path.Split(at)
	dir = strings.TrimSuffix(dir, "/")
	for dir != imageRoot && view.Find(dir) == nil {
		dir, name = path.Split(dir)
		dir = strings.TrimSuffix(dir, "/")
	}
	var siblings, same []string
	for _, e := range view.Below(imageRoot) {
		if path.Dir(e.Path) == dir {
			siblings = append(siblings, path.Base(e.Path))
		}
		if path.Base(e.Path) == path.Base(at) && len(same) < 3 {
			same = append(same, shownPath(e.Path))
		}
	}
	near := nearest.Names(name, siblings)
	for i, n := range near {
		near[i] = shownPath(path.Join(dir, n))
	}
	switch {
	case near != nil:
		return "did you mean " + strings.Join(near, " or ") + "?"
	case same != nil:
		return "of that name there is " + strings.Join(same, ", ")
	}
	return ""
}

func (a *fileAnswer) print(w io.Writer) {
	if len(a.Revisions) == 0 {
		fmt.Fprintf(w, "%s of %s %s; the tree that the disk is made from does not have it\n", a.Path, a.Image, a.Disk)
	} else {
		a.printHistory(w)
		if a.Disk != "" {
			fmt.Fprintf(w, "\nnote: in the image, %s %s\n", a.Path, a.Disk)
		}
	}
	if a.DiskHooks != nil {
		fmt.Fprintf(w, "\nnote: hooks of the disk node run after that and leave no layer; what they did to it is not known: %s\n", strings.Join(a.DiskHooks, ", "))
	}
}

func (a *fileAnswer) printHistory(w io.Writer) {
	last := a.Revisions[len(a.Revisions)-1]
	switch {
	case a.now == nil:
		fmt.Fprintf(w, "%s is not in %s any more\nremoved by %s\n", a.Path, a.Image, last.maker)
	case len(a.Revisions) == 1:
		fmt.Fprintf(w, "%s of %s: %s\nmade by %s\n", a.Path, a.Image, describeEntry(a.now), last.maker)
	default:
		fmt.Fprintf(w, "%s of %s: %s\nlast changed by %s\n", a.Path, a.Image, describeEntry(a.now), last.maker)
	}
	fmt.Fprintln(w, "\nhistory, oldest first:")
	for _, r := range a.Revisions {
		fmt.Fprintf(w, "  %s\n", r.maker)
		for _, line := range r.lines() {
			fmt.Fprintf(w, "    %s\n", line)
		}
	}
	if a.Contents != nil {
		fmt.Fprintln(w, "\nthe files in it were left by:")
		for _, s := range a.Contents {
			fmt.Fprintf(w, "  %s: %d\n", s.Node, s.Files)
		}
	}
}

// lines say what a revision is.
func (r fileRevision) lines() []string {
	before, after := r.revision.Before, r.revision.After
	switch {
	case after == nil:
		return []string{"removed"}
	case before == nil:
		return []string{"made: " + describeEntry(after)}
	}
	var lines []string
	for _, aspect := range r.Changed {
		lines = append(lines, describeAspect(aspect, before, after))
		if aspect == cache.AspectContent {
			for _, line := range r.Diff {
				lines = append(lines, "  "+line)
			}
		}
	}
	return lines
}
