package elements

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// A merger makes the hooks tree: the sum of what the elements bring, with the
// rules that elements rely on.
//
//   - Directories directly in an element are merged by their names, hidden
//     ones and links to directories too, tests and __pycache__ not. Of what is
//     in them, hidden entries stay behind.
//   - An entry of such a directory that is there already as a file, or as a
//     link to one, is an error. Further down, files replace each other.
//   - Files directly in an element (not *.pyc) replace each other; those of
//     the element that comes last stay.
type merger struct {
	files    map[string]File
	problems []*Problem
}

// merge returns the hooks tree of the elements, in their order.
func merge(elements []*Element) (*Tree, []*Problem) {
	m := merger{files: map[string]File{}}
	for _, e := range elements {
		for _, f := range e.Tree.Entries("") {
			m.top(e, f)
		}
	}
	return m.tree(), m.problems
}

// tree returns what was merged so far.
func (m *merger) tree() *Tree {
	return newTree(slices.AppendSeq(make([]File, 0, len(m.files)), maps.Values(m.files)))
}

// top merges something that is directly in an element.
func (m *merger) top(e *Element, f File) {
	linked := e.linked[f.Path]
	switch {
	case f.IsDir():
		m.directory(f, e.Tree, f.Path)
	case linked != nil:
		m.directory(f, linked, "")
	case f.Mode.IsRegular() && path.Ext(f.Path) != ".pyc":
		m.put(f, f.Path)
	}
}

// directory merges a directory that is directly in an element: what is below
// dir in t goes to the directory named by f.
func (m *merger) directory(f File, t *Tree, dir string) {
	if f.Path == "tests" || f.Path == "__pycache__" {
		return
	}
	// Merging makes the directory anew, so it does not keep its permissions.
	made := File{
		Path: f.Path, Mode: fs.ModeDir | 0o755, ModTime: embeddedTime, Source: f.Source, Element: f.Element,
	}
	if old, ok := m.files[f.Path]; ok && !old.IsDir() {
		m.clash(made, old)
		return
	} else if !ok {
		m.files[f.Path] = made
	}
	for _, entry := range t.Entries(dir) {
		name := path.Base(entry.Path)
		if strings.HasPrefix(name, ".") {
			continue
		}
		if strings.ContainsAny(name, " \t\n") {
			m.problem(entry, "a name with blanks cannot be merged with the hooks of other elements")
			continue
		}
		m.entry(entry, t, path.Join(f.Path, name))
	}
}

// entry merges an entry of such a directory.
func (m *merger) entry(entry File, t *Tree, to string) {
	if old, ok := m.files[to]; ok && m.isFile(old) {
		m.problem(entry, "duplicated hook /%s: element %q and element %q (%s) both have it",
			to, entry.Element, old.Element, old.Source)
		return
	}
	m.put(entry, to)
	for _, f := range t.Under(entry.Path) {
		m.put(f, to+strings.TrimPrefix(f.Path, entry.Path))
	}
}

// put places a file, replacing one that is there.
func (m *merger) put(f File, to string) {
	if old, ok := m.files[to]; ok && old.IsDir() != f.IsDir() {
		m.clash(f, old)
		return
	}
	f.Path = to
	m.files[to] = f
}

// isFile reports whether f is a file or a link to one.
func (m *merger) isFile(f File) bool {
	if !f.IsLink() {
		return f.Mode.IsRegular()
	}
	target, ok := m.tree().Resolve(f.Path)
	return ok && target.Mode.IsRegular()
}

// clash reports that a directory and something else have the same name.
func (m *merger) clash(f, old File) {
	m.problem(f, "is a %s in element %q and a %s in element %q (%s)",
		kind(f), f.Element, kind(old), old.Element, old.Source)
}

func (m *merger) problem(f File, format string, args ...any) {
	m.problems = append(m.problems, &Problem{File: f.Source, Message: fmt.Sprintf(format, args...)})
}

// kind returns what f is, in a word.
func kind(f File) string {
	switch {
	case f.IsDir():
		return "directory"
	case f.IsLink():
		return "link"
	}
	return "file"
}
