package mention

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Words are the names of variables that a text may depend on. The zero Words
// depend on none. They are not changed once made.
type Words struct {
	// Names are the names that occur as words.
	Names map[string]bool
	// Prefixes are beginnings of names, each ending in "_" or taken from a
	// list of names by prefix; sorted.
	Prefixes []string
	// All is set when the text may depend on any variable.
	All bool
	// Opaque is set when it is no text, so that nothing is known of it.
	Opaque bool
	// Paths is set when the text puts names of files together when it runs, so
	// that its words do not tell which. It does not survive [Words.Strings].
	Paths bool
	// Mounts is set when the text may mount the merged hooks or the elements in
	// another place, where reading them is not seen. It does not survive
	// [Words.Strings].
	Mounts bool
	// Files are the paths that the text names outright, absolute ones and those
	// in the home directory ("~/x"), as far as they are no part of a longer
	// one; sorted. They do not survive [Words.Strings].
	Files []string
}

// Match reports whether the text may depend on the variable. An exported
// function counts under its own name, not as the variable it travels in.
func (w Words) Match(name string) bool { return w.All || w.Has(name) }

// Has reports whether the text has the name, or a prefix of it, as a word.
func (w Words) Has(name string) bool {
	name = functionName(name)
	hasPrefix := func(prefix string) bool { return strings.HasPrefix(name, prefix) }
	return w.Names[name] || slices.ContainsFunc(w.Prefixes, hasPrefix)
}

// functionName returns the name of the function that travels in the variable,
// and the names of all other variables as they are.
func functionName(variable string) string {
	if rest, ok := strings.CutPrefix(variable, "BASH_FUNC_"); ok {
		if name, ok := strings.CutSuffix(rest, "%%"); ok {
			return name
		}
	}
	return variable
}

// Merge returns what both texts together may depend on.
func (w Words) Merge(o Words) Words {
	switch {
	case o.empty():
		return w
	case w.empty():
		return o
	}
	merged := Words{Names: maps.Clone(w.Names), All: w.All || o.All, Opaque: w.Opaque || o.Opaque, Paths: w.Paths || o.Paths, Mounts: w.Mounts || o.Mounts}
	if merged.Names == nil {
		merged.Names = map[string]bool{}
	}
	maps.Copy(merged.Names, o.Names)
	merged.Prefixes = sortedSet(slices.Concat(w.Prefixes, o.Prefixes))
	merged.Files = sortedSet(slices.Concat(w.Files, o.Files))
	return merged
}

// Union returns what all the texts together may depend on.
func Union(all ...Words) Words {
	union := Words{Names: map[string]bool{}}
	for _, w := range all {
		union.All, union.Opaque, union.Paths = union.All || w.All, union.Opaque || w.Opaque, union.Paths || w.Paths
		union.Mounts = union.Mounts || w.Mounts
		maps.Copy(union.Names, w.Names)
		union.Prefixes = append(union.Prefixes, w.Prefixes...)
		union.Files = append(union.Files, w.Files...)
	}
	union.Prefixes, union.Files = sortedSet(union.Prefixes), sortedSet(union.Files)
	return union
}

func (w Words) empty() bool {
	return !w.All && !w.Opaque && !w.Paths && !w.Mounts && len(w.Names) == 0 && len(w.Prefixes) == 0 && len(w.Files) == 0
}

// Strings returns the words in a form that can be kept: sorted, a prefix with
// "*" after it, and nothing but "*" when the text may depend on any variable.
func (w Words) Strings() []string {
	if w.All {
		return []string{"*"}
	}
	list := slices.Collect(maps.Keys(w.Names))
	for _, prefix := range w.Prefixes {
		// A prefix stands for its own name too.
		list = slices.DeleteFunc(list, func(name string) bool { return strings.HasPrefix(name, prefix) })
	}
	for _, prefix := range w.Prefixes {
		list = append(list, prefix+"*")
	}
	return sortedSet(list)
}

// Parse is the inverse of [Words.Strings]: what it returns matches the
// same names.
func Parse(list []string) (Words, error) {
	w := Words{Names: map[string]bool{}}
	for _, item := range list {
		prefix, isPrefix := strings.CutSuffix(item, "*")
		switch {
		case item == "*":
			w.All = true
		case !identifier.MatchString(prefix):
			return Words{}, fmt.Errorf("%q is neither the name of a variable nor a prefix", item)
		case isPrefix:
			w.Prefixes = append(w.Prefixes, prefix)
		default:
			w.Names[item] = true
		}
	}
	w.Prefixes = sortedSet(w.Prefixes)
	return w, nil
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// sortedSet sorts a list in place and drops what is there twice.
func sortedSet(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}
