package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/cache/settings"
	"github.com/dibgraph/dibgraph/elements"
	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/internal/wholefile"
)

// A listError holds the errors of several images. Each is reported by itself, and
// the exit status is that of the last.
type listError struct{ errs []error }

func (e *listError) Error() string   { return errors.Join(e.errs...).Error() }
func (e *listError) Unwrap() []error { return e.errs }

// A notBegunError says that an image was not begun because one that it depends
// on is not there.
type notBegunError struct{ image, needs string }

func (e *notBegunError) Error() string {
	return fmt.Sprintf("build %s: not begun: it depends on %s, which is not there", e.image, e.needs)
}

// errStopped ends the builds of other images.
var errStopped = fmt.Errorf("another image failed, and --stop-on-failure is given: %w", context.Canceled)

func runBuildList(ctx context.Context, c *cobra.Command, o *buildOptions, show progress, args []string) error {
	list, err := o.image.loadList(args)
	if err != nil {
		return err
	}
	if o.dryRun {
		return runPlanList(c, o.store, list, false)
	}
	if err := mustBeRoot(namesOfList(list)); err != nil {
		return err
	}
	if o.settings, err = o.cache.settings(); err != nil {
		return err
	}
	o.limits.settings = o.settings
	builds, err := o.listBuilds(list)
	if err != nil {
		return err
	}
	store, err := o.store.openLimited(o.limits)
	if err != nil {
		return err
	}
	if err := o.buildList(ctx, show, list, builds, store); err != nil {
		return errors.Join(err, store.Close())
	}
	return endOfList(c, builds, store)
}

// listBuilds returns the builds of a list, with what is said about shared caches
// for each.
func (o *buildOptions) listBuilds(list []listedImage) (builds []*imageBuild, err error) {
	all := make([]settings.Settings, len(list))
	for i, l := range list {
		if all[i], err = o.cache.settings(l.Cache...); err != nil {
			return nil, err
		}
		builds = append(builds, &imageBuild{o: o, img: l.loaded, settings: all[i], rank: i, files: o.files.of(l.Name, len(list) > 1)})
	}
	hidden, err := hiddenKeys(all...)
	for _, b := range builds {
		b.hidden = hidden // a hook of one image sees no key of another
	}
	return builds, err
}

// buildList builds images of one store at the same time. The error is that none
// could begin.
func (o *buildOptions) buildList(ctx context.Context, inner progress, list []listedImage, builds []*imageBuild, store *cache.Store) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	show := newSeveralProgress(inner)
	pool := graph.NewPool(o.jobs)
	ended := make(map[string]*imageEnd)
	for i, l := range list {
		builds[i].store, builds[i].show, builds[i].pool = store, show.image(l.Name), pool
		ended[l.Name] = &imageEnd{done: make(chan struct{}), build: builds[i]}
		if err := builds[i].open(ctx); err != nil {
			return err
		}
		defer builds[i].shared.Stop()
	}
	mirrors := mirrorsOf(ctx, store, builds)
	show.begin(plural(len(list), "image"))
	var group sync.WaitGroup
	for i, l := range list {
		group.Go(func() {
			b := builds[i]
			defer close(ended[l.Name].done)
			if b.err = waitForOthers(ctx, l, ended); b.err == nil {
				b.run(ctx)
				b.err = errors.Join(b.err, writeLogfile(store, l.Logfile, b.results))
			}
			if b.err != nil && o.stopOnFailure {
				stop(errStopped)
			}
		})
	}
	group.Wait()
	for _, m := range mirrors {
		for _, notice := range m.Notices() {
			inner.notice(notice)
		}
	}
	for _, notice := range unrefreshed(o.image.fresh.refresh, resultsOf(builds)) {
		inner.notice(notice)
	}
	noteExceeded(store, inner)
	show.close(builtLine(builds))
	return nil
}

// mirrorsOf gives builds what they go by, and returns each of that once.
func mirrorsOf(ctx context.Context, store *cache.Store, builds []*imageBuild) []*elements.Mirrors {
	var images []*elements.Image
	for _, b := range builds {
		images = append(images, b.img)
	}
	var once []*elements.Mirrors
	for i, m := range elements.MirrorsFor(ctx, store, images) {
		builds[i].mirrors = m
		if !slices.Contains(once, m) {
			once = append(once, m)
		}
	}
	return once
}

// An imageEnd is closed when the build of an image has ended.
type imageEnd struct {
	done  chan struct{}
	build *imageBuild
}

// waitForOthers waits until the images that one depends on are there.
func waitForOthers(ctx context.Context, l listedImage, ended map[string]*imageEnd) error {
	for _, name := range l.Depends {
		select {
		case <-ended[name].done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if ended[name].build.err != nil {
			return &notBegunError{l.Name, name}
		}
	}
	return context.Cause(ctx)
}

// endOfList prints what was made, says what failed, in the order of the list, and
// closes the store.
func endOfList(c *cobra.Command, builds []*imageBuild, store *cache.Store) error {
	var errs []error
	for _, b := range builds {
		for _, path := range b.delivered {
			fmt.Fprintln(c.OutOrStdout(), path)
		}
		if b.err != nil && b.outcome() != imageStopped {
			errs = append(errs, b.explained(b.img.Definition.Name))
		}
	}
	if err := uncheckedErr(builds[0].o.check, resultsOf(builds)); err != nil && errs == nil {
		errs = append(errs, err)
	}
	if err := store.Close(); err != nil {
		errs = append(errs, err)
	}
	switch len(errs) {
	case 0:
		return nil
	case 1:
		return errs[0]
	}
	return &listError{errs}
}

// resultsOf returns the results of all builds. What is asked for by the names of
// nodes need not be in every image.
func resultsOf(builds []*imageBuild) []*graph.Result {
	var all []*graph.Result
	for _, b := range builds {
		all = append(all, b.results...)
	}
	return all
}

// writeLogfile writes what the nodes of an image printed, also those that hit.
func writeLogfile(store *cache.Store, name string, results []*graph.Result) error {
	if name == "" {
		return nil
	}
	f, err := wholefile.Create(name)
	if err != nil {
		return fmt.Errorf("write the log: %w", err)
	}
	for _, r := range results {
		if r.Log.Digest.IsZero() {
			continue
		}
		log, readErr := store.ReadBlob(r.Log.Digest)
		if readErr != nil {
			log = fmt.Appendf(nil, "(this log cannot be read: %v)\n", readErr)
		}
		if _, err = fmt.Fprintf(f, "--- %s (%s)\n%s", r.Node.Name, r.Status, log); err != nil {
			return fmt.Errorf("write the log %s: %w", name, errors.Join(err, f.Discard()))
		}
	}
	if err := f.Publish(); err != nil {
		return fmt.Errorf("write the log %s: %w", name, err)
	}
	return nil
}

func namesOfList(list []listedImage) string {
	var names []string
	for _, l := range list {
		names = append(names, l.Name)
	}
	return strings.Join(names, ", ")
}

// of returns the files for the build of one image, whose name is in those of
// several.
func (f reportFiles) of(image string, several bool) reportFiles {
	if !several {
		return f
	}
	named := func(names []string) []string {
		var all []string
		for _, name := range names {
			suffix := filepath.Ext(name)
			all = append(all, strings.TrimSuffix(name, suffix)+"."+image+suffix)
		}
		return all
	}
	return reportFiles{reports: named(f.reports), traces: named(f.traces)}
}
