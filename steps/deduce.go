package steps

import (
	"strconv"
	"strings"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/steps/mention"
)

// A deduction tells lines that differ because of what they are about from those
// that are there, or no longer are, because a text asks for other things.
type deduction struct {
	ambient *Ambient
	vars    *Variables
	now     *values // the variables as they are now
	before  *graph.Earlier
}

// deduced implements [graph.Deducer].
func (d deduction) deduced(diff graph.Difference) bool {
	kind, name, _ := strings.Cut(diff.Name, " ")
	switch {
	case kind == "host", kind == "names":
		// That a file is absent is a value, and lists of all names are always
		// the same ones: only who asks changed.
		return true
	case kind == "exists" && diff.Removed:
		name, err := strconv.Unquote(name)
		e, ok := d.ambient.entries[name]
		return err == nil && ok && e.kind() == diff.Old
	case kind == "env" && diff.Removed:
		value, ok := d.now.env[name]
		return ok && d.vars.line(name, value).Value == diff.Old
	case kind == "exists" || kind == "env":
		return !d.askedBefore(diff)
	}
	return false
}

// askedBefore reports whether what ran last time would have had the line too, by
// all that is known of its texts.
func (d deduction) askedBefore(diff graph.Difference) bool {
	texts, all := d.before.Texts("hook ", "file ", "environment.d ")
	if !all {
		return true
	}
	var list []mention.Words
	for _, text := range texts {
		list = append(list, mention.Of(text))
	}
	words := mention.Union(list...)
	inherited := d.ambient.mentions.words(d.before.Inputs.Parent)
	if name, ok := strings.CutPrefix(diff.Name, "env "); ok {
		return !d.vars.Own(name) || words.Match(functionName(name)) || inherited.Match(functionName(name))
	}
	var asked graph.Description
	d.ambient.describeNames(&asked, inheritFinders(words, inherited), d.now)
	for _, line := range asked.Lines() {
		if line.Name == diff.Name || line.Name == d.ambient.hookNames.all.Name || line.Name == d.ambient.elementNames.all.Name {
			return true
		}
	}
	return false
}

// Deduced implements [graph.Deducer].
func (h *Hook) Deduced(diff graph.Difference, before *graph.Earlier, in *graph.Inputs) bool {
	env, err := h.environment(in)
	return err == nil && deduction{h.Ambient, h.Vars, env, before}.deduced(diff)
}

// Deduced implements [graph.Deducer].
func (e *Environment) Deduced(diff graph.Difference, before *graph.Earlier, _ *graph.Inputs) bool {
	return deduction{e.Ambient, e.Vars, e.Vars.before(), before}.deduced(diff)
}

// Deduced implements [graph.Deducer].
func (s *Disk) Deduced(diff graph.Difference, before *graph.Earlier, _ *graph.Inputs) bool {
	return deduction{s.Ambient, s.Phases[0].Vars, s.variables(), before}.deduced(diff)
}
