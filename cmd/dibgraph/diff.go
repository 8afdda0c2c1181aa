package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/internal/packages"
)

type diffOptions struct {
	image                         string
	json, all, onlyPackages, stat bool
}

func newDiffCommand(o *storeOptions) *cobra.Command {
	var d diffOptions
	c := &cobra.Command{
		Use:   "diff [flags] [A [B]]",
		Short: "compare two builds, nodes or image files",
		Long: `Compare what two builds, nodes or image files hold: packages first, then files,
with their contents, modes and owners. With one argument it is compared with the
same in the build of the image before, without any that is the last build. A and
B are each

  last, last~1, ID    the tree that the disk of a build was made from
  IMAGE               the same of the last build of an image
  NODE                the tree after that node, such as install.d/50-app, in the
                      last build; of another build or image as ID:NODE, last~1:NODE
                      or IMAGE:NODE
  FILE                an image file; all but tar and tgz files are mounted, read-only
                      and in namespaces of their own, which takes root

The disk node works in the filesystem, with hooks of finalise.d among others, and
leaves no layer: compare image files, or the node "disk", to see what it does.

Times are not compared, and files whose content depends on when they were written,
such as logs, are left out without --all. Lines begin with + for what only B has,
- for what only A has, and ~ for what differs. The exit status does not say
whether anything does.

It changes nothing, and but for disk images mounts nothing and needs no root.
`,
		Example: `  dibgraph diff                                  # the last build and the one before
  dibgraph diff install.d/50-app                 # what that node leaves, in the same
  dibgraph diff install.d/40-base install.d/50-app
  dibgraph diff --packages web:install.d/50-app db:install.d/50-app
  dibgraph diff --stat last~3 last
  dibgraph diff old.tar new.tar`,
		Args: arguments(0, 2),
		RunE: func(c *cobra.Command, args []string) error {
			if d.onlyPackages && d.stat {
				return &usageError{errors.New("--packages and --stat exclude each other")}
			}
			return o.ask(func(store *cache.Store) error {
				if err := runDiff(c.Context(), c.OutOrStdout(), store, &d, args); err != nil {
					return fmt.Errorf("diff: %w", err)
				}
				return nil
			})
		},
	}
	f := c.Flags()
	f.StringVarP(&d.image, "output", "o", "", "`name` of the image that last and NODE are of (default: the one built last)")
	f.BoolVar(&d.onlyPackages, "packages", false, "compare only the packages")
	f.BoolVar(&d.stat, "stat", false, "only count, by directories")
	f.BoolVar(&d.all, "all", false, "compare logs and other volatile files too")
	f.BoolVar(&d.json, "json", false, "print JSON")
	return c
}

func runDiff(ctx context.Context, w io.Writer, store *cache.Store, d *diffOptions, args []string) error {
	before, after, err := d.sides(ctx, store, args)
	if err != nil {
		return err
	}
	r := d.compare(before, after)
	if d.json {
		return printJSON(w, r)
	}
	r.print(w, d)
	return nil
}

// sides finds and reads what is compared.
func (d *diffOptions) sides(ctx context.Context, store *cache.Store, args []string) (before, after *side, err error) {
	f := subjectFinder{store, d.image}
	if len(args) == 0 {
		args = []string{"last"}
	}
	b, err := f.find(args[len(args)-1])
	if err != nil {
		return nil, nil, err
	}
	var a subject
	if len(args) == 2 {
		a, err = f.find(args[0])
	} else {
		a, err = f.before(b)
	}
	if err != nil {
		return nil, nil, err
	}
	if before, err = f.load(ctx, a); err != nil {
		return nil, nil, err
	}
	after, err = f.load(ctx, b)
	return before, after, err
}

// A treeDiff is what differs between two trees.
type treeDiff struct {
	Before string   `json:"before"`
	After  string   `json:"after"`
	Notes  []string `json:"notes,omitempty"`
	// Packages is nil if they could not be compared.
	Packages []packages.Change `json:"packages"`
	Files    []fileDiff        `json:"files,omitempty"`
	// Volatile is how many files were left out.
	Volatile int `json:"volatile,omitempty"`
}

// A fileDiff is a path that differs.
type fileDiff struct {
	Path    string         `json:"path"`
	Before  *entryJSON     `json:"before"`
	After   *entryJSON     `json:"after"`
	Changed []cache.Aspect `json:"changed,omitempty"`
	Diff    []string       `json:"diff,omitempty"`

	difference cache.Difference
}

func (d *diffOptions) compare(before, after *side) *treeDiff {
	r := &treeDiff{Before: before.name, After: after.name}
	r.Notes = slices.Concat(before.notes, after.notes)
	if before.manager != after.manager && before.manager != "" && after.manager != "" {
		r.Notes = append(r.Notes, fmt.Sprintf("one has packages of %s, the other of %s", before.manager, after.manager))
	}
	if !before.unreadable && !after.unreadable {
		r.Packages = append([]packages.Change{}, packages.Diff(before.packages, after.packages)...)
	}
	if d.onlyPackages {
		return r
	}
	r.Volatile = d.mask(before.root, after.root)
	for _, c := range cache.CompareListings(before.root, after.root).Differences {
		r.add("/", c, before, after)
	}
	if before.beside != nil && after.beside != nil {
		for _, c := range cache.CompareListings(before.beside, after.beside).Differences {
			r.add("", c, nil, nil)
		}
	}
	return r
}

