package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/cache/settings"
	"github.com/dibgraph/dibgraph/cmd/dibgraph/reports"
	"github.com/dibgraph/dibgraph/elements"
	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/steps"
)

// An imageBuild is the build of one image, alone or among others.
type imageBuild struct {
	o        *buildOptions
	store    *cache.Store
	img      *elements.Image
	settings settings.Settings // what is said about shared caches
	shared   *sharedCache      // set by open
	show     progress
	files    reportFiles
	mirrors  *elements.Mirrors
	// pool is shared with the builds of other images, of which this is the one
	// of that rank; nil is none.
	pool *graph.Pool
	rank int
	// hidden are files that hooks do not see: secret keys.
	hidden []string
	// made, if not nil, is called when the outputs are there and results may
	// still be on their way to others.
	made func()

	// What came of it.
	results   []*graph.Result
	delivered []string
	record    *cache.Build // nil if it did not come to that
	err       error
}

// open opens the shared caches; the caller stops b.shared in the end.
func (b *imageBuild) open(ctx context.Context) (err error) {
	b.shared, err = openShared(ctx, b.store, b.settings, imageID{b.img.Definition.Name, b.img.Definition.Arch}, b.show.notice)
	return err
}

// run builds the image, and sets what came of it.
func (b *imageBuild) run(ctx context.Context) {
	p, err := planner(b.img, b.store)
	if err != nil {
		b.err = err
		return
	}
	p.Hide(b.hidden...)
	builder := &graph.Builder{
		Store: b.store, Jobs: b.o.jobs, Pool: b.pool, Rank: b.rank, Name: makerName(), Events: b.show.event, OnlyCached: b.o.onlyCached,
	}
	begun, err := elements.Summary(b.img, time.Now(), nil, nil, context.Canceled)
	if err != nil {
		b.err = err
		return
	}
	log := b.store.BeginBuild(*begun)
	defer func() { b.err = errors.Join(b.err, log.Close()) }()
	builder.Remember = func(r *graph.Result) error { return log.Add(r.Summary()) }
	b.shared.joinBuild(builder, b.img.Definition.Types)
	if b.err = b.build(ctx, p, builder); b.record == nil {
		return
	}
	b.show.end(b.record)
	var missed *graph.UncachedError
	if errors.As(b.err, &missed) {
		return // nothing was made that could be remembered
	}
	if b.err == nil && b.o.check != nil {
		report := newCheckReport(b.o.check, b.results)
		b.show.checked(report)
		if b.pool == nil {
			b.err = uncheckedErr(b.o.check, b.results)
		}
		if b.err == nil {
			b.err = report.err()
		}
	}
	if b.err == nil && b.pool == nil { // the reports of several would run into each other
		b.err = reportUsage(os.Stderr, b.store, b.record, b.img.Definition.Environment)
	}
	recorded := graph.Measure(ctx, "build")
	b.err = errors.Join(b.err, b.store.PutBuild(b.record), log.Close())
	recorded()
	b.err = errors.Join(b.err, b.files.write(func() *reports.Report { return reporter{b.store}.report(b.record, b.record) }))
	if b.made != nil {
		b.made()
	}
	if b.err == nil && slices.Contains(b.img.Definition.Types, "docker") {
		b.err = loadIntoDocker(ctx, b.img.Definition.OutputPath("docker"), b.show.notice)
	}
	// Also of a build that failed: what it made before is as good.
	b.shared.finish(ctx, recordsOf(b.results), b.o.noWait, b.show.notice)
}

// build makes the nodes and delivers the outputs. The record is set if it came
// to a first node.
func (b *imageBuild) build(ctx context.Context, p *elements.Planner, builder *graph.Builder) error {
	p.Follow(b.mirrors)
	freshen(builder, p, b.img)
	if b.o.keepFailed {
		builder.KeepFailed = func(n *graph.Node, upper string) error { return keepFailed(b.store, n, upper, b.show) }
	}
	if b.o.check != nil {
		// What a server has now says nothing about what it had.
		builder.Recheck = func(n *graph.Node) bool { return n.Kind != steps.SourceKind && nodeGlobs(b.o.check).match(n.Name) }
	}
	if err := b.checkPrograms(p, builder); err != nil {
		return err
	}
	notices, err := p.AskSources(ctx)
	if err != nil {
		return err
	}
	for _, notice := range append(b.img.Notices, notices...) {
		b.show.notice(notice)
	}
	b.show.begin(b.img.Definition.Name)
	g, results, err := p.Build(ctx, builder)
	if b.pool == nil {
		for _, notice := range append(b.mirrors.Notices(), unrefreshed(b.o.image.fresh.refresh, results)...) {
			b.show.notice(notice)
		}
	}
	// A file that is gone here, or from the remote that was to have it, is made
	// again like everything else. There are fewer files than nodes.
	for attempt := 0; err == nil; attempt++ {
		var files elements.Delivery
		files, err = p.Deliver(b.store, g, results)
		b.delivered = files.Paths
		for _, r := range files.Renamed {
			b.show.renamed(r.From, r.To)
		}
		if err == nil || !errors.Is(err, cache.ErrMissing) || attempt > len(results) {
			break
		}
		g, results, err = p.Build(ctx, builder)
	}
	b.results = results
	summed := graph.Measure(ctx, "build")
	record, recordErr := elements.Summary(b.img, b.show.started(), results, b.delivered, err)
	if recordErr != nil {
		return errors.Join(err, recordErr)
	}
	b.record = record
	if b.pool == nil {
		noteExceeded(b.store, b.show)
	}
	summed()
	return err
}

// noteExceeded says that the store could not be kept within its limits.
func noteExceeded(store *cache.Store, show progress) {
	if over := store.Exceeded(); over > 0 {
		show.notice("the local store is " + size(over) + " over its limit: running builds or pins need the rest")
	}
}

// explained returns the error of the build after saying on standard error what
// there is to say about it. The image is named where there are several.
func (b *imageBuild) explained(image string) error {
	if uncached := explainMiss(b.store, b.record, b.err); uncached != nil {
		return uncached
	}
	return b.o.explainFailure(b.store, b.err, image)
}

// The words of outcome, in the order in which they are counted.
const (
	imageBuilt   = "built"
	imageFailed  = "failed"
	imageStopped = "stopped"
	imageWaited  = "not begun"
)

var outcomesOfImages = []string{imageBuilt, imageFailed, imageStopped, imageWaited}

// outcome says in a word what became of the image.
func (b *imageBuild) outcome() string {
	var waited *notBegunError
	switch {
	case errors.As(b.err, &waited):
		return imageWaited
	case errors.Is(b.err, context.Canceled):
		return imageStopped
	case b.err != nil:
		return imageFailed
	}
	return imageBuilt
}

// hiddenKeys returns the secret keys that settings name, which no hook may see.
func hiddenKeys(all ...settings.Settings) (files []string, err error) {
	for _, s := range all {
		if s.Sign.File == "" {
			continue
		}
		file, err := filepath.Abs(s.Sign.File)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}
