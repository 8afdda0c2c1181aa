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

// A Delivery says what became of the files of a build.
type Delivery struct {
	// Paths are those of the files, as the user would write them.
	Paths []string
	// Renamed are files that were in their place.
	Renamed []Renamed
}

// A Renamed is a file that has another path now.
type Renamed struct{ From, To string }

// Deliver puts the files of a finished build where the user wants them. Each appears under its final name when it is whole. A
// file that is there already, as an earlier delivery left it, is not written
// again; one that somebody else made or changed is renamed first, with the
// time in its name, unless OVERWRITE_OLD_IMAGE says otherwise.
func (p *Planner) Deliver(store *cache.Store, g *graph.Graph, results []*graph.Result) (Delivery, error) {
	d := &delivery{planner: p, store: store, results: make(map[*graph.Node]*graph.Result), at: time.Now()}
	for _, r := range results {
		d.results[r.Node] = r
	}
	for _, o := range p.Outputs(g) {
		if err := d.output(o); err != nil {
			return d.Delivery, err
		}
	}
	err := d.beside(g.Node(p.image.Definition.Name, diskNode))
	return d.Delivery, err
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

// OutputPath returns the path of the file of a type, as the user would write it.
func (d Definition) OutputPath(outputType string) string {
	return filepath.Join(d.OutputDir, d.Name+suffixOf(outputType))
}

type delivery struct {
	planner *Planner
	store   *cache.Store
	results map[*graph.Node]*graph.Result
	at      time.Time // what is renamed together has one time in its names
	Delivery
}

func (d *delivery) output(o Output) error {
	blob, ok := d.results[o.Node].Output(o.Blob)
	if !ok {
		return fmt.Errorf("%s left no %s", o.Node.Name, o.Blob)
	}
	path := d.planner.image.Definition.OutputPath(o.Type)
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
		if err := d.setAside(path, ours); err != nil {
			return err
		}
		if err := d.store.Deliver(blob.Digest, at); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
	}
	d.Paths = append(d.Paths, path)
	return nil
}

// setAside renames a file that would be replaced and cannot be made again, or is
// to be kept anyway, and its checksums with it.
func (d *delivery) setAside(path string, ours bool) error {
	def := d.planner.image.Definition
	overwrite := def.Environment["OVERWRITE_OLD_IMAGE"]
	if ours && overwrite == "" || overwrite != "" && overwrite != "0" {
		return nil
	}
	at := def.path(path)
	if _, err := os.Lstat(at); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	aside := asideName(at, d.at)
	if err := os.Rename(at, aside); err != nil {
		return err
	}
	d.Renamed = append(d.Renamed, Renamed{path, filepath.Join(filepath.Dir(path), filepath.Base(aside))})
	for _, suffix := range []string{".md5", ".sha256"} {
		if err := os.Rename(at+suffix, aside+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
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
