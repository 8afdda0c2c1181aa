package elements

import (
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/internal/nearest"
)

func (r *settingsReader) inputs(n *yaml.Node) {
	for _, f := range r.fields(n, "inputs", inputsKeys) {
		for _, item := range r.list(f.value, "inputs "+f.key) {
			if f.key == "files" {
				r.inputFile(item)
			} else {
				r.inputVariable(item)
			}
		}
	}
}

func (r *settingsReader) inputFile(n *yaml.Node) {
	name, _, ok := r.expanded(n, "inputs files")
	switch {
	case !ok:
	case slices.Contains(r.settings.InputFiles, name):
		r.problem(n.Line, "", "inputs files: %q is there twice", name)
	default:
		r.settings.InputFiles = append(r.settings.InputFiles, name)
	}
}

func (r *settingsReader) inputVariable(n *yaml.Node) {
	name, ok := r.text(n, "inputs variables")
	switch {
	case !ok:
	case !identifier.MatchString(name):
		r.problem(n.Line, "", "inputs variables: %q is no name of a variable", name)
	case slices.Contains(resetNames, name):
		r.problem(n.Line, "", "inputs variables: %s of the caller never reaches hooks", name)
	case Unkeyed(name):
		r.problem(n.Line, "", "inputs variables: %s is never an input: %s", name, UnkeyedReason(name))
	case slices.Contains(r.settings.InputVariables, name):
		r.problem(n.Line, "", "inputs variables: %q is there twice", name)
	default:
		r.settings.InputVariables = append(r.settings.InputVariables, name)
	}
}

func (r *settingsReader) volatile(n *yaml.Node) {
	for _, item := range r.list(n, "volatile") {
		text, ok := r.text(item, "volatile")
		if !ok {
			continue
		}
		pattern := strings.TrimPrefix(text, "/")
		switch err := cache.CheckPattern(pattern); {
		case err != nil:
			r.problem(item.Line, "want a path below the root of the image, with * and ? for parts of a name and ** for any directories", "volatile: %q is no pattern", text)
		case path.Join("/", pattern) != "/"+pattern:
			r.problem(item.Line, "", "volatile: %q has a . or .. in it, and matches nothing", text)
		case strings.HasPrefix(pattern, "*") && strings.Trim(pattern, "*/") == "":
			r.problem(item.Line, "", "volatile: with %q nothing in the image would count", text)
		default:
			r.settings.Volatile = append(r.settings.Volatile, pattern)
		}
	}
}

func (r *settingsReader) network(n *yaml.Node) {
	r.settings.network = map[string]bool{}
	if n.Kind == yaml.ScalarNode {
		r.switchNetwork("", n)
		return
	}
	for _, f := range r.fields(n, "network", nil) {
		if !slices.Contains(r.hooks, f.key) {
			r.problem(f.line, nearest.Question(f.key, r.hooks), "network: %q is neither a phase, such as install.d, nor a hook of this element", f.key)
			continue
		}
		r.switchNetwork(f.key, f.value)
	}
}

func (r *settingsReader) switchNetwork(key string, n *yaml.Node) {
	var value bool
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" || n.Decode(&value) != nil {
		r.problem(n.Line, "", "network must be true, false, or a map of phases and hooks to these, and is %s", kindOfNode(n))
		return
	}
	r.settings.network[key] = value
}

func (r *settingsReader) refresh(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode {
		r.settings.Refresh = append(r.settings.Refresh, Refresh{"*", r.freshness(n, "refresh")})
		return
	}
	for _, f := range r.fields(n, "refresh", nil) {
		if _, err := path.Match(f.key, ""); err != nil || f.key == "" {
			r.problem(f.line, "", "refresh: %q is no pattern for names of nodes", f.key)
		}
		r.settings.Refresh = append(r.settings.Refresh, Refresh{f.key, r.freshness(f.value, "refresh "+f.key)})
	}
}

func (r *settingsReader) freshness(n *yaml.Node, what string) Freshness {
	if n.Kind != yaml.ScalarNode {
		r.problem(n.Line, "", "%s must be a policy such as keep or max-age=7d, and is %s", what, kindOfNode(n))
		return Freshness{}
	}
	f, err := ParseFreshness(n.Value)
	if err != nil || f == (Freshness{}) {
		r.problem(n.Line, nearest.Question(n.Value, []string{"follow", "keep"}), "%s: %q is no policy; want follow, keep, or max-age and a time as in max-age=7d", what, n.Value)
	}
	return f
}