// mask takes volatile files out of both listings, or, if they are wanted, makes
// them like all others. It returns how many paths it left out that differ.
func (d *diffOptions) mask(before, after *cache.Listing) int {
	if d.all {
		for _, l := range []*cache.Listing{before, after} {
			for i := range l.Entries {
				l.Entries[i].Volatile = false
			}
		}
		return 0
	}
	c := cache.CompareListings(before, after)
	left := c.Masked
	for _, diff := range c.Differences {
		if e := cmp.Or(diff.After, diff.Before); e.Volatile {
			left++
		}
	}
	for _, l := range []*cache.Listing{before, after} {
		l.Entries = slices.DeleteFunc(l.Entries, func(e cache.Entry) bool { return e.Volatile })
	}
	return left
}

// add notes a difference; sides are those whose files can be read.
func (r *treeDiff) add(root string, c cache.Difference, before, after *side) {
	f := fileDiff{
		Path: pathText(root + c.Path), Before: entryForJSON(c.Before), After: entryForJSON(c.After), Changed: c.Aspects, difference: c,
	}
	if before != nil && slices.Contains(c.Aspects, cache.AspectContent) && before.read != nil && after.read != nil {
		f.Diff = shortDiff(c, before, after)
	}
	r.Files = append(r.Files, f)
}

func shortDiff(c cache.Difference, before, after *side) []string {
	if max(c.Before.Size, c.After.Size) > cache.MaxDiffFile {
		return nil
	}
	old, err := before.read(c.Path)
	if err != nil {
		return nil
	}
	now, err := after.read(c.Path)
	if err != nil {
		return nil
	}
	return cache.ShortDiff(old, now)
}

func (r *treeDiff) print(w io.Writer, d *diffOptions) {
	fmt.Fprintf(w, "- %s\n+ %s\n", r.Before, r.After)
	for _, note := range r.Notes {
		fmt.Fprintf(w, "note: %s\n", note)
	}
	r.printPackages(w, d.stat)
	switch {
	case d.onlyPackages:
		return
	case d.stat:
		r.printStat(w)
	default:
		r.printFiles(w)
	}
	if r.Volatile > 0 {
		fmt.Fprintf(w, "\nnote: %s left out that differ and are volatile, such as logs; --all compares them\n", plural(r.Volatile, "path"))
	}
}

// A tally counts differences.
type tally struct{ added, removed, changed int }

func (t *tally) add(before, after bool) {
	switch {
	case !before:
		t.added++
	case !after:
		t.removed++
	default:
		t.changed++
	}
}

func (t tally) String() string {
	if t == (tally{}) {
		return "no difference"
	}
	var parts []string
	for _, part := range []struct {
		n    int
		what string
	}{{t.added, "added"}, {t.removed, "removed"}, {t.changed, "changed"}} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.what))
		}
	}
	return strings.Join(parts, ", ")
}

func (r *treeDiff) printPackages(w io.Writer, countOnly bool) {
	if r.Packages == nil {
		fmt.Fprintln(w, "\npackages: not compared")
		return
	}
	var t tally
	for _, p := range r.Packages {
		t.add(p.Before != "", p.After != "")
	}
	fmt.Fprintf(w, "\npackages: %s\n", t)
	if countOnly {
		return
	}
	for _, p := range r.Packages {
		switch {
		case p.Before == "":
			fmt.Fprintf(w, "+ %s %s\n", pathText(p.Name), pathText(p.After))
		case p.After == "":
			fmt.Fprintf(w, "- %s %s\n", pathText(p.Name), pathText(p.Before))
		default:
			fmt.Fprintf(w, "~ %s %s → %s\n", pathText(p.Name), pathText(p.Before), pathText(p.After))
		}
	}
}

func (r *treeDiff) tally() (t tally) {
	for _, f := range r.Files {
		t.add(f.Before != nil, f.After != nil)
	}
	return t
}

func (r *treeDiff) printFiles(w io.Writer) {
	fmt.Fprintf(w, "\nfiles: %s\n", r.tally())
	for _, f := range r.Files {
		c := f.difference
		switch {
		case c.Before == nil:
			fmt.Fprintf(w, "+ %s: %s\n", f.Path, describeEntry(c.After))
		case c.After == nil:
			fmt.Fprintf(w, "- %s: %s\n", f.Path, describeEntry(c.Before))
		default:
			var changes []string
			for _, a := range f.Changed {
				changes = append(changes, describeAspect(a, c.Before, c.After))
			}
			fmt.Fprintf(w, "~ %s: %s\n", f.Path, strings.Join(changes, "; "))
		}
		for _, line := range f.Diff {
			fmt.Fprintf(w, "    %s\n", line)
		}
	}
}

// printStat counts by the first two directories of the paths.
func (r *treeDiff) printStat(w io.Writer) {
	fmt.Fprintf(w, "\nfiles: %s\n", r.tally())
	tallies := make(map[string]*tally)
	grown := make(map[string]int64)
	var dirs []string
	for _, f := range r.Files {
		dir := firstDirs(f.Path)
		if tallies[dir] == nil {
			tallies[dir] = &tally{}
			dirs = append(dirs, dir)
		}
		tallies[dir].add(f.Before != nil, f.After != nil)
		grown[dir] += sizeOf(f.difference.After) - sizeOf(f.difference.Before)
	}
	for _, dir := range dirs {
		sign, n := "+", grown[dir]
		if n < 0 {
			sign, n = "-", -n
		}
		fmt.Fprintf(w, "  %s: %s, %s%s\n", dir, tallies[dir], sign, bytesOf(n))
	}
}

func firstDirs(name string) string {
	dir := path.Dir(name)
	parts := strings.SplitN(dir, "/", 4)
	return strings.Join(parts[:min(len(parts), 3)], "/")
}

// sizeOf returns how much a path adds to the tree: a further name of a file
// nothing.
func sizeOf(e *cache.Entry) int64 {
	if e == nil || e.HardLink != "" {
		return 0
	}
	return e.Size
}
