package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/elements"
	"github.com/dibgraph/dibgraph/internal/packages"
	"github.com/dibgraph/dibgraph/steps"
)

// A subject is what one side of a comparison is asked for.
type subject struct {
	// file is an image file; otherwise it is a build, or a node of it.
	file  string
	build *cache.Build
	node  string
}

// A subjectFinder finds out what is meant by a word of the command line.
type subjectFinder struct {
	store *cache.Store
	image string // what last and NODE are of; empty is any
}

// find takes a word for an image file, a build, a node of the last build, or
// one of another build or image, in this order.
func (f subjectFinder) find(word string) (subject, error) {
	if isImageFile(word) {
		return subject{file: word}, nil
	}
	if buildID.MatchString(word) {
		build, err := f.named(word)
		return subject{build: build}, err
	}
	last, err := lastBuild(f.store, f.image)
	if err != nil {
		return subject{}, err
	}
	if len(nodesNamed(last, word)) > 0 {
		return subject{build: last, node: word}, nil
	}
	of, node, found := strings.Cut(word, ":")
	if build, ok, err := f.ofName(of); ok || err != nil {
		return subject{build: build, node: node}, err
	}
	if found {
		return subject{}, &hintError{fmt.Errorf("there is no build or image %q", of), `"dibgraph builds" lists both`}
	}
	_, err = nodeIn(last, word) // says what is near
	return subject{}, err
}

func (f subjectFinder) named(id string) (*cache.Build, error) {
	if id == "last" {
		return lastBuild(f.store, f.image)
	}
	return namedBuild(f.store, f.image, id)
}

// ofName returns the build that is named, or the last one of the image that is.
func (f subjectFinder) ofName(name string) (*cache.Build, bool, error) {
	if buildID.MatchString(name) {
		build, err := f.named(name)
		return build, true, err
	}
	ids, err := f.store.Builds(name)
	if err != nil || name == "" || len(ids) == 0 {
		return nil, false, err
	}
	build, err := f.store.Build(ids[0])
	return build, true, err
}

// before returns the same of the build of the image before.
func (f subjectFinder) before(s subject) (subject, error) {
	if s.file != "" {
		return subject{}, &usageError{fmt.Errorf("%s: an image file is compared with another one: name both", s.file)}
	}
	ids, err := f.store.Builds(s.build.Image)
	if err != nil {
		return subject{}, err
	}
	i := slices.Index(ids, s.build.ID)
	if i < 0 || i+1 == len(ids) {
		return subject{}, fmt.Errorf("there is no build of %s before %s to compare with", s.build.Image, s.build.ID)
	}
	build, err := f.store.Build(ids[i+1])
	return subject{build: build, node: s.node}, err
}

// isImageFile tells a file by its name: no node and no build has such a one.
func isImageFile(word string) bool {
	for _, start := range []string{"/", "./", "../"} {
		if strings.HasPrefix(word, start) {
			return true
		}
	}
	return slices.Contains(slices.Concat(elements.OutputTypes, []string{"img", "squash"}), strings.TrimPrefix(filepath.Ext(word), "."))
}

// A side is one of two trees that are compared.
type side struct {
	// name says what it is.
	name string
	// root is the root of the image; beside is what the build tree has next to
	// it, nil for an image file.
	root, beside *cache.Listing
	// read returns the content of a file of root; nil if only the packages can
	// be read.
	read func(path string) ([]byte, error)
	// packages are the packages in root, and manager whose they are; unreadable
	// says that there are some that cannot be read.
	packages   map[string]string
	manager    string
	unreadable bool
	// notes say what the reader has to know.
	notes []string
}

// load reads what a subject holds.
func (f subjectFinder) load(ctx context.Context, s subject) (*side, error) {
	if s.file != "" {
		return loadFile(ctx, s.file)
	}
	if s.node == "" {
		return f.loadBuild(s.build)
	}
	n, err := nodeIn(s.build, s.node)
	if err != nil {
		return nil, err
	}
	r, err := recordIn(f.store, s.build, n)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.node, err)
	}
	name := fmt.Sprintf("%s of %s, build %s", s.node, s.build.Image, s.build.ID)
	if blob, ok := r.Outputs[steps.TarOutput]; ok {
		return loadTar(name, f.store.BlobPath(blob.Digest))
	}
	if blob, ok := r.Outputs[steps.RawOutput]; ok {
		return loadDisk(ctx, name, f.store.BlobPath(blob.Digest))
	}
	if r.Chain.IsZero() {
		return nil, &hintError{fmt.Errorf("%s: a node of kind %s leaves no tree", s.node, n.Kind), "name the node before it, or the image files themselves"}
	}
	return f.loadState(name, r)
}

