package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/internal/packages"
)

// A comparer shows how two values of an input differ, from what the store has
// kept of them.
type comparer struct{ store *cache.Store }

// difference returns lines that show what changed, none if the title of the
// reason says it all.
func (c comparer) difference(r cache.Reason) []string {
	if r.Detail != "" {
		return nil
	}
	if lines, ok := c.textDifference(r); ok {
		return lines
	}
	switch kind, _, _ := strings.Cut(r.Input, " "); kind {
	case "list":
		return listDifference(r)
	case "exists", "listed":
		return nil // the title says it
	}
	return plainDifference(r)
}

// maxDifference is how many lines of a difference are shown.
const maxDifference = 40

// textDifference compares the texts of a file, where both are kept, or the
// lines of a value that has several.
func (c comparer) textDifference(r cache.Reason) ([]string, bool) {
	before, ok := c.text(r.Old, r.Where)
	after, also := c.text(r.New, r.Where)
	if !ok || !also || before == after {
		return nil, false
	}
	return unifiedLines(before, after), true
}

// maxText is the size, in bytes, of the longest text that is compared.
const maxText = 128 << 10

// text returns what a value stands for if that is a text with lines. What was
// never built may still be read from where it is.
func (c comparer) text(value, where string) (string, bool) {
	digest, _, ok := contentOf(value)
	if !ok {
		text, err := strconv.Unquote(value)
		return text, err == nil && strings.Contains(text, "\n")
	}
	var content []byte
	if blob, ok := c.store.HasBlob(digest); ok && blob.Size <= maxText {
		content, _ = c.store.ReadBlob(digest)
	} else if info, err := os.Stat(where); err == nil && info.Mode().IsRegular() && info.Size() <= maxText {
		content, _ = os.ReadFile(where)
	}
	return string(content), cache.DigestBytes(content) == digest && utf8.Valid(content)
}

// unifiedLines compares two texts and returns the lines that differ with a
// little around them.
func unifiedLines(before, after string) []string {
	text := string(diff.Diff("", []byte(before), "", []byte(after)))
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "diff "), strings.HasPrefix(line, "--- "), strings.HasPrefix(line, "+++ "):
		case !strings.HasPrefix(line, "@@ "):
			lines = append(lines, line)
		case len(lines) > 0:
			lines = append(lines, "…") // not the first part of it
		}
	}
	if more := len(lines) - maxDifference; more > 0 {
		lines = append(lines[:maxDifference], fmt.Sprintf("… and %d more lines", more))
	}
	return lines
}

// listDifference says which names of a directory came and went.
func listDifference(r cache.Reason) []string {
	before, after := listed(r.Old), listed(r.New)
	var lines []string
	for _, name := range before {
		if !slices.Contains(after, name) {
			lines = append(lines, "- "+name)
		}
	}
	for _, name := range after {
		if !slices.Contains(before, name) {
			lines = append(lines, "+ "+name)
		}
	}
	return lines
}

// listed reads the value of a directory: quoted names in brackets.
func listed(value string) []string {
	var names []string
	rest := strings.Trim(value, "[]")
	for rest != "" {
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			return names
		}
		name, err := strconv.Unquote(quoted)
		if err != nil {
			return names
		}
		names = append(names, name)
		rest = strings.TrimPrefix(rest[len(quoted):], " ")
	}
	return names
}

// files names what differs between the layers that a node left last time and
// left now, as paths of the image where they are in it. A layer that is gone has
// nothing in it.
func (c comparer) files(r cache.Reason) []string {
	var names []string
	for _, d := range cache.CompareListings(c.listing(r.Before), c.listing(r.After)).Differences {
		if e := cmp.Or(d.After, d.Before); e.Type != cache.TypeDir || e.Opaque {
			names = append(names, imagePath(d.Path))
		}
	}
	return names
}

func (c comparer) listing(layer cache.Digest) *cache.Listing {
	if layer.IsZero() {
		return nil
	}
	listing, err := c.store.Listing(layer)
	if err != nil {
		return nil
	}
	return listing
}

// packages says how the packages differ that two layers of a node leave
// installed; nothing if one of them says nothing of packages.
func (c comparer) packages(r cache.Reason) []string {
	if r.Before.IsZero() || r.After.IsZero() {
		return nil
	}
	installed := func(layer cache.Digest) map[string]string {
		_, versions, err := packages.Installed(func(path string) ([]byte, error) {
			return c.store.ReadFile([]cache.Digest{layer}, "mnt/"+path)
		})
		if err != nil {
			return nil // not for this user to read, or in a form that is not known
		}
		return versions
	}
	before, after := installed(r.Before), installed(r.After)
	if len(before) == 0 || len(after) == 0 {
		return nil
	}
	var lines []string
	for _, change := range packages.Diff(before, after) {
		switch {
		case change.Before == "":
			lines = append(lines, change.Name+" "+change.After+" (new)")
		case change.After == "":
			lines = append(lines, change.Name+" "+change.Before+" (gone)")
		default:
			lines = append(lines, change.Name+" "+change.Before+" → "+change.After)
		}
	}
	return lines
}

// imagePath returns the path in the image of a path in the build tree; hooks
// and files beside the image keep the name of their directory.
func imagePath(name string) string {
	if rest, ok := strings.CutPrefix(name, "mnt/"); ok {
		return "/" + rest
	}
	return name
}

// some writes the first few of many names.
func some(names []string) string {
	const most = 3
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
