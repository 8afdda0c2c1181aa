package elements

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/dibgraph/dibgraph/internal/nearest"
	"go.yaml.in/yaml/v3"
)

// A settingsReader reads one dibgraph.yaml and collects what is wrong with it.
type settingsReader struct {
	file      string
	variables map[string]string
	hooks     []string // what can be named: phases and hooks of the element
	problems  []*Problem
	settings  Settings
}

// Keys of a dibgraph.yaml and of the maps in it, in the order of messages.
var (
	settingsKeys = []string{"sources", "inputs", "volatile", "network", "refresh"}
	sourceKeys   = []string{"name", "url", "checksum", "checksum-url", "fresh"}
	inputsKeys   = []string{"files", "variables"}
)

// read returns what the text says, as far as it can be read.
func (r *settingsReader) read(text []byte) Settings {
	root := r.document(text)
	if root == nil {
		return r.settings
	}
	for _, f := range r.fields(root, "a dibgraph.yaml", settingsKeys) {
		switch f.key {
		case "sources":
			r.sources(f.value)
		case "inputs":
			r.inputs(f.value)
		case "volatile":
			r.volatile(f.value)
		case "network":
			r.network(f.value)
		case "refresh":
			r.refresh(f.value)
		}
	}
	return r.settings
}

// yamlLine takes the line off the message of a syntax error.
var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// document returns the value of the file, nil if it is empty or no YAML.
func (r *settingsReader) document(text []byte) *yaml.Node {
	decoder := yaml.NewDecoder(strings.NewReader(string(text)))
	var document, more yaml.Node
	err := decoder.Decode(&document)
	if err == nil {
		if err = decoder.Decode(&more); err == nil {
			r.problem(more.Line, "", "a second document; want one")
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		message, line := err.Error(), 0
		if m := yamlLine.FindStringSubmatch(message); m != nil {
			line, _ = strconv.Atoi(m[1]) // empty where the error names none
			message = m[2]
		}
		r.problem(line, "", "is not YAML: %s", message)
		return nil
	}
	if len(document.Content) == 0 || isNullNode(document.Content[0]) {
		return nil
	}
	return document.Content[0]
}

func (r *settingsReader) problem(line int, hint, format string, args ...any) {
	r.problems = append(r.problems, &Problem{File: r.file, Line: line, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// A settingsField is one key of a map with its value.
type settingsField struct {
	key   string
	line  int
	value *yaml.Node
}

// fields returns the keys of a map in the order of the file. Without a list of
// known ones every key is right.
func (r *settingsReader) fields(n *yaml.Node, what string, known []string) []settingsField {
	if n.Kind != yaml.MappingNode {
		r.problem(n.Line, "", "%s must be a map, and is %s", what, kindOfNode(n))
		return nil
	}
	var fields []settingsField
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		line, again := seen[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode:
			r.problem(key.Line, "", "a key of %s must be a word, and is %s", what, kindOfNode(key))
		case known != nil && !slices.Contains(known, key.Value):
			r.problem(key.Line, nearest.Question(key.Value, known), "unknown key %q of %s; want %s", key.Value, what, alternatives(known))
		case again:
			r.problem(key.Line, "", "%s has the key %q twice; line %d has it already", what, key.Value, line)
		default:
			seen[key.Value] = key.Line
			fields = append(fields, settingsField{key.Value, key.Line, n.Content[i+1]})
		}
	}
	return fields
}

// alternatives writes names as "a, b or c".
func alternatives(names []string) string {
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// list returns the items of a list.
func (r *settingsReader) list(n *yaml.Node, what string) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		r.problem(n.Line, "", "%s must be a list, and is %s", what, kindOfNode(n))
		return nil
	}
	return n.Content
}

// text returns the value of a string that is not empty.
func (r *settingsReader) text(n *yaml.Node, what string) (string, bool) {
	switch {
	case n.Kind != yaml.ScalarNode || isNullNode(n) || n.Value == "":
		r.problem(n.Line, "", "%s must be a text, and is %s", what, kindOfNode(n))
	case n.Tag != "!!str":
		r.problem(n.Line, "put it in quotes", "%s must be a text, and %s is something else to YAML", what, n.Value)
	case strings.ContainsAny(n.Value, "\n\x00"):
		r.problem(n.Line, "", "%s must be one line", what)
	default:
		return n.Value, true
	}
	return "", false
}

// expanded is text with variables replaced. Shown leaves those in it that are
// secrets.
func (r *settingsReader) expanded(n *yaml.Node, what string) (value, shown string, ok bool) {
	text, ok := r.text(n, what)
	if !ok {
		return "", "", false
	}
	value, shown, problems := expand(text, r.variables)
	for _, p := range problems {
		r.problem(n.Line, p.hint, "%s: %s", what, p.message)
	}
	if len(problems) == 0 && value == "" {
		r.problem(n.Line, "", "%s: %q is empty", what, text)
		return "", "", false
	}
	return value, shown, len(problems) == 0
}

func isNullNode(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// kindOfNode names what a node is, for messages.
func kindOfNode(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a map"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind == yaml.AliasNode:
		return "an alias, which is not read here"
	case isNullNode(n), n.Value == "":
		return "empty"
	}
	return fmt.Sprintf("%q", n.Value)
}
