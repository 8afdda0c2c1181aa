package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/cache/settings"
	"github.com/dibgraph/dibgraph/elements"
	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/steps"
)

type buildOptions struct {
	store      *storeOptions
	image      imageOptions
	jobs       int
	progress   string
	dryRun     bool
	keepFailed bool
	noWait     bool
	cache      *cacheFlags
	settings   settings.Settings // what the flags and files say about shared caches
	onlyCached bool
	check      []string
	files      reportFiles
	limits     cacheLimits

	stopOnFailure bool
	live          bool // what nodes print is shown while they run
}

func newBuildCommand(store *storeOptions) *cobra.Command {
	o := buildOptions{store: store}
	c := &cobra.Command{
		Use:   "build [flags] {ELEMENT… | FILE.yaml… [IMAGE…]}",
		Short: "build an image, or those that a file lists",
		Long: `Build the image that the elements describe, and print the names of the files
made. Only nodes whose inputs changed run; "dibgraph explain" says why they did.

With files that end in .yaml, build the images that they list, or those that are
named behind them, and what these depend on. What images have in common runs
once. The files are those of diskimage-builder and more ("dibgraph schema"); what
an image is like is said there, and the options for that are not accepted. An
image that fails leaves the others going unless --stop-on-failure is given; the
exit status is that of the last one that failed.

Elements are looked for in the directories of --elements-path, then of
$ELEMENTS_PATH, then among the embedded ones ("dibgraph elements list"). Needs
root, since hooks run in a chroot and filesystems are mounted.

With --check, nodes that are in the cache run once more, on the state that is
recorded, and what they leave is compared with the record: a hook whose result
is another one each time, or that reads something which is no input, shows. The
globs choose nodes by name (a "*" stands for any text). What the second run left
is thrown away, and the image is made of what is recorded. Times, logs and other
files that do not count as content may differ. Disk images and tar files are
compared by the files in them, since their bytes may always differ; if this
kernel cannot mount an image, that is said and is no reason for exit status 5.

While it builds, results that are worth least are given up to keep the local store
within --cache-max-size and its filesystem free by --cache-min-free ("dibgraph cache
trim" says how they are chosen). What this build uses stays until it ends.

--report writes what happened, and why, as a page that needs nothing but a
browser, or as JSON (docs/report.schema.json describes it); --trace writes a
timeline for ui.perfetto.dev or chrome://tracing.
`,
		Example: `  dibgraph build -o web debian-minimal vm web
  dibgraph build -a amd64 -t raw,qcow2 --checksum -o /srv/images/web debian-minimal vm web
  DIB_RELEASE=trixie dibgraph build -p vim,tmux debian-minimal vm
  dibgraph build --report build.html --report build.json --trace build.trace debian-minimal vm
  dibgraph build images.yaml                    # all images that it lists
  dibgraph build images.yaml web                # one of them
  dibgraph build --check='install.d/*' -o web debian-minimal vm web`,
		Args: noElements,
		RunE: func(c *cobra.Command, args []string) error { return runBuild(c.Context(), c, &o, args) },
	}
	o.addFlags(c)
	return c
}

func (o *buildOptions) addFlags(c *cobra.Command) {
	o.image.addFlags(c)
	f := c.Flags()
	f.IntVarP(&o.jobs, "jobs", "j", runtime.NumCPU(), "run at most `N` nodes at once")
	f.BoolVar(&o.dryRun, "dry-run", false, "say what would run, as plan does, and stop")
	f.BoolVar(&o.stopOnFailure, "stop-on-failure", false, "when an image of a file fails, stop the others")
	f.StringVar(&o.progress, "progress", "auto", "how to show progress on standard error: auto, tty, plain or json")
	f.BoolVar(&o.onlyCached, "require-cached", false, "run nothing: at the first node that is not cached say why and end with status 6")
	f.StringSliceVar(&o.check, "check", nil, "run cached nodes again and compare: all but sources, or those named by `globs`, with commas")
	f.Lookup("check").NoOptDefVal = "*"
	o.files.addFlags(f)
	o.cache = addCacheFlags(f)
	f.BoolVar(&o.noWait, "no-wait", false, "end when the image is there, though results may not all be stored with --cache-to; \"dibgraph cache push\" stores the rest")
	o.limits.addFlags(f)
	f.BoolVar(&o.keepFailed, "keep-failed", false, "keep what a failed node had written, and say where")
}

