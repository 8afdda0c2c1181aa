package steps

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/steps/mention"
)

// Values are variables with the lines that stand for them in descriptions, made
// once for all the nodes that have the same ones.
type values struct {
	env    map[string]string
	inputs []valueInput     // sorted by name; what is never an input is left out
	byWord map[string][]int // positions in inputs of those with a word
	always []bool           // by position: inputs of all
	// common is the words in the values of those.
	common mention.Words
	below  stackMarks
	// files has the variables with words that may name files of the host, by
	// what has to be in the working directory for that.
	files map[string][]string
}

// A valueInput is a variable that is an input, of all or of those that mention it.
type valueInput struct {
	word string // what mentions it; empty if it is an input of all
	line graph.Line
	// value is the words of its value, which can be, or be part of, the name of
	// a file.
	value mention.Words
}

// prepare writes the lines of an environment.
func (v *Variables) prepare(env map[string]string) *values {
	prepared := &values{env: env, byWord: make(map[string][]int), files: make(map[string][]string)}
	var common []mention.Words
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if v.Unkeyed(name) {
			continue
		}
		input := valueInput{line: v.line(name, env[name]), value: mention.Plain(env[name])}
		if parts := v.Parts[name]; parts != nil && env[name] == v.Values[name] {
			input.line = v.partsLine(name, parts)
		}
		if v.Own(name) {
			input.word = functionName(name)
			prepared.byWord[input.word] = append(prepared.byWord[input.word], len(prepared.inputs))
		} else {
			common = append(common, input.value)
		}
		if strings.HasPrefix(name, "DIB_") {
			for _, first := range hostCandidates(env[name]) {
				prepared.files[first] = append(prepared.files[first], name)
			}
		}
		prepared.inputs = append(prepared.inputs, input)
		prepared.always = append(prepared.always, input.word == "")
	}
	prepared.common = mention.Union(common...)
	return prepared
}

// line describes a variable; of a secret only that it is another one.
func (v *Variables) line(name, value string) graph.Line {
	if v.Secret(name, value) {
		return graph.Line{Name: "env " + name, Value: "secret " + graph.DigestText(value).String()}
	}
	return graph.ValueLine("env "+name, value)
}

func (v *Variables) partsLine(name string, parts map[string]string) graph.Line {
	var lines []graph.Line
	for _, part := range slices.Sorted(maps.Keys(parts)) {
		lines = append(lines, v.line(part, parts[part]))
	}
	return graph.ListLine("env "+name, lines)
}

// StackMarks remembers which variables stacks mention, as [values.mentioned] says
// it: the states of many nodes have the same ones, with many words.
type stackMarks struct {
	mu     sync.Mutex
	stacks map[*graph.Stack][]bool
}

// describe writes the variables that text with these words depends on.
func (p *values) describe(d *graph.Description, words readers) {
	p.describeMentioned(d, p.mentioned(words))
}

// describeOn writes the variables that text with these words depends on when it is
// run on a state, of which the inherited words are what [mentions.words] returned.
func (p *values) describeOn(d *graph.Description, parent *graph.State, inherited readers, own mention.Words) {
	if parent == nil {
		p.describe(d, readers{own})
		return
	}
	mentioned := p.mentioned(append(inherited[1:], own))
	for i, below := range p.mentionedBelow(parent.Below, inherited[0]) {
		mentioned[i] = mentioned[i] || below
	}
	p.describeMentioned(d, mentioned)
}

func (p *values) describeMentioned(d *graph.Description, mentioned []bool) {
	for i := range mentioned {
		if mentioned[i] || p.always[i] {
			d.Append(p.inputs[i].line)
		}
	}
}

// mentionedBelow says of every variable whether a stack, or one below it, mentions
// it; words are what those do. The result must not be changed.
func (p *values) mentionedBelow(k *graph.Stack, words mention.Words) []bool {
	p.below.mu.Lock()
	defer p.below.mu.Unlock()
	marks, ok := p.below.stacks[k]
	if !ok {
		if p.below.stacks == nil {
			p.below.stacks = make(map[*graph.Stack][]bool)
		}
		marks = p.mentioned(readers{words})
		p.below.stacks[k] = marks
	}
	return marks
}

// mentioned says of every variable, by position, whether one of the texts
// mentions it. Texts have tens of words, and a large image has hundreds of
// variables, so it is the words that are looked up.
func (p *values) mentioned(words readers) []bool {
	found := make([]bool, len(p.inputs))
	for _, w := range words {
		if w.All || len(w.Prefixes) > 0 {
			for i, input := range p.inputs {
				found[i] = found[i] || input.word != "" && w.Match(input.word)
			}
			continue
		}
		for name := range w.Names {
			for _, i := range p.byWord[name] {
				found[i] = true
			}
		}
	}
	return found
}

// seenBy returns the words together with those in the values of the variables
// that they let a text depend on.
func (p *values) seenBy(words mention.Words) readers {
	seen := readers{words, p.common}
	for i, mentioned := range p.mentioned(readers{words}) {
		if mentioned {
			seen = append(seen, p.inputs[i].value)
		}
	}
	return seen
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
	v.evaluated, v.evaluatedBy = v.prepare(phase.Apply(v.Values)), digest
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
