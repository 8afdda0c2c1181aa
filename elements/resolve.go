package elements

import (
	"fmt"
	"slices"
	"strings"
)

// operatingSystem is the name that exactly one element has to provide.
const operatingSystem = "operating-system"

// Input returns the names that resolution starts with, in order: the ramdisk
// element, base, the words of the caller's IMAGE_ELEMENT, the elements asked
// for, and the disk layout that "vm" implies.
func (d Definition) Input() []string {
	asked := words(append([]string{d.Environment["IMAGE_ELEMENT"]}, d.Elements...))
	var input []string
	if d.Ramdisk {
		input = append(input, d.RamdiskElement)
	}
	if !d.SkipBase {
		input = append(input, "base")
	}
	return append(append(input, asked...), d.layout(asked)...)
}

// layout returns the disk layout that is added for "vm" when none is among the
// words themselves; one that only a dependency brings does not count.
func (d Definition) layout(asked []string) []string {
	isLayout := func(word string) bool { return strings.HasPrefix(word, "block-device-") }
	if !slices.Contains(asked, "vm") || slices.ContainsFunc(asked, isLayout) {
		return nil
	}
	// The architecture is looked for as a part of this text, not as a word.
	if strings.Contains("arm64 aarch64", d.Arch) {
		return []string{"block-device-efi"}
	}
	return []string{"block-device-mbr"}
}

// A resolution is the search, breadth first, for all elements that are needed.
// Errors depend on the order, so it is the documented one. Where that leaves
// the order open (the dependencies of one element), it is the one that fails
// least: names that are elements before names that have to be provided.
type resolution struct {
	library  *Library
	input    []string
	queue    []wanted
	final    map[string]bool
	provided map[string]string   // name → the element that provides it
	found    map[string]*Element // all that were processed
	missing  bool                // a name was not found
	problems []*Problem
}

// wanted is a name in the queue and where it is asked for; no file means the
// definition.
type wanted struct {
	name string
	file string
	line int
}

// resolve returns the elements that a definition needs, in their order.
func resolve(library *Library, def Definition) ([]*Element, []*Problem) {
	r := resolution{
		library: library, input: def.Input(), final: map[string]bool{},
		provided: map[string]string{}, found: map[string]*Element{},
	}
	for _, name := range r.input {
		r.final[name] = true
		r.queue = append(r.queue, wanted{name: name})
	}
	for len(r.queue) > 0 {
		next := r.queue[0]
		r.queue = r.queue[1:]
		if r.provided[next.name] == "" {
			r.process(next)
		}
	}
	r.checkResult()
	return r.result(), r.problems
}

// process takes one element in.
func (r *resolution) process(w wanted) {
	e, ok := r.found[w.name]
	if !ok {
		if e, ok = r.library.take(w.name); !ok {
			r.notFound(w)
			return
		}
		r.found[w.name] = e
		r.problems = append(r.problems, e.readLists()...)
	}
	for _, p := range e.provides {
		if by := r.provided[p.name]; by != "" {
			r.conflict(e, p, by)
			continue
		}
		r.provided[p.name] = e.Name
	}
	var virtual []wanted
	for _, d := range e.deps {
		if r.final[d.name] || r.provided[d.name] != "" {
			r.final[d.name] = true
			continue
		}
		r.final[d.name] = true
		w := wanted{d.name, e.source("element-deps"), d.line}
		if r.library.elements[d.name] == nil {
			virtual = append(virtual, w)
			continue
		}
		r.queue = append(r.queue, w)
	}
	r.queue = append(r.queue, virtual...)
}

// notFound reports a name that nobody stands for at the time it is needed.
func (r *resolution) notFound(w wanted) {
	p := r.library.unknown(w.name)
	p.File, p.Line = w.file, w.line
	if by := r.library.providers(w.name); len(by) > 0 {
		p.Hint = fmt.Sprintf("it is provided by %s; name one before it is needed", quoted(by, " or "))
	}
	r.problems = append(r.problems, p)
	r.missing = true
}

// conflict reports that e provides what another element provides already.
func (r *resolution) conflict(e *Element, p reference, by string) {
	problem := &Problem{
		File: e.source("element-provides"), Line: p.line,
		Message: fmt.Sprintf("element %q: %q is already provided by %q", e.Name, p.name, by),
	}
	switch {
	case by == e.Name:
		problem.Hint = fmt.Sprintf("%q is given twice", e.Name)
	case p.name == "block-device" && slices.Contains(r.input, "vm"):
		problem.Hint = `"vm" adds a disk layout of its own unless one is named beside it`
	}
	r.problems = append(r.problems, problem)
}

// checkResult reports what only the end of the search shows.
func (r *resolution) checkResult() {
	for i, name := range r.input {
		if by := r.provided[name]; by != "" && slices.Index(r.input, name) == i {
			r.problems = append(r.problems, &Problem{
				Message: fmt.Sprintf("element %q is asked for, but %q provides it already", name, by),
				Hint:    "leave one of them out",
			})
		}
	}
	// A misspelt operating system is reported once.
	if r.provided[operatingSystem] == "" && !r.missing {
		r.problems = append(r.problems, &Problem{
			Message: "no element provides an operating system",
			Hint:    osHint(r.library.providers(operatingSystem)),
		})
	}
}

func osHint(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return "add one of: " + strings.Join(names, ", ")
}

// result returns the elements that were not replaced, dependencies first,
// otherwise by name. Elements may depend on each other in a circle; the first
// by name then comes last.
func (r *resolution) result() []*Element {
	var names []string
	for name := range r.found {
		if r.final[name] && r.provided[name] == "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var order []*Element
	seen := map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		if by := r.provided[name]; by != "" {
			name = by
		}
		e := r.found[name]
		if e == nil || seen[name] {
			return
		}
		seen[name] = true
		for _, dep := range slices.Sorted(slices.Values(e.Deps)) {
			visit(dep)
		}
		if slices.Contains(names, name) {
			order = append(order, e)
		}
	}
	for _, name := range names {
		visit(name)
	}
	return order
}

// quoted returns the names in quotes with a separator between them.
func quoted(names []string, separator string) string {
	var quotes []string
	for _, name := range names {
		quotes = append(quotes, fmt.Sprintf("%q", name))
	}
	return strings.Join(quotes, separator)
}
