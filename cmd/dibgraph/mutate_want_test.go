package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/graph"
)

// A mutation is one edit of the site, and what it must lead to.
type mutation struct {
	group, name string
	// given, if not nil, is done before the build before the edit.
	given func(s *site)
	edit  func(s *site)
	// reruns are the nodes that must run, and no others.
	reruns reruns
	// because are the first causes that must be named: each of them somewhere,
	// and no others anywhere.
	because []string
}

// reruns says which nodes must run, given the nodes there are.
type reruns func(n nodes) []string

// nodes are the names of the nodes of a build, in its order, and of those of
// the build before the edit.
type nodes struct{ now, before []string }

// nothing must run.
func nothing(nodes) []string { return nil }

// only these must run: what they leave is what they left before.
func only(names ...string) reruns {
	return func(nodes) []string { return names }
}

// after is everything that comes after a node, which may be gone: it works on
// what that one left.
func after(name string) reruns {
	return func(n nodes) []string {
		if i := slices.Index(n.now, name); i >= 0 {
			return n.now[i+1:]
		}
		for _, next := range n.before[slices.Index(n.before, name)+1:] {
			if i := slices.Index(n.now, next); i >= 0 {
				return n.now[i:]
			}
		}
		return nil
	}
}

// from is a node and everything after it.
func from(name string) reruns { return union(only(name), after(name)) }

// union is what any of several say.
func union(list ...reruns) reruns {
	return func(n nodes) []string {
		var all []string
		for _, r := range list {
			all = append(all, r(n)...)
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
}

// without leaves a node out.
func without(r reruns, name string) reruns {
	return func(n nodes) []string {
		return slices.DeleteFunc(slices.Clone(r(n)), func(s string) bool { return s == name })
	}
}

// matching are the nodes whose names begin in some way.
func matching(prefix string) reruns {
	return func(n nodes) []string {
		return slices.DeleteFunc(slices.Clone(n.now), func(name string) bool { return !strings.HasPrefix(name, prefix) })
	}
}

var (
	// environments evaluate environment.d, each phase for itself.
	environments = matching("env:")

	// disk makes the disk image, and so all that is made of it.
	disk = only("disk", "qcow2")

	// finders see that a file appears in an element, whatever it is called: they
	// put names of files together, or copy tools that do, and may test for any.
	finders = union(helpers, only("pre-install.d/01-install-bin", "post-root.d/60-inventory"))

	// helpers are the hooks that read a file of every element by means of a
	// program of dibgraph.
	helpers = only("extra-data.d/10-create-pkg-map-dir", "extra-data.d/10-merge-svc-map-files", "extra-data.d/99-squash-package-install")
)

// A trial is how a mutation went.
type trial struct {
	mutation   *mutation
	ran, nodes int
	wrong      bool // another result than that of a clean build
	needless   []string
	missing    []string // should have run
	causes     []string // that should not have been named, or should have
}

// check compares a build with what a mutation must lead to.
func (m *mutation) check(s *site, before, b *cache.Build) trial {
	o := m.compare(before, b)
	o.causes = m.checkCauses(s, b)
	return o
}

// compare compares what ran with what must run.
func (m *mutation) compare(before, b *cache.Build) trial {
	o := trial{mutation: m, nodes: len(b.Nodes)}
	got := make(map[string]bool)
	for _, n := range b.Nodes {
		if n.Status == string(graph.Ran) {
			got[n.Name] = true
			o.ran++
		}
	}
	want := make(map[string]bool)
	for _, name := range m.reruns(nodes{names(b), names(before)}) {
		want[name] = true
	}
	for _, n := range b.Nodes {
		if got[n.Name] && !want[n.Name] {
			o.needless = append(o.needless, n.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if !got[name] {
			o.missing = append(o.missing, name)
		}
	}
	return o
}

func names(b *cache.Build) []string {
	var all []string
	for _, n := range b.Nodes {
		all = append(all, n.Name)
	}
	return all
}

// checkCauses reports what is wrong with the first causes of what ran.
func (m *mutation) checkCauses(s *site, b *cache.Build) []string {
	var wrong []string
	found := make(map[string]bool)
	for _, e := range (&graph.Explainer{Build: b}).Explain() {
		if e.Status != string(graph.Ran) {
			continue
		}
		if len(e.Causes) == 0 {
			wrong = append(wrong, e.Name+" ran for no cause")
		}
		for _, c := range e.Causes {
			text := s.causeText(c)
			if !found[text] && !slices.Contains(m.because, text) {
				wrong = append(wrong, fmt.Sprintf("%s ran because of %q", e.Name, text))
			}
			found[text] = true
			if where := c.Reason.Where; where != "" && !s.isTouched(where) && !strings.Contains(text, " list ") {
				wrong = append(wrong, fmt.Sprintf("%s is said to come from %s, which nobody edited", text, where))
			}
		}
	}
	for _, text := range m.because {
		if !found[text] {
			wrong = append(wrong, fmt.Sprintf("nothing ran because of %q", text))
		}
	}
	slices.Sort(wrong)
	return slices.Compact(wrong)
}

// causeText is a first cause in the words of the table: what happened to what
// input, or to what node.
func (s *site) causeText(c graph.Cause) string {
	if c.Reason.Input == "" {
		return c.Reason.Kind + " " + c.Node
	}
	what, quoted, _ := strings.Cut(c.Reason.Input, `"`)
	name, err := strconv.Unquote(`"` + quoted)
	if err != nil {
		return c.Reason.Kind + " " + s.withoutPlaces(c.Reason.Input)
	}
	return c.Reason.Kind + " " + what + strings.TrimPrefix(s.withoutPlaces(name), "files/")
}

// withoutPlaces leaves out of a text what differs from one run to the next.
func (s *site) withoutPlaces(text string) string {
	text = strings.ReplaceAll(text, s.at("")+"/", "")
	if s.mirror != nil {
		text = strings.ReplaceAll(text, s.mirror.URL, "")
	}
	if s.host != "" {
		text = strings.ReplaceAll(text, s.host, "PROGRAM")
	}
	return text
}

// isTouched reports whether a file, or something in it, was edited.
func (s *site) isTouched(where string) bool {
	where = filepath.Clean(strings.Replace(where, "~", s.at("home"), 1))
	_, merged, _ := strings.Cut(where, "/")
	where = strings.TrimPrefix(where, "embedded:")
	if _, variable := s.vars[where]; variable {
		return true
	}
	for name := range s.touched {
		switch {
		case name == where, filepath.Dir(name) == where:
			return true
		case filepath.IsAbs(where):
		case strings.HasSuffix(filepath.Dir(name), "/"+where), strings.HasSuffix(name, "/"+merged):
			return true // what is gone goes by the name that hooks know it under
		}
	}
	return false
}
