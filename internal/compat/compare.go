package compat

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// shownLines is how many lines of each side of a difference are shown.
const shownLines = 6

// A Result is how two trees differ.
type Result struct {
	Files       int            // in either tree
	Unexplained []string       // what no rule explains, in the order of paths
	Explained   map[string]int // how many files differ, by the name of the rule
}

// Compare compares the tree that dibgraph made with that of diskimage-builder.
// The first rule that explains a difference does.
func Compare(ours, theirs Tree, rules []Rule) Result {
	result := Result{Explained: make(map[string]int)}
	all := maps.Clone(ours)
	maps.Copy(all, theirs)
	result.Files = len(all)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		a, b := ours[name], theirs[name]
		difference := differ(a, b)
		if difference == "" {
			continue
		}
		if i := slices.IndexFunc(rules, func(r Rule) bool { return r.matches(name) && r.excuses(a, b) }); i >= 0 {
			result.Explained[rules[i].Name]++
			continue
		}
		if i := slices.IndexFunc(rules, func(r Rule) bool { return r.matches(name) && r.Normal != nil }); i >= 0 && a != nil && b != nil && a.Text != nil && b.Text != nil {
			difference = "differs, but for what may differ" + lines(rules[i].Normal(a.Text), rules[i].Normal(b.Text))
		}
		if name == "." {
			name = ""
		}
		result.Unexplained = append(result.Unexplained, "/"+name+" "+difference)
	}
	return result
}

// differ says how two files differ; it is empty if they do not.
func differ(ours, theirs *Entry) string {
	switch {
	case ours == nil:
		return "is missing, " + theirs.kind()
	case theirs == nil:
		return "is there besides, " + ours.kind()
	}
	if text := attributes(ours, theirs); text != "" {
		return text
	}
	if ours.Digest == theirs.Digest {
		return ""
	}
	return fmt.Sprintf("has %d bytes that are others than their %d%s", ours.Size, theirs.Size, lines(ours.Text, theirs.Text))
}

// attributes says how all but the contents of two files differ.
func attributes(ours, theirs *Entry) string {
	var list []string
	add := func(what string, a, b any) {
		if x, y := fmt.Sprint(a), fmt.Sprint(b); x != y {
			list = append(list, fmt.Sprintf("%s %s, theirs %s", what, x, y))
		}
	}
	add("is of type", string(ours.Type), string(theirs.Type))
	if ours.Type != 'l' {
		add("has mode", fmt.Sprintf("%04o", ours.Mode), fmt.Sprintf("%04o", theirs.Mode))
	}
	add("belongs to", fmt.Sprintf("%d:%d", ours.UID, ours.GID), fmt.Sprintf("%d:%d", theirs.UID, theirs.GID))
	add("is a link to", ours.Target, theirs.Target)
	add("is the device", ours.Device, theirs.Device)
	add("has the attributes", fmt.Sprintf("%q", ours.Xattrs), fmt.Sprintf("%q", theirs.Xattrs))
	add("has the names", ours.Names, theirs.Names)
	return strings.Join(list, "; ")
}

// kind names the sort of a file, for one that only one image has.
func (e *Entry) kind() string {
	switch e.Type {
	case 'd':
		return "a directory"
	case 'l':
		return "a link to " + e.Target
	case '-':
		return fmt.Sprintf("a file of %d bytes", e.Size)
	}
	return fmt.Sprintf("a file of type %c", e.Type)
}

// lines shows lines that only one of two texts has.
func lines(ours, theirs []byte) string {
	if ours == nil || theirs == nil || !utf8.Valid(ours) || !utf8.Valid(theirs) {
		return ""
	}
	return only(" +", ours, theirs) + only(" -", theirs, ours)
}

func only(mark string, text, other []byte) string {
	has := make(map[string]bool)
	for line := range strings.Lines(string(other)) {
		has[line] = true
	}
	var out strings.Builder
	shown := 0
	for line := range strings.Lines(string(text)) {
		if !has[line] && shown < shownLines {
			fmt.Fprintf(&out, "\n   %s %q", mark, strings.TrimSuffix(line, "\n"))
			shown++
		}
	}
	return out.String()
}
