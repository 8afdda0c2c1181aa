package elements

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/steps"
)

// Deliver puts the files of a finished build where the user wants them and
// returns their paths. Each appears under its final name when it is whole. A
// file that is there already, as an earlier delivery left it, is not written
// again; one that somebody else made or changed is renamed first, with the
// time in its name, unless OVERWRITE_OLD_IMAGE says otherwise.
func (p *Planner) Deliver(store *cache.Store, g *graph.Graph, results []*graph.Result) ([]string, error) {
	d := &delivery{planner: p, store: store, results: make(map[*graph.Node]*graph.Result)}
	for _, r := range results {
		d.results[r.Node] = r
	}
	for _, o := range p.Outputs(g) {
		if err := d.output(o); err != nil {
			return d.paths, err
		}
	}
	return d.paths, d.beside(g.Node(p.image.Definition.Name, diskNode))
}

// delivered returns the paths at which builds of the image leave outputs.
func (d Definition) delivered() []string {
	at := d.path(filepath.Join(d.OutputDir, d.Name))
	paths := []string{at + ".d"}
	for _, t := range OutputTypes {
		for _, suffix := range []string{"", ".md5", ".sha256"} {
			paths = append(paths, at+suffixOf(t)+suffix)
		}
	}
	return paths
}

type delivery struct {
	planner *Planner
	store   *cache.Store
	results map[*graph.Node]*graph.Result
	paths   []string
}

// path returns the final path of an output, as the user would write it.
func (d *delivery) path(suffix string) string {
	def := d.planner.image.Definition
	return filepath.Join(def.OutputDir, def.Name+suffix)
}

func (d *delivery) output(o Output) error {
	blob, ok := d.results[o.Node].Output(o.Blob)
	if !ok {
		return fmt.Errorf("%s left no %s", o.Node.Name, o.Blob)
	}
	path := d.path(o.Suffix)
	if err := d.put(path, blob); err != nil {
		return err
	}
	if o.Checksums == nil {
		return nil
	}
	sums := d.results[o.Checksums].Record.Outputs
	for _, name := range sortedNames(sums) {
		digits, err := d.store.ReadBlob(sums[name].Digest)
		if err != nil {
			return err
		}
		// The form of coreutils, which can check it.
		line, err := d.store.PutBytes([]byte(string(digits) + "  " + path + "\n"))
		if err != nil {
			return err
		}
		if err := d.put(path+"."+name, line); err != nil {
			return err
		}
	}
	return nil
}

// beside delivers what hooks left beside the image. Hooks know it by the name
// of the image, which it starts with.
func (d *delivery) beside(disk *graph.Node) error {
	outputs := d.results[disk].Record.Outputs
	for _, name := range sortedNames(outputs) {
		if rest, ok := strings.CutPrefix(name, steps.BesideOutput+"/"); ok {
			path := filepath.Join(d.planner.image.Definition.OutputDir, rest)
			if err := os.MkdirAll(filepath.Dir(d.planner.image.Definition.path(path)), 0o755); err != nil {
				return err
			}
			if err := d.put(path, outputs[name]); err != nil {
				return err
			}
		}
	}
	return nil
}

func sortedNames(outputs map[string]cache.Blob) []string {
	var names []string
	for name := range outputs {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (d *delivery) put(path string, blob cache.Blob) error {
	def := d.planner.image.Definition
	at := def.path(path)
	ours, same, err := d.store.Delivered(at, blob.Digest)
	if err != nil {
		return err
	}
	if !same {
		if err := d.setAside(at, ours); err != nil {
			return err
		}
		if err := d.store.Deliver(blob.Digest, at); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
	}
	d.paths = append(d.paths, path)
	return nil
}

// setAside renames a file that would be replaced and cannot be made again.
func (d *delivery) setAside(at string, ours bool) error {
	overwrite := d.planner.image.Definition.Environment["OVERWRITE_OLD_IMAGE"]
	if ours && overwrite == "" || overwrite != "" && overwrite != "0" {
		return nil
	}
	if _, err := os.Lstat(at); err != nil {
		return nil //nolint:nilerr // nothing there to keep
	}
	return os.Rename(at, asideName(at, time.Now()))
}

// asideName returns the name for a file that is set aside at a time. There may
// be one of that time: set aside in the same second, or before the clock was put
// back.
func asideName(at string, now time.Time) string {
	suffix := filepath.Ext(at)
	begin := strings.TrimSuffix(at, suffix) + now.Format("-2006.01.02-15.04.05")
	for name, n := begin+suffix, 2; ; name, n = fmt.Sprintf("%s-%d%s", begin, n, suffix), n+1 {
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			return name
		}
	}
}

// Summary returns the history entry of a build. What it says of the caller's
// environment is what mattered to the image, without secrets.
func Summary(img *Image, started time.Time, results []*graph.Result, delivered []string, err error) (*cache.Build, error) {
	definition, marshalErr := json.Marshal(img.recordable())
	if marshalErr != nil {
		return nil, fmt.Errorf("record the build: %w", marshalErr)
	}
	b := &cache.Build{
		Image: img.Definition.Name, Args: img.Definition.Args, Definition: definition,
		Started: started, Duration: time.Since(started), Outcome: graph.OutcomeDone, Outputs: delivered,
	}
	switch {
	case errors.Is(err, context.Canceled):
		b.Outcome = graph.OutcomeInterrupted
	case err != nil:
		b.Outcome = graph.OutcomeFailed
	}
	for _, r := range results {
		b.Nodes = append(b.Nodes, r.Summary())
	}
	return b, nil
}
