package graph

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/dibgraph/dibgraph/cache"
)

// A Recheck is what came of running a node again whose result is recorded, on
// the same state and inputs. The record and what it names are as before.
type Recheck struct {
	// Took is how long the node ran.
	Took time.Duration
	// Failed is how it failed, nil if it did not; Output is then the end of
	// what it printed. A run that failed is not compared.
	Failed error
	Output string
	// Layer says how what it wrote into the build tree differs: before is the
	// recorded layer.
	Layer cache.Comparison
	// Texts shows, by path, where small text files differ.
	Texts map[string][]string
	// Outputs are those of which the bytes differ, by name.
	Outputs []OutputDifference
	// Mounts says that it left others.
	Mounts bool
}

// An OutputDifference is an output that two runs of a node did not make equal.
type OutputDifference struct {
	Name string
	// Missing says that only the record has it, New that only this run made it.
	Missing, New bool
	// Content is how they differ. For one that only one of the runs made, the
	// sizes alone are set.
	Content cache.FileComparison
	// Inside is how what is in them differs, for outputs that an
	// [OutputComparer] can look into; nil for others.
	Inside *cache.Comparison
}

// Agrees reports whether the output holds the same in other bytes.
func (o OutputDifference) Agrees() bool { return o.Inside != nil && len(o.Inside.Differences) == 0 }

// Agrees reports whether the run left what is recorded.
func (r *Recheck) Agrees() bool {
	differ := slices.ContainsFunc(r.Outputs, func(o OutputDifference) bool { return !o.Agrees() })
	return r.Failed == nil && len(r.Layer.Differences) == 0 && !differ && !r.Mounts
}

// maxOutput is how much is kept of what a failed run printed.
const maxOutput = 64 << 10

// found returns the result of a node that hits, after a recheck if that is
// wanted. A node that ran in this build, or was rechecked in an earlier pass of
// it or for another image of it, is not run once more.
func (b *Builder) found(ctx context.Context, n *Node, in *Inputs, v verdict) *Result {
	r := b.hit(n, v)
	if r.Err != nil || b.Recheck == nil || !b.Recheck(n) || b.settled(r) || !b.pool().check(v.record.Key) {
		return r
	}
	if r.Recheck, r.Err = b.recheck(ctx, n, in, v.record); r.Err != nil {
		r.Status = Failed
	}
	return r
}

// settled reports whether an earlier pass of this build made or found the
// record of r.
func (b *Builder) settled(r *Result) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	earlier := b.fresh[r.Node.ID()]
	return earlier != nil && earlier.Record != nil && earlier.Record.Key == r.Record.Key
}

// recheck runs a node as if it had missed, compares what it leaves with its
// record, and throws it away.
func (b *Builder) recheck(ctx context.Context, n *Node, in *Inputs, record *cache.Record) (r *Recheck, err error) {
	w, err := b.prepare(ctx, n, in)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.drop(w)) }()
	started := b.now()
	b.emit(Rechecking{Node: n, At: started, Log: w.Log.Name()})
	runErr := n.Action.Run(ctx, w)
	r = &Recheck{Took: b.now().Sub(started)}
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(runErr, cache.ErrMissing):
		return nil, runErr
	case runErr != nil:
		r.Failed = runErr
		r.Output, err = logEnd(w.Log)
		return r, err
	}
	if err := b.compareRun(ctx, w, record, r); err != nil {
		return nil, fmt.Errorf("compare %s with its record: %w", n.Name, err)
	}
	return r, nil
}

func logEnd(log *os.File) (string, error) {
	size, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(io.NewSectionReader(log, max(size-maxOutput, 0), maxOutput))
	return string(text), err
}

