package elements

import (
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/internal/nearest"
	"github.com/dibgraph/dibgraph/internal/strictyaml"
)

func (r *settingsReader) inputs(n *yaml.Node) {
	for _, f := range r.Fields(n, "inputs", inputsKeys) {
		for _, item := range r.List(f.Value, "inputs "+f.Key) {
			if f.Key == "files" {
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
		r.Problem(n.Line, "", "inputs files: %q is there twice", name)
	default:
		r.settings.InputFiles = append(r.settings.InputFiles, name)
	}
}

func (r *settingsReader) inputVariable(n *yaml.Node) {
	name, ok := r.Text(n, "inputs variables")
	switch {
	case !ok:
	case !identifier.MatchString(name):
		r.Problem(n.Line, "", "inputs variables: %q is no name of a variable", name)
	case reset(name):
		r.Problem(n.Line, "", "inputs variables: %s of the caller never reaches hooks", name)
	case withheld(name):
		r.Problem(n.Line, "who builds passes it with --env "+name, "inputs variables: %s opens where results are stored, and is no element's to ask for", name)
	case Unkeyed(name):
		r.Problem(n.Line, "", "inputs variables: %s is never an input: %s", name, UnkeyedReason(name))
	case slices.Contains(r.settings.InputVariables, name):
		r.Problem(n.Line, "", "inputs variables: %q is there twice", name)
	default:
		r.settings.InputVariables = append(r.settings.InputVariables, name)
	}
}

func (r *settingsReader) volatile(n *yaml.Node) {
	for _, item := range r.List(n, "volatile") {
		text, ok := r.Text(item, "volatile")
		if !ok {
			continue
		}
		pattern := strings.TrimPrefix(text, "/")
		switch err := cache.CheckPattern(pattern); {
		case err != nil:
			r.Problem(item.Line, "want a path below the root of the image, with * and ? for parts of a name and ** for any directories", "volatile: %q is no pattern", text)
		case path.Join("/", pattern) != "/"+pattern:
			r.Problem(item.Line, "", "volatile: %q has a . or .. in it, and matches nothing", text)
		case strings.HasPrefix(pattern, "*") && strings.Trim(pattern, "*/") == "":
			r.Problem(item.Line, "", "volatile: with %q nothing in the image would count", text)
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
	for _, f := range r.Fields(n, "network", nil) {
		if !slices.Contains(r.hooks, f.Key) {
			r.Problem(f.Line, nearest.Question(f.Key, r.hooks), "network: %q is neither a phase, such as install.d, nor a hook of this element", f.Key)
			continue
		}
		r.switchNetwork(f.Key, f.Value)
	}
}

func (r *settingsReader) switchNetwork(key string, n *yaml.Node) {
	var value bool
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" || n.Decode(&value) != nil {
		r.Problem(n.Line, "", "network must be true, false, or a map of phases and hooks to these, and is %s", strictyaml.Kind(n))
		return
	}
	r.settings.network[key] = value
}

func (r *settingsReader) refresh(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode {
		r.settings.Refresh = append(r.settings.Refresh, Refresh{"*", r.freshness(n, "refresh")})
		return
	}
	for _, f := range r.Fields(n, "refresh", nil) {
		if _, err := path.Match(f.Key, ""); err != nil || f.Key == "" {
			r.Problem(f.Line, "", "refresh: %q is no pattern for names of nodes", f.Key)
		}
		r.settings.Refresh = append(r.settings.Refresh, Refresh{f.Key, r.freshness(f.Value, "refresh "+f.Key)})
	}
}

func (r *settingsReader) freshness(n *yaml.Node, what string) Freshness {
	if n.Kind != yaml.ScalarNode {
		r.Problem(n.Line, "", "%s must be a policy such as keep or max-age=7d, and is %s", what, strictyaml.Kind(n))
		return Freshness{}
	}
	f, err := ParseFreshness(n.Value)
	if err != nil || f == (Freshness{}) {
		r.Problem(n.Line, nearest.Question(n.Value, []string{"follow", "keep"}), "%s: %q is no policy; want follow, keep, or max-age and a time as in max-age=7d", what, n.Value)
	}
	return f
}
