// Package strictyaml reads files that people write in YAML, and says with line
// and hint everything in them that is not as it should be: keys that nobody
// knows, keys that are there twice, values of another kind.
package strictyaml

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/dibgraph/dibgraph/internal/nearest"
	"github.com/dibgraph/dibgraph/internal/problem"
)

// A Reader reads one file. The methods that read note what is wrong in Problems
// and go on.
type Reader struct {
	// File is what the file is called in problems.
	File     string
	Problems []*problem.Problem
}

// yamlLine takes the line off the message of a syntax error.
var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// Document returns the value of the file, nil if it is empty or no YAML.
func (r *Reader) Document(text []byte) *yaml.Node {
	decoder := yaml.NewDecoder(strings.NewReader(string(text)))
	var document, more yaml.Node
	err := decoder.Decode(&document)
	if err == nil {
		if err = decoder.Decode(&more); err == nil {
			r.Problem(more.Line, "", "a second document; want one")
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		message, line := err.Error(), 0
		if m := yamlLine.FindStringSubmatch(message); m != nil {
			line, _ = strconv.Atoi(m[1]) // empty where the error names none
			message = m[2]
		}
		r.Problem(line, "", "is not YAML: %s", message)
		return nil
	}
	if len(document.Content) == 0 || isNull(document.Content[0]) {
		return nil
	}
	return document.Content[0]
}

// Problem notes what is wrong in a line; 0 is the file as a whole.
func (r *Reader) Problem(line int, hint, format string, args ...any) {
	r.Problems = append(r.Problems, &problem.Problem{File: r.File, Line: line, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// A Field is one key of a map with its value.
type Field struct {
	Key   string
	Line  int
	Value *yaml.Node
}

// Fields returns the keys of a map in the order of the file. Without a list of
// known ones every key is right.
func (r *Reader) Fields(n *yaml.Node, what string, known []string) []Field {
	if n.Kind != yaml.MappingNode {
		r.Problem(n.Line, "", "%s must be a map, and is %s", what, Kind(n))
		return nil
	}
	var fields []Field
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		line, again := seen[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode:
			r.Problem(key.Line, "", "a key of %s must be a word, and is %s", what, Kind(key))
		case known != nil && !slices.Contains(known, key.Value):
			r.Problem(key.Line, nearest.Question(key.Value, known), "unknown key %q of %s; want %s", key.Value, what, alternatives(known))
		case again:
			r.Problem(key.Line, "", "%s has the key %q twice; line %d has it already", what, key.Value, line)
		default:
			seen[key.Value] = key.Line
			fields = append(fields, Field{key.Value, key.Line, n.Content[i+1]})
		}
	}
	return fields
}

// alternatives writes names as "a, b or c".
func alternatives(names []string) string {
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// List returns the items of a list.
func (r *Reader) List(n *yaml.Node, what string) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		r.Problem(n.Line, "", "%s must be a list, and is %s", what, Kind(n))
		return nil
	}
	return n.Content
}

// Text returns the value of a string that is not empty.
func (r *Reader) Text(n *yaml.Node, what string) (string, bool) {
	switch {
	case n.Kind != yaml.ScalarNode || isNull(n) || n.Value == "":
		r.Problem(n.Line, "", "%s must be a text, and is %s", what, Kind(n))
	case n.Tag != "!!str":
		r.Problem(n.Line, "put it in quotes", "%s must be a text, and %s is something else to YAML", what, n.Value)
	case strings.ContainsAny(n.Value, "\n\x00"):
		r.Problem(n.Line, "", "%s must be one line", what)
	default:
		return n.Value, true
	}
	return "", false
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// Kind names what a node is, for messages.
func Kind(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a map"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind == yaml.AliasNode:
		return "an alias, which is not read here"
	case isNull(n), n.Value == "":
		return "empty"
	}
	return fmt.Sprintf("%q", n.Value)
}
