package steps

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/steps/mention"
)

// Variables is the environment of hooks, and which of it are inputs.
type Variables struct {
	// Values are the variables before environment.d. Exported shell
	// functions are in the form bash gives them, BASH_FUNC_name%%.
	Values map[string]string
	// Unkeyed reports names that hooks get but that are documented not to be
	// inputs.
	Unkeyed func(name string) bool
	// Secret reports variables whose values must not be stored in clear.
	Secret func(name, value string) bool
	// Own reports names that only hooks and what they install read. They are
	// inputs where they are mentioned; any other name is one everywhere,
	// since any program may read it.
	Own func(name string) bool

	// Parts are the variables that the value of one in Values is made of, for
	// those that are: they are its lines in descriptions, so that a difference
	// says which of them it was.
	Parts map[string]map[string]string

	mu          sync.Mutex // guards what follows
	initial     *values
	evaluated   *values
	evaluatedBy graph.Digest
}

// keep returns those of words that matter to the steps after this one, marshalled:
// those that could be variables which are inputs only where they are
// mentioned.
func (v *Variables) keep(words mention.Words) []string {
	if words.All {
		return words.Strings()
	}
	kept := mention.Words{Names: make(map[string]bool), Prefixes: words.Prefixes}
	for name := range words.Names {
		if v.lasts(name) {
			kept.Names[name] = true
		}
	}
	return kept.Strings()
}

// lasts reports whether a word matters to later steps if something that is in
// the tree has it: names of variables and exported functions that are inputs
// only where they are mentioned, and where the merged hooks are in the image.
func (v *Variables) lasts(word string) bool {
	return v.Own(word) || word == "get_image_element_array" || word == "die" || word == "in_target"
}

// parseMentions reads what keep wrote. What cannot be read may be anything.
func parseMentions(list []string) mention.Words {
	words, err := mention.Parse(list)
	if err != nil {
		return mention.Words{All: true}
	}
	return words
}

// functionName returns the name of an exported shell function, or name.
func functionName(name string) string {
	if f, ok := strings.CutPrefix(name, "BASH_FUNC_"); ok {
		return strings.TrimSuffix(f, "%%")
	}
	return name
}

// A PhaseResult is what an [Environment] step learns about a phase.
type PhaseResult struct {
	// Set are the variables that environment.d set or changed; Unset those
	// it removed.
	Set   map[string]string `json:"set"`
	Unset []string          `json:"unset"`
	// Hooks are what the phase runs, in order.
	Hooks []PhaseHook `json:"hooks"`
}

// A PhaseHook is one hook as it is in the build tree when its phase begins.
type PhaseHook struct {
	Name string `json:"name"`
	// Path is the file that runs, below the merged hooks, links followed.
	Path string `json:"path"`
	// Digest is zero if the file is as the elements have it; otherwise an
	// earlier hook put it there.
	Digest graph.Digest `json:"digest"`
	// Mentions is what such a file mentions, marshalled.
	Mentions []string `json:"mentions,omitempty"`
}

// Same reports whether two hooks are the same file of the same content.
func (h PhaseHook) Same(o PhaseHook) bool {
	return h.Name == o.Name && h.Path == o.Path && h.Digest == o.Digest
}

// phaseOutput is the output under which an Environment step leaves its result.
const phaseOutput = "phase.json"

// ReadPhase returns what an [Environment] node found out.
func ReadPhase(read func(output string) ([]byte, error)) (*PhaseResult, error) {
	content, err := read(phaseOutput)
	if err != nil {
		return nil, err
	}
	var r PhaseResult
	if err := json.Unmarshal(content, &r); err != nil {
		return nil, fmt.Errorf("result of an environment: %w", err)
	}
	return &r, nil
}

// Apply returns values as changed by environment.d.
func (r *PhaseResult) Apply(values map[string]string) map[string]string {
	env := maps.Clone(values)
	maps.Copy(env, r.Set)
	for _, name := range r.Unset {
		delete(env, name)
	}
	return env
}

// list returns an environment as a process is given it, sorted.
func list(env map[string]string) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		all = append(all, name+"="+env[name])
	}
	return all
}

// Words returns what a hook that an earlier one put into the build tree
// mentions.
func (h PhaseHook) Words() mention.Words {
	words := parseMentions(h.Mentions)
	words.Paths = true // its text is not at hand
	return words
}
