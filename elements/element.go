package elements

import (
	"io/fs"
	"path"
	"slices"
	"strings"
)

// An Element is a directory of hooks and metadata.
type Element struct {
	// Name is the base name of the directory, links resolved.
	Name string
	// Dir is the directory; empty when the element is embedded.
	Dir string
	// FS holds the files of an embedded element; nil for all others.
	FS fs.FS
	// Origin is the directory as the user knows it, or "embedded".
	Origin string
	// Tree lists the files. It is set for the elements of an [Image] and those
	// they override.
	Tree *Tree
	// Deps and Provides are what element-deps and element-provides name, each
	// once, in the order of the file.
	Deps, Provides []string
	// Overridden are the elements of the same name later on the search path,
	// nearest first. They do not take part, but some tools read their files.
	Overridden []*Element

	// Settings are what its dibgraph.yaml says. They are set for the elements
	// of an [Image].
	Settings    Settings
	hasSettings bool

	deps, provides []reference
	// linked are the trees behind links to directories at the top, by the name
	// of the link. Merging follows those, and no others.
	linked map[string]*Tree
}

// A reference is a name in a list, and where it is written.
type reference struct {
	name string
	line int
}

// Embedded reports whether the element is part of the program.
func (e *Element) Embedded() bool { return e.FS != nil }

// source returns the name of one of the element's files for messages.
func (e *Element) source(name string) string {
	if e.Embedded() {
		return path.Join("embedded:"+e.Name, name)
	}
	return path.Join(e.Origin, name)
}

// files returns where the element's files are read from.
func (e *Element) files() files {
	if e.Embedded() {
		return embeddedFiles{e.FS}
	}
	return diskFiles(e.Dir)
}

// read returns the content of a file at the top, and asks the disk only for one that
// is listed: most elements do not have most files.
func (e *Element) read(name string) ([]byte, error) {
	if _, ok := e.Tree.Lookup(name); !ok {
		return nil, fs.ErrNotExist
	}
	return e.files().read(name)
}

// readLists reads element-deps and element-provides.
func (e *Element) readLists() []*Problem {
	var problems []*Problem
	for _, list := range []struct {
		file  string
		refs  *[]reference
		names *[]string
	}{
		{"element-deps", &e.deps, &e.Deps},
		{"element-provides", &e.provides, &e.Provides},
	} {
		text, err := e.files().read(list.file)
		if err != nil && !isAbsent(err) {
			problems = append(problems, &Problem{File: e.source(list.file), Message: "cannot be read: " + cause(err)})
		}
		*list.refs = parseNames(text)
		*list.names = nil
		for _, r := range *list.refs {
			*list.names = append(*list.names, r.name)
		}
	}
	return problems
}

// parseNames reads a list of names, one a line. There are no comments: a line
// that starts with "#" is a name.
func parseNames(text []byte) []reference {
	var refs []reference
	line := 0
	for part := range strings.Lines(string(text)) {
		line++
		name := strings.TrimSpace(part)
		known := slices.ContainsFunc(refs, func(r reference) bool { return r.name == name })
		if name != "" && !known {
			refs = append(refs, reference{name, line})
		}
	}
	return refs
}
