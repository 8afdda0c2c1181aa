package helper

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"go.yaml.in/yaml/v3"
)

// parseAny reads data as JSON and, when that fails, as YAML. JSON comes first
// because not every JSON text is YAML (tabs as indentation). It returns nil for
// an empty document.
func parseAny(file string, data []byte) (*yaml.Node, error) {
	if node, err := parseJSON(file, data); err == nil {
		return node, nil
	}
	return parseYAML(file, data)
}

// parseYAML reads one YAML document. The error of the YAML reader names the
// line already.
func parseYAML(file string, data []byte) (*yaml.Node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	return doc.Content[0], nil
}

// parseJSON reads one JSON value into the node tree that YAML has too, so that
// whatever is found wrong in it later can be reported with its line.
func parseJSON(file string, data []byte) (*yaml.Node, error) {
	r := &jsonReader{dec: json.NewDecoder(bytes.NewReader(data)), data: data}
	r.dec.UseNumber()
	node, err := r.value()
	if err == nil {
		if _, more := r.dec.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("text after the value")
		}
	}
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, at(file, r.line(err), "not JSON: %w", err)
	}
	return node, nil
}

type jsonReader struct {
	dec  *json.Decoder
	data []byte
}

func (r *jsonReader) line(err error) int {
	at := r.dec.InputOffset()
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		at = syntax.Offset
	}
	return 1 + bytes.Count(r.data[:min(at, int64(len(r.data)))], []byte("\n"))
}

func (r *jsonReader) value() (*yaml.Node, error) {
	token, err := r.dec.Token()
	if err != nil {
		return nil, err
	}
	node := &yaml.Node{Kind: yaml.ScalarNode, Line: r.line(nil)}
	switch t := token.(type) {
	case json.Delim:
		node.Kind, node.Tag = yaml.MappingNode, "!!map"
		if t == '[' {
			node.Kind, node.Tag = yaml.SequenceNode, "!!seq"
		}
		return node, r.members(node)
	case string:
		node.Tag, node.Value = "!!str", t
	case json.Number:
		node.Tag, node.Value = "!!int", t.String()
	case bool:
		node.Tag, node.Value = "!!bool", fmt.Sprint(t)
	case nil:
		node.Tag, node.Value = "!!null", "null"
	}
	return node, nil
}

// members reads the inside of an object (keys and values alternate, and the
// keys are tokens like any other) or of an array, and its closing bracket.
func (r *jsonReader) members(node *yaml.Node) error {
	for r.dec.More() {
		child, err := r.value()
		if err != nil {
			return err
		}
		node.Content = append(node.Content, child)
	}
	_, err := r.dec.Token()
	return err
}

// resolve follows a YAML alias to the node it stands for.
func resolve(node *yaml.Node) *yaml.Node {
	for node != nil && node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	return node
}

func isNull(node *yaml.Node) bool {
	return node == nil || node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null"
}

// A pair is one entry of a mapping.
type pair struct {
	Key   string
	Value *yaml.Node
	Line  int
}

// pairs returns the entries of a mapping in the order of the file. Of two
// entries with one key the last value counts, at the place of the first, as in
// a Python dictionary. A null node has no entries.
func pairs(file, what string, node *yaml.Node) ([]pair, error) {
	node = resolve(node)
	if isNull(node) {
		return nil, nil
	}
	if node.Kind != yaml.MappingNode {
		return nil, at(file, node.Line, "%s must be a mapping", what)
	}
	var out []pair
	index := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := resolve(node.Content[i])
		if key.Kind != yaml.ScalarNode {
			return nil, at(file, key.Line, "%s has a key that is not a plain word", what)
		}
		p := pair{Key: key.Value, Value: resolve(node.Content[i+1]), Line: key.Line}
		if at, ok := index[p.Key]; ok {
			out[at].Value, out[at].Line = p.Value, p.Line
			continue
		}
		index[p.Key] = len(out)
		out = append(out, p)
	}
	return out, nil
}

// text returns the words of a scalar as they stand in the file.
func text(file, what string, node *yaml.Node) (string, error) {
	node = resolve(node)
	if isNull(node) || node.Kind != yaml.ScalarNode {
		line := 0
		if node != nil {
			line = node.Line
		}
		return "", at(file, line, "%s must be a single value", what)
	}
	return node.Value, nil
}

// writeFile replaces a file with content, readable by all: hooks in the image
// read it under any user.
func writeFile(path string, content []byte) error {
	return os.WriteFile(path, content, 0o644)
}
