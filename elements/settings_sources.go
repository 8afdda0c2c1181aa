package elements

import (
	"net/url"
	"path"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/dibgraph/dibgraph/internal/fetch"
	"github.com/dibgraph/dibgraph/internal/registry"
	"github.com/dibgraph/dibgraph/internal/strictyaml"
	"github.com/dibgraph/dibgraph/steps/helper"
)

func (r *settingsReader) sources(n *yaml.Node) {
	for _, item := range r.List(n, "sources") {
		r.source(item)
	}
}

var sourceName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]*$`)

func (r *settingsReader) source(n *yaml.Node) {
	s := Source{file: r.File, line: n.Line}
	var sumLine int
	fields := r.Fields(n, "a source", sourceKeys)
	if !r.wanted(fields) {
		return
	}
	given := map[string]bool{}
	for _, f := range fields {
		given[f.Key] = true
		switch f.Key {
		case "name":
			s.Name = r.sourceName(f.Value)
		case "url":
			s.Address = r.address(f.Value, "url", true)
		case "checksum":
			s.Checksum = r.checksum(f.Value)
		case "checksum-url":
			s.ChecksumURL, sumLine = r.address(f.Value, "checksum-url", false), f.Line
		case "fresh":
			s.Fresh = r.policy(f.Value, "fresh", "never")
		}
	}
	if n.Kind != yaml.MappingNode {
		return
	}
	for _, key := range []string{"name", "url"} {
		if !given[key] {
			r.Problem(n.Line, "", "a source needs the key %q", key)
		}
	}
	if given["checksum"] && given["checksum-url"] {
		r.Problem(sumLine, "", "a source has a checksum or a checksum-url, not both")
	}
	if (given["checksum"] || given["checksum-url"]) && registry.IsAddress(s.Address.URL) {
		r.Problem(n.Line, "put @sha256:… at the end of the url", "an image has a digest and no checksum")
	}
	r.settings.Sources = append(r.settings.Sources, s)
}

// wanted reports whether the condition of a source holds. What else is said of
// one that is not wanted may name variables that nobody has defined.
func (r *settingsReader) wanted(fields []strictyaml.Field) bool {
	i := slices.IndexFunc(fields, func(f strictyaml.Field) bool { return f.Key == "when" })
	if i < 0 {
		return true
	}
	rules := []*yaml.Node{fields[i].Value}
	if fields[i].Value.Kind == yaml.SequenceNode {
		rules = r.List(fields[i].Value, "when")
	}
	for _, rule := range rules {
		text, ok := r.Text(rule, "when")
		if !ok {
			return false
		}
		condition, err := helper.ParseCondition(text)
		if err != nil {
			r.Problem(rule.Line, "", "when: %s", err)
			return false
		}
		if !condition.Holds(r.variables[condition.Variable]) {
			return false
		}
	}
	return true
}

func (r *settingsReader) sourceName(n *yaml.Node) string {
	name, ok := r.Text(n, "name")
	if !ok {
		return ""
	}
	if !sourceName.MatchString(name) {
		r.Problem(n.Line, "", "%q is no name for a source; it becomes that of a file: letters, digits, and . _ + - after the first", name)
		return ""
	}
	for _, o := range r.settings.Sources {
		if o.Name == name {
			r.Problem(n.Line, "", "source %q is there already, at line %d", name, o.line)
			return ""
		}
	}
	return name
}

// address reads where something is.
func (r *settingsReader) address(n *yaml.Node, what string, paths bool) fetch.Address {
	value, shown, ok := r.expanded(n, what)
	if !ok {
		return fetch.Address{}
	}
	a := fetch.Address{URL: value, Shown: withoutPassword(shown)}
	parsed, err := url.Parse(value)
	schemes := "http or https"
	if paths {
		schemes = "http, https, file or oci, or a path"
	}
	switch {
	case paths && registry.IsAddress(value):
		r.image(n, value, what)
	case err != nil:
		r.Problem(n.Line, "", "%s: %s is no address", what, a)
	case (parsed.Scheme == "http" || parsed.Scheme == "https") && parsed.Host != "":
	case paths && parsed.Scheme == "" && parsed.Host == "":
	case paths && parsed.Scheme == "file" && (parsed.Host == "" || parsed.Host == "localhost") && path.IsAbs(parsed.Path):
	default:
		r.Problem(n.Line, "", "%s: %s cannot be fetched; want an address with %s", what, a, schemes)
	}
	return a
}

// image checks the address of an image.
func (r *settingsReader) image(n *yaml.Node, value, what string) {
	if _, err := registry.ParseAddress(value); err != nil {
		r.Problem(n.Line, "", "%s: %s", what, err)
	}
}

// withoutPassword takes a password that is written out off an address.
func withoutPassword(address string) string {
	parsed, err := url.Parse(address)
	switch {
	case err != nil && SecretValue(address):
		return "the address, which holds a password,"
	case err != nil:
		return address
	}
	if _, has := parsed.User.Password(); !has {
		return address
	}
	return parsed.Redacted()
}

func (r *settingsReader) checksum(n *yaml.Node) string {
	value, _, ok := r.expanded(n, "checksum")
	if !ok {
		return ""
	}
	sum, err := fetch.ParseChecksum(value)
	if err != nil {
		r.Problem(n.Line, "", "%s", err)
		return ""
	}
	return sum.String()
}
