package imagelist

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dibgraph/dibgraph/cache/settings"
	"github.com/dibgraph/dibgraph/elements"
	"github.com/dibgraph/dibgraph/internal/nearest"
	"github.com/dibgraph/dibgraph/internal/problem"
)

// A File is one to read, by the name that messages call it by.
type File struct {
	Name    string
	Content []byte
}

// An Image is one that is listed.
type Image struct {
	// Name is that of its nodes, unique in the list; Group is its imagename as
	// it is written, which all images of a matrix have in common.
	Name, Group string
	// Depends are the names of images that are to be there before it begins.
	Depends []string
	// Logfile is where what its nodes printed is to be written; empty is nowhere.
	Logfile string
	// Cache says which shared caches it uses, the layer first that counts most.
	Cache []settings.Layer

	// Flawed says that something is wrong with what is said of it, so that loading
	// it would find things that are not.
	Flawed bool

	at     place
	output string // with directories
	says   entry
}

// Place returns where the image is listed, as "images.yaml:3".
func (i *Image) Place() string { return fmt.Sprintf("%s:%d", i.at.file, i.at.line) }

// defaultName is that of entries before the first one that has a name.
const defaultName = "image"

// Read returns the images that files list, in the order of their first entries.
//
// As in diskimage-builder, entries with the same imagename are one image, and
// an entry without one belongs to the image of the entry before, also if that is
// in the file before: lists are appended, maps are updated, and everything else
// is replaced. The defaults of a file are what its images begin with. The error
// is all [problem.Problem] of all files; what could be read is returned with it.
func Read(files []File) ([]*Image, error) {
	var problems []*problem.Problem
	var groups []*group
	name := defaultName
	for _, file := range files {
		r := reader{}
		r.File = file.Name
		r.read(file.Content)
		problems = append(problems, r.Problems...)
		for _, e := range r.entries {
			if v, ok := e["imagename"]; ok && v.text != "" {
				name = v.text
			}
			i := slices.IndexFunc(groups, func(g *group) bool { return g.name == name })
			if i < 0 {
				i = len(groups)
				groups = append(groups, &group{name: name, at: e[entryLine].at, says: r.defaults})
			}
			groups[i].says = groups[i].says.add(e)
			_, flawed := e[flawedEntry]
			_, byDefault := r.defaults[flawedEntry]
			groups[i].flawed = groups[i].flawed || flawed || byDefault
		}
	}
	var images []*Image
	for _, g := range groups {
		variants, more := g.images()
		images, problems = append(images, variants...), append(problems, more...)
	}
	if len(images) == 0 && len(problems) == 0 {
		problems = append(problems, &problem.Problem{File: files[0].Name, Message: "lists no image"})
	}
	problems = append(problems, checkNames(images)...)
	problems = append(problems, resolveDepends(images)...)
	return images, problem.Join(problems)
}

// A group is the entries of one name.
type group struct {
	name string
	at   place
	says entry

	flawed bool
}

// maxCombinations is how many images one matrix can make: more is a mistake.
const maxCombinations = 1000

// images returns one image, or one for each combination of its matrix.
func (g *group) images() ([]*Image, []*problem.Problem) {
	count := 1
	for _, v := range g.says["matrix"].pairs {
		if count *= len(v.list); count > maxCombinations {
			return nil, []*problem.Problem{{
				File: g.at.file, Line: g.at.line, Message: fmt.Sprintf("image %q: the matrix has more than %d combinations", g.name, maxCombinations),
			}}
		}
	}
	var images []*Image
	var problems []*problem.Problem
	for _, choice := range combinations(g.says["matrix"].pairs) {
		m := matrix{choice: choice}
		says := g.says.replace(m.replace)
		says["environment"] = says["environment"].add(value{at: g.at, pairs: choice})
		output := m.name(g.at, g.name, g.says["matrix"].pairs)
		problems = append(problems, m.problems...)
		i := &Image{
			Group: g.name, Depends: says["depends"].texts(), Logfile: says["logfile"].text,
			Cache: says["cache"].layers, at: g.at, output: output, says: says, Flawed: g.flawed || len(m.problems) > 0,
		}
		_, i.Name = elements.SplitOutput(output, says["types"].texts())
		images = append(images, i)
	}
	return images, problems
}

