package elements

import (
	"github.com/dibgraph/dibgraph/internal/strictyaml"
	"go.yaml.in/yaml/v3"
)

// A settingsReader reads one dibgraph.yaml and collects what is wrong with it.
type settingsReader struct {
	strictyaml.Reader
	variables map[string]string
	hooks     []string // what can be named: phases and hooks of the element
	settings  Settings
}

// Keys of a dibgraph.yaml and of the maps in it, in the order of messages.
var (
	settingsKeys = []string{"sources", "inputs", "volatile", "network", "refresh"}
	sourceKeys   = []string{"name", "url", "checksum", "checksum-url", "fresh", "when"}
	inputsKeys   = []string{"files", "variables"}
)

// read returns what the text says, as far as it can be read.
func (r *settingsReader) read(text []byte) Settings {
	root := r.Document(text)
	if root == nil {
		return r.settings
	}
	for _, f := range r.Fields(root, "a dibgraph.yaml", settingsKeys) {
		switch f.Key {
		case "sources":
			r.sources(f.Value)
		case "inputs":
			r.inputs(f.Value)
		case "volatile":
			r.volatile(f.Value)
		case "network":
			r.network(f.Value)
		case "refresh":
			r.refresh(f.Value)
		}
	}
	return r.settings
}

// expanded is text with variables replaced. Shown leaves those in it that are
// secrets.
func (r *settingsReader) expanded(n *yaml.Node, what string) (value, shown string, ok bool) {
	text, ok := r.Text(n, what)
	if !ok {
		return "", "", false
	}
	value, shown, problems := expand(text, r.variables)
	for _, p := range problems {
		r.Problem(n.Line, p.hint, "%s: %s", what, p.message)
	}
	if len(problems) == 0 && value == "" {
		r.Problem(n.Line, "", "%s: %q is empty", what, text)
		return "", "", false
	}
	return value, shown, len(problems) == 0
}
