package steps

import (
	"maps"
	"slices"
	"strings"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/steps/mention"
)

// Existing are the files whose existence is an input of those who can ask for
// them. It does not change once made.
type existing struct {
	files []existingFile
	// all stands for all files in one line.
	all graph.Line
	// byWord has the positions of the files by the first word of their names,
	// that of the files without any word by "".
	byWord map[string][]int
	words  []string // the keys of byWord, sorted
}

type existingFile struct {
	base string // the last element of its name
	line graph.Line
}

func newExisting(name string, files []existingFile) existing {
	e := existing{files: files, byWord: make(map[string][]int)}
	var lines []graph.Line
	for i, f := range files {
		lines = append(lines, f.line)
		first := mention.FirstWord(f.base)
		e.byWord[first] = append(e.byWord[first], i)
	}
	e.all = graph.ListLine(name, lines)
	e.words = slices.Sorted(maps.Keys(e.byWord))
	return e
}

// describe writes the files that text with these words can ask for.
func (e existing) describe(d *graph.Description, words readers) {
	if words.anyName() {
		d.Append(e.all)
		return
	}
	for _, i := range e.candidates(words) {
		if words.canName(e.files[i].base) {
			d.Append(e.files[i].line)
		}
	}
}

// candidates returns the positions of the files whose names begin with one of
// the words, in order, each once.
func (e existing) candidates(words readers) []int {
	found := slices.Clone(e.byWord[""])
	for _, w := range words {
		for name := range w.Names {
			found = append(found, e.byWord[name]...)
		}
		for _, prefix := range w.Prefixes {
			at, _ := slices.BinarySearch(e.words, prefix)
			for ; at < len(e.words) && strings.HasPrefix(e.words[at], prefix); at++ {
				found = append(found, e.byWord[e.words[at]]...)
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// anyName reports whether one of the texts can be about a file of any name.
func (r readers) anyName() bool {
	return slices.ContainsFunc(r, func(w mention.Words) bool { return w.All || w.Opaque || w.Paths })
}

// canName reports whether the texts together have all the words of a name.
func (r readers) canName(name string) bool {
	return mention.EveryWord(name, func(word string) bool {
		return slices.ContainsFunc(r, func(w mention.Words) bool { return w.Has(word) })
	})
}