// checkNames finds images whose nodes or files could not be told apart.
func checkNames(images []*Image) []*problem.Problem {
	var problems []*problem.Problem
	seen := make(map[string]*Image)
	for _, i := range images {
		if other := seen[i.Name]; other != nil {
			problems = append(problems, &problem.Problem{
				File: i.at.file, Line: i.at.line,
				Message: fmt.Sprintf("image %q has the same name as %q of %s, without directories and suffix", i.output, other.output, other.Place()),
				Hint:    "results are remembered by that name: give one of them another",
			})
			continue
		}
		seen[i.Name] = i
	}
	return problems
}

// resolveDepends puts the names of images in place of those of groups, and finds
// those that are not there and cycles.
func resolveDepends(images []*Image) []*problem.Problem {
	var problems []*problem.Problem
	for _, i := range images {
		var names []string
		for _, d := range i.says["depends"].list {
			found := named(images, d.text)
			if len(found) == 0 {
				problems = append(problems, &problem.Problem{
					File: d.at.file, Line: d.at.line, Hint: nearest.Question(d.text, Names(images)),
					Message: fmt.Sprintf("image %q depends on %q, which is not listed", i.Name, d.text),
				})
			}
			for _, f := range found {
				names = append(names, f.Name)
			}
		}
		i.Depends = names
	}
	if cycle := findCycle(images); cycle != nil {
		first := named(images, cycle[0])[0]
		at := first.says["depends"].at
		problems = append(problems, &problem.Problem{
			File: at.file, Line: at.line, Message: "images depend on each other: " + strings.Join(cycle, " -> "),
		})
	}
	return problems
}

// named returns the image of a name, or those of a group.
func named(images []*Image, name string) []*Image {
	var found []*Image
	for _, i := range images {
		if i.Name == name || i.output == name {
			return []*Image{i}
		}
		if i.Group == name {
			found = append(found, i)
		}
	}
	return found
}

// findCycle returns the names along a cycle, the first one repeated at the end.
func findCycle(images []*Image) []string {
	const open, done = 1, 2
	state := make(map[string]int)
	var way []string
	var visit func(i *Image) []string
	visit = func(i *Image) []string {
		switch state[i.Name] {
		case done:
			return nil
		case open:
			return append(slices.Clone(way[slices.Index(way, i.Name):]), i.Name)
		}
		state[i.Name], way = open, append(way, i.Name)
		for _, d := range i.Depends {
			if cycle := visit(named(images, d)[0]); cycle != nil {
				return cycle
			}
		}
		state[i.Name], way = done, way[:len(way)-1]
		return nil
	}
	for _, i := range images {
		if cycle := visit(i); cycle != nil {
			return cycle
		}
	}
	return nil
}

// Names returns the names of images, in their order.
func Names(images []*Image) []string {
	var names []string
	for _, i := range images {
		names = append(names, i.Name)
	}
	return names
}

// An UnknownError is a name that no image of a list has.
type UnknownError struct {
	Name  string
	Known []string
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("image %q is not listed; there are %s", e.Name, strings.Join(e.Known, ", "))
}

// Select returns the images of some names, or of some imagenames as they are
// written, and those that they depend on, in the order of the list. No names
// are all.
func Select(images []*Image, names []string) ([]*Image, error) {
	found, err := Find(images, names)
	if err != nil {
		return nil, err
	}
	wanted := make(map[string]bool)
	var want func(i *Image)
	want = func(i *Image) {
		wanted[i.Name] = true
		for _, d := range i.Depends {
			want(named(images, d)[0])
		}
	}
	for _, i := range found {
		want(i)
	}
	return slices.DeleteFunc(slices.Clone(images), func(i *Image) bool { return !wanted[i.Name] }), nil
}

// Find is Select without what the images depend on.
func Find(images []*Image, names []string) ([]*Image, error) {
	if len(names) == 0 {
		return images, nil
	}
	wanted := make(map[*Image]bool)
	for _, name := range names {
		found := named(images, name)
		if len(found) == 0 {
			return nil, &UnknownError{name, Names(images)}
		}
		for _, i := range found {
			wanted[i] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(images), func(i *Image) bool { return !wanted[i] }), nil
}