func (f subjectFinder) loadBuild(b *cache.Build) (*side, error) {
	name := fmt.Sprintf("%s, build %s of %s", b.Image, b.ID, b.Started.Local().Format(time.DateTime))
	r, err := lastState(f.store, b)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, fmt.Errorf("the build %s of %s left no tree", b.ID, b.Image)
	}
	s, err := f.loadState(name, r)
	if err != nil {
		return nil, err
	}
	if at := unfinished(b); at != "" {
		s.notes = append(s.notes, fmt.Sprintf("build %s %s at %s: this is the tree after %s", b.ID, b.Outcome, at, r.Node))
	}
	return s, nil
}

// unfinished returns the node at which a build ended before it came to its disk.
func unfinished(b *cache.Build) string {
	for _, n := range b.Nodes {
		if n.Key.IsZero() {
			if n.Kind == "disk" || n.Kind == "convert" || n.Kind == "checksum" {
				return ""
			}
			return n.Name
		}
	}
	return ""
}

func (f subjectFinder) loadState(name string, r *cache.Record) (*side, error) {
	layers, _ := r.Tree()
	view, err := f.store.View(layers)
	if err != nil {
		return nil, err
	}
	s := &side{name: name, root: &cache.Listing{}, beside: &cache.Listing{}}
	for _, e := range view.Entries {
		rest, inside := strings.CutPrefix(e.Path, imageRoot+"/")
		if !inside {
			if e.Path != imageRoot {
				s.beside.Entries = append(s.beside.Entries, e)
			}
			continue
		}
		e.Path, e.HardLink = rest, strings.TrimPrefix(e.HardLink, imageRoot+"/")
		s.root.Entries = append(s.root.Entries, e)
	}
	s.read = func(path string) ([]byte, error) {
		layer, ok := view.Layer(imageRoot + "/" + path)
		if !ok {
			return nil, os.ErrNotExist
		}
		dir, err := f.store.LayerDir(layers[layer])
		if err != nil {
			return nil, err
		}
		return os.ReadFile(filepath.Join(dir, imageRoot, path))
	}
	return s, s.findPackages(s.read)
}

// loadFile reads an image file.
func loadFile(ctx context.Context, file string) (*side, error) {
	switch ext := filepath.Ext(file); ext {
	case ".tar", ".tgz":
		return loadTar(file, file)
	case ".squash", ".docker", ".aci":
		return nil, &hintError{fmt.Errorf("%s: files that end in %s cannot be looked into", file, ext), "compare the builds, or tar files or disk images of them"}
	}
	return loadDisk(ctx, file, file)
}

// loadTar reads a tar file of a root, which is compressed if its name says so.
func loadTar(name, path string) (*side, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var content io.Reader = f
	if filepath.Ext(path) == ".tgz" {
		if content, err = gzip.NewReader(f); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	listing, kept, err := cache.ListTar(content, packages.Files...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := listing.MarkVolatile(rootPatterns(elements.VolatilePaths())); err != nil {
		return nil, err
	}
	s := &side{name: name, root: listing}
	return s, s.findPackages(func(path string) ([]byte, error) {
		if content, ok := kept[path]; ok {
			return content, nil
		}
		return nil, os.ErrNotExist
	})
}

// rootPatterns returns what patterns of the build tree are in the image's root.
func rootPatterns(patterns []string) (inRoot []string) {
	for _, p := range patterns {
		if rest, ok := strings.CutPrefix(p, imageRoot+"/"); ok {
			inRoot = append(inRoot, rest)
		}
	}
	return inRoot
}

// findPackages sets the packages of the root.
func (s *side) findPackages(read func(path string) ([]byte, error)) (err error) {
	s.manager, s.packages, err = packages.Installed(read)
	if errors.Is(err, packages.ErrUnreadable) {
		s.noPackages(err.Error())
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the packages of %s: %w", s.name, err)
	}
	return nil
}

// noPackages notes why the packages cannot be read.
func (s *side) noPackages(why string) {
	s.unreadable = true
	s.notes = append(s.notes, s.name+": "+why)
}
