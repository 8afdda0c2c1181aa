package elements

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/dibgraph/dibgraph/internal/strictyaml"
	"github.com/dibgraph/dibgraph/steps/helper"
	"go.yaml.in/yaml/v3"
)

// A declaredReader checks the files in which elements declare things for the hooks of
// others. Those hooks refuse what is reported here, each in a phase that comes
// after minutes of work; what they let pass is right.
type declaredReader struct {
	strictyaml.Reader
	services map[string]string // where each service is mapped
}

// declaredBy are the elements that read such files: without its reader a file is
// only a file.
var declaredBy = []struct {
	element string
	files   func(name string) bool
	check   func(r *declaredReader, text []byte)
}{
	{"package-installs", isOneOf("package-installs.json", "package-installs.yaml"), (*declaredReader).packageInstalls},
	{"pkg-map", isOneOf("pkg-map"), (*declaredReader).packageMap},
	{"svc-map", isOneOf("svc-map"), (*declaredReader).serviceMap},
	{"source-repositories", isSourceRepository, (*declaredReader).sourceRepository},
}

func isOneOf(names ...string) func(string) bool {
	return func(name string) bool { return slices.Contains(names, name) }
}

func isSourceRepository(name string) bool { return strings.HasPrefix(name, "source-repository-") }

// checkDeclared checks what the elements declare.
func (img *Image) checkDeclared() []*Problem {
	var problems []*Problem
	services := make(map[string]string)
	for _, by := range declaredBy {
		if !img.Has(by.element) || by.element == "source-repositories" && img.Definition.Environment["NO_SOURCE_REPOSITORIES"] != "" {
			continue
		}
		for _, e := range img.Elements {
			for _, f := range e.Tree.Entries("") {
				if !by.files(f.Path) || f.Open == nil {
					continue
				}
				text, err := f.Read()
				if err != nil {
					continue // whoever copies the file says so
				}
				r := declaredReader{Reader: strictyaml.Reader{File: f.Source}, services: services}
				by.check(&r, text)
				problems = append(problems, r.Problems...)
			}
		}
	}
	return problems
}

// document parses YAML, of which JSON is nearly a part.
func (r *declaredReader) document(text []byte) *yaml.Node {
	root := r.Document(text)
	if len(r.Problems) > 0 && json.Valid(text) {
		r.Problems = nil // tabs, for example
	}
	return root
}

// pairs calls do with the keys and values of a map. Keys may be there twice:
// the last one counts then, for the reader.
func pairs(n *yaml.Node, do func(key, value *yaml.Node)) {
	for i := 0; n != nil && n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		do(n.Content[i], n.Content[i+1])
	}
}

// packageInstalls checks a list of packages.
func (r *declaredReader) packageInstalls(text []byte) {
	root := r.document(text)
	if root == nil {
		return
	}
	if root.Kind != yaml.MappingNode {
		r.Problem(root.Line, "write each package as a key, such as \"vim:\"", "is %s, not a map of packages", strictyaml.Kind(root))
		return
	}
	pairs(root, func(name, entry *yaml.Node) {
		sets := []*yaml.Node{entry}
		if entry.Kind == yaml.SequenceNode {
			sets = entry.Content
		}
		for _, set := range sets {
			r.packageFilters(name.Value, set)
		}
	})
}

// packageFilters checks the filters of one entry. They are applied in an order: one
// that another before it may have kept from being looked at is left alone.
func (r *declaredReader) packageFilters(name string, entry *yaml.Node) {
	filters := map[string]*yaml.Node{}
	pairs(entry, func(key, value *yaml.Node) { filters[key.Value] = value })
	if filters["installtype"] != nil {
		return
	}
	if not := filters["not-arch"]; filters["arch"] != nil && not != nil {
		r.Problem(not.Line, "leave one of them out", "package %q has both arch and not-arch", name)
		return
	}
	if filters["arch"] != nil || filters["not-arch"] != nil || filters["dib_python_version"] != nil {
		return
	}
	when := filters["when"]
	if when == nil {
		return
	}
	all := []*yaml.Node{when}
	if when.Kind == yaml.SequenceNode {
		all = when.Content
	}
	for _, one := range all {
		if one.Kind != yaml.ScalarNode {
			continue
		}
		if _, err := helper.ParseCondition(one.Value); err != nil {
			r.Problem(one.Line, "", "package %q: when: %v", name, err)
		}
	}
}

// packageMap checks a map of names of packages.
func (r *declaredReader) packageMap(text []byte) {
	var parts map[string]any
	err := json.Unmarshal(text, &parts)
	if err == nil {
		return
	}
	line := 0
	if syntax, ok := err.(*json.SyntaxError); ok { //nolint:errorlint // it is never wrapped
		line = 1 + strings.Count(string(text[:min(int(syntax.Offset), len(text))]), "\n")
	}
	r.Problem(line, "", "is no JSON object, which a pkg-map has to be: %v", err)
}

// serviceMap finds services that two elements map.
func (r *declaredReader) serviceMap(text []byte) {
	pairs(r.document(text), func(name, _ *yaml.Node) {
		place := fmt.Sprintf("%s:%d", r.File, name.Line)
		if other, ok := r.services[name.Value]; ok && !strings.HasPrefix(other, r.File+":") {
			r.Problem(name.Line, "take one of them out: they are merged into one map", "service %q is mapped at %s already", name.Value, other)
			return
		}
		r.services[name.Value] = place
	})
}

// repositoryTypes are what a line of a source-repository file may name.
var repositoryTypes = []string{"git", "tar", "file", "package"}

// sourceRepository checks lines that say where sources come from. They are words
// of a shell: where one is computed nobody knows the others.
func (r *declaredReader) sourceRepository(text []byte) {
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || strings.ContainsAny(line, "$`\\'\"{*?") {
			continue
		}
		words := strings.Fields(line)
		switch {
		case len(words) < 2:
			r.Problem(number, "write NAME TYPE DESTINATION LOCATION [REF]", "%q names no type", line)
		case !slices.Contains(repositoryTypes, words[1]):
			r.Problem(number, "types are git, tar and file", "source %q: unknown type %q", words[0], words[1])
		}
	}
}
