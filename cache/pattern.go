package cache

import (
	"fmt"
	"path"
	"strings"
)

// A pattern is the components of a path with wildcards: those of [path.Match],
// and "**" for any number of components.
type pattern []string

type patterns []pattern

// CheckPattern returns what is wrong with a pattern of [LayerOptions], nil if
// it can be used.
func CheckPattern(text string) error {
	_, err := parsePatterns([]string{text})
	return err
}

func parsePatterns(texts []string) (patterns, error) {
	list := make(patterns, 0, len(texts))
	for _, text := range texts {
		p := pattern(strings.Split(text, "/"))
		for _, component := range p {
			if _, err := path.Match(component, ""); err != nil || component == "" {
				return nil, fmt.Errorf("invalid pattern %q", text)
			}
		}
		list = append(list, p)
	}
	return list, nil
}

func (list patterns) match(name string) bool {
	for _, p := range list {
		if p.match(name, true) {
			return true
		}
	}
	return false
}

// match compares p with the components of name; more is false when none is left.
func (p pattern) match(name string, more bool) bool {
	if len(p) == 0 {
		return !more
	}
	if p[0] == "**" && p[1:].match(name, more) {
		return true
	}
	if !more {
		return false
	}
	first, rest, more := strings.Cut(name, "/")
	if p[0] == "**" {
		return p.match(rest, more)
	}
	// The pattern is known to be valid, so there is no error.
	ok, _ := path.Match(p[0], first)
	return ok && p[1:].match(rest, more)
}
