package helper

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	installAction   = "install"
	uninstallAction = "uninstall"
	defaultPhase    = "install.d"
)

// A packageEntry is one package that one element wants in, or out, in a phase.
type packageEntry struct {
	Phase, Action, Element, Package string
}

// A squasher merges package-installs files in the order in which it is given
// them. The order does not change what is installed: a plain install wins over
// every uninstall of the same package in the same phase, before or after it.
type squasher struct {
	env     Env
	entries []packageEntry
	// plain marks the phase and package of installs without build-only.
	plain map[[2]string]bool
	// notices are worth telling, but no mistake for certain.
	notices []error
}

// add merges one file of an element and returns all that is wrong with it.
func (s *squasher) add(src source) error {
	node, err := parseAny(src.Path, src.Data)
	if err != nil {
		return err
	}
	packages, err := pairs(src.Path, "the package list", node)
	var problems []error
	if err != nil {
		problems = append(problems, err)
	}
	for _, p := range packages {
		for _, options := range optionSets(p.Value) {
			if err := s.entry(src, p, options); err != nil {
				problems = append(problems, err)
			}
		}
	}
	return errors.Join(problems...)
}

// optionSets returns the option maps of a package: none given, or an empty list,
// is one empty map; a list is one map each.
func optionSets(node *yaml.Node) []*yaml.Node {
	switch {
	case node == nil || node.Kind != yaml.SequenceNode:
		return []*yaml.Node{node}
	case len(node.Content) == 0:
		return []*yaml.Node{nil}
	}
	return node.Content
}

func (s *squasher) entry(src source, p pair, node *yaml.Node) error {
	o, err := readOptions(src.Path, p, node)
	s.notices = append(s.notices, o.unknown...)
	if err != nil {
		return err
	}
	actions := o.actions()
	key := [2]string{o.phase, p.Key}
	// Precedence between elements is settled before the filters, so that an
	// install which is filtered out still cancels an uninstall.
	switch {
	case len(actions) == 1 && actions[0] == installAction:
		s.entries = slices.DeleteFunc(s.entries, func(e packageEntry) bool {
			return e.Phase == o.phase && e.Package == p.Key && e.Action == uninstallAction
		})
	case s.plain[key] && o.buildOnly:
		actions = []string{installAction}
	case s.plain[key]:
		return nil
	}
	wanted, err := o.wanted(src.Element, s.env)
	if err != nil {
		return fmt.Errorf("%s:%d: package %q: %w", src.Path, o.line, p.Key, err)
	}
	if !wanted {
		return nil
	}
	for _, action := range actions {
		s.entries = append(s.entries, packageEntry{o.phase, action, src.Element, p.Key})
	}
	if !o.buildOnly && !o.uninstall {
		s.plain[key] = true
	}
	return nil
}

// sorted returns the merged entries without duplicates, ordered by phase,
// action, package and element: equal wishes give equal bytes, whatever the
// order of the elements.
func (s *squasher) sorted() []packageEntry {
	out := slices.Clone(s.entries)
	slices.SortFunc(out, func(a, b packageEntry) int {
		return cmp.Or(strings.Compare(a.Phase, b.Phase), strings.Compare(a.Action, b.Action),
			strings.Compare(a.Package, b.Package), strings.Compare(a.Element, b.Element))
	})
	return slices.Compact(out)
}
