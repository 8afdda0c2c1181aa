package steps

import (
	"maps"
	"slices"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/steps/mention"
)

// Values are variables with the lines that stand for them in descriptions, made
// once for all the nodes that have the same ones.
type values struct {
	env    map[string]string
	inputs []valueInput // sorted by name; what is never an input is left out
}

// A valueInput is a variable that is an input, of all or of those that mention it.
type valueInput struct {
	word string // what mentions it; empty if it is an input of all
	line graph.Line
}

// prepare writes the lines of an environment.
func (v *Variables) prepare(env map[string]string) *values {
	prepared := &values{env: env}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if v.Unkeyed(name) {
			continue
		}
		input := valueInput{line: graph.ValueLine("env "+name, env[name])}
		if v.Secret(name, env[name]) {
			input.line = graph.Line{Name: "env " + name, Value: "secret " + graph.DigestText(env[name]).String()}
		}
		if v.Own(name) {
			input.word = functionName(name)
		}
		prepared.inputs = append(prepared.inputs, input)
	}
	return prepared
}

// describe writes the variables that text with these words depends on.
func (p *values) describe(d *graph.Description, words matcher) {
	for _, input := range p.inputs {
		if input.word == "" || words.Match(input.word) {
			d.Append(input.line)
		}
	}
}

// before returns the variables as they are before environment.d.
func (v *Variables) before() *values {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.initial == nil {
		v.initial = v.prepare(v.Values)
	}
	return v.initial
}

// after returns the variables as an environment node left them, of which that
// is the digest; read reads what it left.
func (v *Variables) after(digest graph.Digest, read func(output string) ([]byte, error)) (*values, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.evaluated != nil && v.evaluatedBy == digest {
		return v.evaluated, nil
	}
	phase, err := ReadPhase(read)
	if err != nil {
		return nil, err
	}
	// One is enough: the nodes of a phase have the same, and come together.
	v.evaluated, v.evaluatedBy = v.prepare(phase.apply(v.Values)), digest
	return v.evaluated, nil
}

// A matcher knows which variables something depends on.
type matcher interface {
	Match(name string) bool
}

// Readers are several texts that depend on what any of them does.
type readers []mention.Words

// Match implements [matcher].
func (r readers) Match(name string) bool {
	return slices.ContainsFunc(r, func(words mention.Words) bool { return words.Match(name) })
}