// compareRun compares what a run left in w with the record.
func (b *Builder) compareRun(ctx context.Context, w *Work, record *cache.Record, r *Recheck) error {
	if w.Node.Layer {
		if err := b.compareLayer(w, record, r); err != nil {
			return err
		}
		r.Mounts = !slices.Equal(record.Mounts, w.Mounts)
	}
	made := make(map[string]string)
	err := eachOutput(w.Out, func(name, path string) error {
		made[name] = path
		return nil
	})
	if err != nil {
		return err
	}
	if r.Outputs, err = b.compareOutputs(record.Outputs, made); err != nil {
		return err
	}
	for i := range r.Outputs {
		o := &r.Outputs[i]
		if o.Missing || o.New {
			continue
		}
		if err := b.lookInside(ctx, w, o, b.Store.BlobPath(record.Outputs[o.Name].Digest), made[o.Name]); err != nil {
			return err
		}
	}
	return nil
}

// lookInside lets the action compare what is in an output.
func (b *Builder) lookInside(ctx context.Context, w *Work, o *OutputDifference, before, after string) error {
	action, ok := w.Node.Action.(OutputComparer)
	if !ok {
		return nil
	}
	dir, err := os.MkdirTemp(filepath.Dir(w.Dir), "compare")
	if err != nil {
		return err
	}
	inside, ok, err := action.CompareOutput(ctx, o.Name, before, after, dir)
	if err == nil && ok {
		o.Inside = &inside
	}
	return err
}

func (b *Builder) compareLayer(w *Work, record *cache.Record, r *Recheck) error {
	before, dir := (*cache.Listing)(nil), ""
	if layer, ok := record.Own(); ok {
		var err error
		if dir, err = b.Store.LayerDir(layer); err != nil {
			return err
		}
		if before, err = b.Store.Listing(layer); err != nil {
			return err
		}
	}
	after, err := cache.ListUpper(w.Upper, cache.LayerOptions{Volatile: w.Node.Volatile})
	if err != nil {
		return err
	}
	r.Layer = cache.CompareListings(before, after)
	r.Texts, err = diffTexts(r.Layer.Differences, dir, w.Upper)
	return err
}

// maxTexts is of how many files a recheck shows the text.
const maxTexts = 20

// diffTexts shows the difference of small text files that anyone may read in
// the image: others may hold secrets, which are not for a terminal.
func diffTexts(differences []cache.Difference, before, after string) (map[string][]string, error) {
	texts := make(map[string][]string)
	for _, d := range differences {
		if !slices.Contains(d.Aspects, cache.AspectContent) || len(texts) == maxTexts {
			continue
		}
		const othersRead = 0o004
		if d.Before.Mode&d.After.Mode&othersRead == 0 || max(d.Before.Size, d.After.Size) > cache.MaxDiffFile {
			continue
		}
		a, err := os.ReadFile(filepath.Join(before, d.Path))
		if err != nil {
			return nil, err
		}
		b, err := os.ReadFile(filepath.Join(after, d.Path))
		if err != nil {
			return nil, err
		}
		if diff := cache.ShortDiff(a, b); diff != nil {
			texts[d.Path] = diff
		}
	}
	return texts, nil
}

// compareOutputs compares recorded outputs with files, by name.
func (b *Builder) compareOutputs(recorded map[string]cache.Blob, made map[string]string) ([]OutputDifference, error) {
	names := slices.Collect(maps.Keys(recorded))
	for name := range made {
		if _, known := recorded[name]; !known {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var differences []OutputDifference
	for _, name := range names {
		d, err := b.compareOutput(name, recorded, made)
		if err != nil {
			return nil, err
		}
		if d.Missing || d.New || !d.Content.Same() {
			differences = append(differences, d)
		}
	}
	return differences, nil
}

func (b *Builder) compareOutput(name string, recorded map[string]cache.Blob, made map[string]string) (OutputDifference, error) {
	d := OutputDifference{Name: name}
	blob, known := recorded[name]
	path, again := made[name]
	switch {
	case !again:
		d.Missing, d.Content.Before = true, blob.Size
		return d, nil
	case !known:
		info, err := os.Stat(path)
		if err != nil {
			return d, err
		}
		d.New, d.Content.After = true, info.Size()
		return d, nil
	}
	var err error
	d.Content, err = cache.CompareFiles(b.Store.BlobPath(blob.Digest), path)
	return d, err
}
