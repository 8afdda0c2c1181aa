package main

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// nodeGlobs choose nodes by name. A "*" stands for any text, slashes included,
// and a name that is given as it is need not be quoted: that of [base] is no set
// of letters.
type nodeGlobs []string

// check returns the first mistake in a glob.
func (g nodeGlobs) check() error {
	for _, glob := range g {
		if _, err := path.Match(glob, ""); err != nil {
			return fmt.Errorf("%q is no glob: %w", glob, err)
		}
	}
	return nil
}

func (g nodeGlobs) match(name string) bool {
	return slices.ContainsFunc(g, func(glob string) bool { return matchNode(glob, name) })
}

// unmatched returns the globs that choose none of the names.
func (g nodeGlobs) unmatched(names []string) []string {
	return slices.DeleteFunc(slices.Clone(g), func(glob string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return matchNode(glob, name) })
	})
}

func matchNode(glob, name string) bool {
	// path.Match keeps "*" within a component, so there must be none.
	flat := strings.NewReplacer("/", "\x00")
	ok, _ := path.Match(flat.Replace(glob), flat.Replace(name))
	return ok || glob == name
}
