package elements

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/steps/mention"
)

// maxText is the size up to which a file is read for the names it mentions.
// Hooks are thousands of times smaller; what is larger is data and counts like
// binary data.
const maxText = 1 << 20

// A scan reads the trees of elements, first the listings, then the contents on
// all processors.
type scan struct {
	problems []*Problem
	pending  []pendingFile
}

// A pendingFile is a regular file whose content is still to be read.
type pendingFile struct {
	file *File
	from files
	name string // in from
}

// load reads the trees of the elements and of those they override.
func load(elements []*Element) []*Problem {
	var all []*Element
	for _, e := range elements {
		all = append(append(all, e), e.Overridden...)
	}
	scans := make([]scan, len(all))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, e := range all {
		group.Go(func() error {
			scans[i].element(e)
			return nil
		})
	}
	group.Wait() // no member returns an error
	var s scan
	for _, one := range scans {
		s.problems, s.pending = append(s.problems, one.problems...), append(s.pending, one.pending...)
	}
	s.contents()
	return s.problems
}

// element lists an element and the directories that its top-level links lead to.
func (s *scan) element(e *Element) {
	e.Tree = s.tree(e, e.files(), "")
	e.linked = map[string]*Tree{}
	for _, f := range e.Tree.Entries("") {
		if !f.IsLink() || e.Embedded() {
			continue
		}
		target := filepath.Join(e.Dir, f.Path)
		if info, err := os.Stat(target); err == nil && info.IsDir() {
			e.linked[f.Path] = s.tree(e, diskFiles(target), f.Path)
		}
	}
}

// tree lists a directory. The paths of the tree are relative to it; at is
// where it is in the element.
func (s *scan) tree(e *Element, from files, at string) *Tree {
	t := newTree(s.list(e, from, at, "."))
	for i := range t.Files {
		if f := &t.Files[i]; f.Mode.IsRegular() {
			s.pending = append(s.pending, pendingFile{file: f, from: from, name: f.Path})
		}
	}
	return t
}

// list returns what is below a directory.
func (s *scan) list(e *Element, from files, at, dir string) []File {
	infos, err := from.list(dir)
	if err != nil {
		s.problem(e.source(path.Join(at, dir)), "cannot be read: "+cause(err))
		return nil
	}
	var listed []File
	for _, info := range infos {
		name := path.Join(dir, info.Name())
		f := File{
			Path: name, Mode: from.mode(info.Mode(), nil), ModTime: from.written(info),
			Source: e.source(path.Join(at, name)), Element: e.Name,
		}
		switch {
		case f.IsDir():
			listed = append(listed, s.list(e, from, at, name)...)
		case f.IsLink():
			if f.Link, err = from.readlink(name); err != nil {
				s.problem(f.Source, "cannot be read: "+cause(err))
			}
		case f.Mode.IsRegular():
			f.Size = info.Size()
		default:
			s.problem(f.Source, "is neither a file nor a directory nor a link")
			continue
		}
		listed = append(listed, f)
	}
	return listed
}

// contents reads all pending files. Few goroutines take many files each: one of
// its own would grow its stack anew for every file.
func (s *scan) contents() {
	var group errgroup.Group
	var next atomic.Int64
	errs := make([]error, len(s.pending))
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() error {
			for i := next.Add(1) - 1; i < int64(len(s.pending)); i = next.Add(1) - 1 {
				errs[i] = s.pending[i].read()
			}
			return nil
		})
	}
	group.Wait() // no member returns an error
	for i, err := range errs {
		if err != nil {
			s.problem(s.pending[i].file.Source, "cannot be read: "+cause(err))
		}
	}
}

func (s *scan) problem(file, message string) {
	s.problems = append(s.problems, &Problem{File: file, Message: message})
}

// read fills in what depends on the content of a file.
func (p pendingFile) read() error {
	f := p.file
	f.Open = opener(p.from, f)
	if f.Size > maxText {
		f.Words = Words{All: true}
		return p.stream()
	}
	content, err := p.from.read(p.name)
	if err != nil {
		return err
	}
	f.Size = int64(len(content))
	f.Digest = cache.DigestBytes(content)
	f.Words = mention.Of(content)
	p.setMode(content)
	return nil
}

// stream does the same for a file that is not kept in memory.
func (p pendingFile) stream() (err error) {
	r, err := p.from.open(p.name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	start := make([]byte, 2) // as much as decides about the mode
	if _, err = io.ReadFull(r, start); err != nil {
		return err
	}
	p.setMode(start)
	p.file.Digest, p.file.Size, err = cache.DigestReader(io.MultiReader(bytes.NewReader(start), r))
	return err
}

func (p pendingFile) setMode(start []byte) {
	p.file.Mode = p.from.mode(p.file.Mode, start)
	p.file.Executable = p.file.Mode.Perm()&0o111 != 0
}

// opener returns the Open of a file.
func opener(from files, f *File) func() (io.ReadCloser, error) {
	name := f.Path
	return func() (io.ReadCloser, error) {
		r, err := from.open(name)
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", f.Source, err)
		}
		return &checkedReader{ReadCloser: r, want: f.Digest, source: f.Source}, nil
	}
}
