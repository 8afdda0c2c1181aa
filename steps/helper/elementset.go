package helper

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

// An element is one resolved element of the image: its name and the directory
// that won on the search path.
type element struct{ Name, Dir string }

// elementSet reads the set from IMAGE_ELEMENT_YAML, a map of name to directory,
// in the order of the map, which is sorted by name.
func elementSet(env Env) ([]element, error) {
	doc, set := env("IMAGE_ELEMENT_YAML")
	if !set {
		return nil, fmt.Errorf("%w: IMAGE_ELEMENT_YAML is not set; this is called by a host hook", errUsage)
	}
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(doc), &root); err != nil {
		return nil, fmt.Errorf("%w: IMAGE_ELEMENT_YAML: %v", errUsage, err)
	}
	if len(root.Content) == 0 {
		return nil, nil
	}
	entries, err := pairs("IMAGE_ELEMENT_YAML", "the element map", root.Content[0])
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errUsage, err)
	}
	var out []element
	for _, p := range entries {
		dir, err := text("IMAGE_ELEMENT_YAML", "the directory of "+p.Key, p.Value)
		if err != nil {
			return nil, fmt.Errorf("%w: %v", errUsage, err)
		}
		out = append(out, element{p.Key, dir})
	}
	return out, nil
}

// A source is one file of an element.
type source struct {
	Element, Path string
	Data          []byte
}

// sources returns the file called name of every element that has one.
func sources(set []element, name string) ([]source, error) {
	var out []source
	var problems []error
	for _, e := range set {
		path := filepath.Join(e.Dir, name)
		data, err := os.ReadFile(path)
		switch {
		case errors.Is(err, os.ErrNotExist):
		case err != nil:
			problems = append(problems, err)
		default:
			out = append(out, source{e.Name, path, data})
		}
	}
	return out, errors.Join(problems...)
}