func runBuild(ctx context.Context, c *cobra.Command, o *buildOptions, args []string) error {
	show, err := newProgress(o.progress, c.ErrOrStderr())
	if err != nil {
		return err
	}
	if err := nodeGlobs(o.check).check(); err != nil {
		return &usageError{fmt.Errorf("--check: %w", err)}
	}
	if o.check != nil && o.dryRun {
		return &usageError{errors.New("--check with --dry-run: a check has to run what it compares")}
	}
	if err := o.files.check(o.dryRun); err != nil {
		return err
	}
	if listsImages(args) {
		return runBuildList(ctx, c, o, show, args)
	}
	if o.stopOnFailure {
		return &usageError{errors.New("--stop-on-failure is for files that list images; the build of one image stops at its first failure")}
	}
	img, err := o.image.load(args)
	if err != nil {
		return err
	}
	if err := o.configure(); err != nil {
		return err
	}
	if o.dryRun {
		store, err := o.store.open(true)
		if err != nil {
			return err
		}
		return runPlan(c, store, img, false)
	}
	return o.make(ctx, show, img, func(path string) { fmt.Fprintln(c.OutOrStdout(), path) })
}

// configure reads what is said of shared caches.
func (o *buildOptions) configure() (err error) {
	o.settings, err = o.cache.settings()
	o.limits.settings = o.settings
	return err
}

// make builds one image by itself, and tells of every file that it made.
func (o *buildOptions) make(ctx context.Context, show progress, img *elements.Image, made func(path string)) error {
	if err := mustBeRoot(img.Definition.Name); err != nil {
		return err
	}
	if err := img.CanDeliver(); err != nil {
		return withFilesystemHint(err)
	}
	store, err := o.store.openLimited(o.limits)
	if err != nil {
		return err
	}
	err = o.build(ctx, show, img, store, made)
	return withFilesystemHint(errors.Join(err, store.Close()))
}

func mustBeRoot(image string) error {
	if os.Geteuid() == 0 {
		return nil
	}
	return &hintError{fmt.Errorf("build %s: not running as root: hooks run in a chroot and filesystems have to be mounted", image),
		`run the same command with sudo -E; "dibgraph plan" needs no root`}
}

func (o *buildOptions) build(ctx context.Context, show progress, img *elements.Image, store *cache.Store, made func(path string)) error {
	hidden, err := hiddenKeys(o.settings)
	if err != nil {
		return err
	}
	b := &imageBuild{o: o, store: store, img: img, settings: o.settings, show: show, files: o.files, hidden: hidden}
	b.mirrors = elements.NewMirrors(ctx, store, img)
	b.made = func() {
		for _, path := range b.delivered {
			made(path)
		}
	}
	if err := b.open(ctx); err != nil {
		return err
	}
	defer b.shared.Stop()
	b.run(ctx)
	return b.explained("")
}

// explainMiss says on standard error why a node is not cached in a build that
// may run nothing; nil if err is something else. Such a build is not recorded:
// nothing was made.
func explainMiss(store *cache.Store, b *cache.Build, err error) error {
	var missed *graph.UncachedError
	if !errors.As(err, &missed) {
		return nil
	}
	n := narrator{comparer: comparer{store}, w: os.Stderr, build: b}
	for _, e := range explanationsOf(explainBuild(store, b), missed.Node.Name) {
		n.node(e)
	}
	return &hintError{&statusError{exitUncached, missed.Error()},
		"without --require-cached it is run; \"dibgraph plan\" says what else would be"}
}

// explainFailure shows the whole log of a node that failed, unless it was shown
// already, and says what to do next. The image is named if it may not be the one that was built last.
func (o *buildOptions) explainFailure(store *cache.Store, err error, image string) error {
	var failed *graph.NodeError
	if !errors.As(err, &failed) {
		return err
	}
	if log, readErr := store.ReadBlob(failed.Log.Digest); !o.live && readErr == nil && len(log) > 0 {
		fmt.Fprintf(os.Stderr, "--- output of %s\n%s--- end of output\n", failed.Node.Name, log)
	}
	if _, ok := failed.Node.Action.(steps.Sheller); !ok {
		return &hintError{err, "what came before it is kept, and the next build goes on from there"}
	}
	if image != "" {
		image = "-o " + image + " "
	}
	return &hintError{err, fmt.Sprintf("the state before it is kept: \"dibgraph shell %s%s\" opens it; the next build goes on from there", image, quoted(failed.Node.Name))}
}

// quoted quotes the name of a node for a shell where it has to be.
func quoted(name string) string {
	if strings.ContainsAny(name, "[]") {
		return "'" + name + "'"
	}
	return name
}

// keepFailed moves what a failed node had written to where it can be looked at.
func keepFailed(store *cache.Store, n *graph.Node, upper string, show progress) error {
	dir := filepath.Join(store.Dir(), "failed", filepath.Base(n.Image))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	target := filepath.Join(dir, strings.ReplaceAll(n.Name, "/", "_"))
	if _, err := os.Lstat(target); err == nil {
		store.Discard(target)
	}
	if err := os.Rename(upper, target); err != nil {
		return err
	}
	show.notice("what " + n.Name + " had written is kept in " + target)
	return nil
}
