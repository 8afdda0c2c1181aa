package graph

import (
	"slices"
	"strings"
)

// A Deducer is an [Action] with lines in its description that are there only
// because something else is: a variable counts where a text mentions it. It
// keeps explanations to what was edited and decides nothing.
type Deducer interface {
	// Deduced reports whether a line was added or removed without anything
	// having happened to what it is about: only who asks for it changed. Before
	// has the description of last time.
	Deduced(diff Difference, before *Earlier, in *Inputs) bool
}

// Earlier is what is known of the run that a node is compared with.
type Earlier struct {
	// Inputs are what that run had, as far as it is recorded.
	Inputs *Inputs
	lines  []Line
	read   func(Digest) ([]byte, error)
}

// Texts returns the texts behind the lines whose names begin with one of the
// prefixes, and whether none of them is forgotten.
func (e *Earlier) Texts(prefixes ...string) (texts [][]byte, all bool) {
	for _, line := range e.lines {
		if !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(line.Name, p) }) {
			continue
		}
		digest, ok := contentDigest(line.Value)
		if !ok {
			continue // a directory, a link, or nothing
		}
		text, err := e.read(digest)
		if err != nil {
			return nil, false
		}
		texts = append(texts, text)
	}
	return texts, true
}

// withoutDeduced leaves out what follows from the rest of the differences, unless
// that is all there is.
func (b *Builder) withoutDeduced(n *Node, diffs []Difference, before *Earlier, in *Inputs) []Difference {
	d, ok := n.Action.(Deducer)
	if !ok {
		return diffs
	}
	rest := slices.DeleteFunc(slices.Clone(diffs), func(diff Difference) bool {
		return (diff.Added || diff.Removed) && d.Deduced(diff, before, in)
	})
	if len(rest) == 0 {
		return diffs
	}
	return rest
}
