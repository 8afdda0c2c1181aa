package elements

import (
	"slices"

	"github.com/dibgraph/dibgraph/steps/mention"
)

// words returns what the files of an element mention, but for dibgraph.yaml,
// which no hook reads: what it names is expanded before, or declared.
func (e *Element) words() Words {
	var all []Words
	for _, f := range e.Tree.Files {
		if f.Path != settingsFile {
			all = append(all, f.Words)
		}
	}
	return mention.Union(all...)
}

// findReserved collects the variables of the caller that elements declare as
// inputs of their own hooks, and that only some elements get; sorted. Those that
// pass to all hooks anyway are not among them.
func (img *Image) findReserved() {
	for _, e := range img.Elements {
		for _, name := range e.Settings.InputVariables {
			if _, given := img.Definition.Environment[name]; given && !img.passesAll(name) {
				img.reserved = append(img.reserved, name)
			}
		}
	}
	slices.Sort(img.reserved)
	img.reserved = slices.Compact(img.reserved)
}

// reservedFor returns the reserved variables that are meant for an element: it
// declares or mentions them. No element is the environment.d of all.
func (img *Image) reservedFor(element string) []string {
	var names []string
	for _, name := range img.reserved {
		if img.meant(name, element) {
			names = append(names, name)
		}
	}
	return names
}

// meant reports whether a reserved variable is meant for an element.
func (img *Image) meant(name, element string) bool {
	e := img.Element(element)
	if e == nil {
		return img.Hooks.Words(environmentDir).Has(name)
	}
	mentions := func(f File) bool { return f.Path != settingsFile && f.Words.Has(name) }
	return slices.Contains(e.Settings.InputVariables, name) || slices.ContainsFunc(e.Tree.Files, mentions)
}
