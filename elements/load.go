package elements

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/dibgraph/dibgraph/steps/mention"
)

// An Image is a definition with everything that elements say about it. It does
// not change after [Load] and can be used concurrently.
type Image struct {
	// Definition is what was asked for, completed from the caller's
	// environment and the defaults.
	Definition Definition
	// Elements are those that take part: each after the ones it depends on,
	// otherwise by name.
	Elements []*Element
	// Hooks is the merged hooks tree, as it is before the first hook runs.
	Hooks *Tree
	// Sources are the files that are fetched before the first hook, by name.
	Sources []Source
	// Notices are what a user should know but need not act on.
	Notices []string

	words    Words    // what any file of any element mentions
	reserved []string // variables that reach only some elements
	layout   layout
	texts    elementTexts
}

// Load reads a definition and the elements it needs. The elements of stock,
// one top-level directory each, come after those of the definition's path; nil
// is none. The error holds all problems, see [Problems].
func Load(def Definition, stock fs.FS) (*Image, error) {
	def = def.complete()
	problems := def.check()
	library, err := OpenLibrary(def.ElementsPath, def.WorkDir, stock)
	problems = append(problems, Problems(err)...)

	img := &Image{Definition: def}
	if len(words(def.Elements)) > 0 {
		problems = append(problems, img.load(library)...)
	}
	var more []*Problem
	img.layout, more = chooseLayout(img)
	if problems = append(problems, more...); len(problems) > 0 {
		return nil, join(problems)
	}
	var mentioned []Words
	for _, e := range img.Elements {
		mentioned = append(mentioned, e.words())
	}
	img.words = mention.Union(mentioned...)
	img.findReserved()
	img.notice()
	return img, nil
}

// load resolves, reads and merges the elements.
func (img *Image) load(library *Library) []*Problem {
	var problems, more []*Problem
	img.Elements, problems = resolve(library, img.Definition)
	img.forgetLibrary()
	problems = append(problems, load(img.Elements)...)
	img.Hooks, more = merge(img.Elements)
	problems = append(problems, more...)
	problems = append(problems, img.checkDeclared()...)
	return append(problems, img.readSettings()...)
}

// Element returns the element of that name, nil when it does not take part.
func (img *Image) Element(name string) *Element {
	for _, e := range img.Elements {
		if e.Name == name {
			return e
		}
	}
	return nil
}

// Has reports whether the element takes part.
func (img *Image) Has(name string) bool { return img.Element(name) != nil }

// forgetLibrary takes the embedded elements out of what is overridden, if all
// elements of the image are the user's. Hooks read some files of overridden
// elements too, as if both were meant; that is not so where a whole library
// stands in for the embedded one.
func (img *Image) forgetLibrary() {
	if slices.ContainsFunc(img.Elements, (*Element).Embedded) {
		return
	}
	for _, e := range img.Elements {
		e.Overridden = slices.DeleteFunc(e.Overridden, (*Element).Embedded)
	}
}

// notice collects the notices.
func (img *Image) notice() {
	img.Notices = append(img.Notices, img.layout.parsed.Notices...)
	if device := img.Definition.Environment["IMAGE_BLOCK_DEVICE"]; device != "" {
		img.Notices = append(img.Notices, fmt.Sprintf("IMAGE_BLOCK_DEVICE is %q, and not used: the disk is made as the layout says", device))
	}
	for _, e := range img.Elements {
		for _, o := range e.Overridden {
			img.Notices = append(img.Notices, fmt.Sprintf("element %s overrides %s", e.place(), o.place()))
		}
	}
	for _, f := range img.Hooks.Files {
		if _, ok := img.Hooks.Resolve(f.Path); f.IsLink() && !ok && isHookPath(f.Path) {
			img.Notices = append(img.Notices,
				fmt.Sprintf("%s: a link to %q, which leads nowhere among the hooks, so it never runs", f.Source, f.Link))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(img.Definition.Environment)) {
		if withheld(name) && !img.passesAll(name) && img.words.Has(name) {
			img.Notices = append(img.Notices, fmt.Sprintf("an element mentions %s, which hooks do not get unless --env %[1]s says so: it opens where results are stored", name))
		}
	}
}

// place returns where an element is, for messages.
func (e *Element) place() string {
	return cmp.Or(e.Dir, "embedded:"+e.Name)
}
