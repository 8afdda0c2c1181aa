package compat

import (
	"path"
	"strings"
)

// A Rule says where two images of one definition may differ, and why.
type Rule struct {
	// Paths are patterns as of package path. One that ends in "/**" matches all
	// that is below the directory.
	Paths []string
	// Absent says that either image may lack the file, or have another one.
	Absent bool
	// Normal makes equal what need not be different in the content of a file of
	// at most a mebibyte. Without it any content will do.
	Normal func(content []byte) []byte
	// Name is a word or two for the rule, by which differences are counted.
	Name string
	// Reason is for people: why there is a difference, and who is right.
	Reason string
}

// matches reports whether the rule is about a path.
func (r *Rule) matches(name string) bool {
	for _, pattern := range r.Paths {
		if dir, ok := strings.CutSuffix(pattern, "/**"); ok {
			if below(name, dir) {
				return true
			}
			continue
		}
		if ok, err := path.Match(pattern, name); ok && err == nil {
			return true
		}
	}
	return false
}

// below reports whether a path is in a directory that a pattern matches, at any
// depth.
func below(name, pattern string) bool {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if ok, err := path.Match(pattern, dir); ok && err == nil {
			return true
		}
	}
	return false
}

// excuses reports whether the rule explains the difference of a file.
func (r *Rule) excuses(ours, theirs *Entry) bool {
	if r.Absent {
		return true
	}
	if ours == nil || theirs == nil || attributes(ours, theirs) != "" {
		return false
	}
	if r.Normal == nil {
		return true
	}
	return ours.Text != nil && theirs.Text != nil && string(r.Normal(ours.Text)) == string(r.Normal(theirs.Text))
}
