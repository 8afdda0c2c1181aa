package graph

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/dibgraph/dibgraph/cache"
)

// Digest names bytes by their content. It is the cache's type under a name
// that actions can use without importing the cache.
type Digest = cache.Digest

// DigestBytes returns the digest of b.
func DigestBytes(b []byte) Digest { return cache.DigestBytes(b) }

// DigestText returns the digest of s.
func DigestText(s string) Digest { return cache.DigestBytes([]byte(s)) }

// DigestFile returns the digest of a file's content.
func DigestFile(path string) (Digest, error) {
	f, err := os.Open(path)
	if err != nil {
		return Digest{}, err
	}
	defer f.Close()
	return DigestReader(f)
}

// DigestReader returns the digest of what r gives until its end.
func DigestReader(r io.Reader) (Digest, error) {
	digest, _, err := cache.DigestReader(r)
	return digest, err
}

// A Line is one input in a description: the name of something that can change
// a node's result, and its present value.
type Line struct {
	Name, Value string
	// Text is what Value is the digest of, if that is too long to be repeated.
	// It is not part of a description.
	Text string
}

// ListLine returns a line that stands for a list of lines, which many nodes have
// in common: its value is a digest. The list itself is kept once, and a
// difference of two lists is shown as that of their lines.
func ListLine(name string, lines []Line) Line {
	text := (&Description{lines: lines}).String()
	return Line{name, fmt.Sprintf("%s list of %d", DigestText(text), len(lines)), text}
}

// ValueLine returns a line with any text as its value. A long one is kept once
// and stands in descriptions as its digest.
func ValueLine(name, value string) Line {
	quoted := strconv.Quote(value)
	if len(quoted) <= maxValue {
		return Line{Name: name, Value: quoted}
	}
	return Line{name, fmt.Sprintf("%s text of %d bytes", DigestText(quoted), len(value)), quoted}
}

// maxValue is how long, in bytes, a value is repeated in every description that
// has it. The names of all elements of a large image are longer.
const maxValue = 256

// A Description lists the inputs of a node, one a line. The zero value is
// empty and ready to use. Names must not hold tabs or newlines; values are
// quoted by the method that adds them when they could.
type Description struct{ lines []Line }

// Add writes a line whose value is formatted as by [fmt.Sprintf]. Values that
// can hold arbitrary text belong in a %q.
func (d *Description) Add(name, format string, args ...any) {
	d.lines = append(d.lines, Line{Name: name, Value: fmt.Sprintf(format, args...)})
}

// Digest writes a line whose value is a content digest.
func (d *Description) Digest(name string, digest Digest) {
	d.lines = append(d.lines, Line{Name: name, Value: digest.String()})
}

// Append writes lines that were made before.
func (d *Description) Append(lines ...Line) { d.lines = append(d.lines, lines...) }

// Lines returns what was written, in order.
func (d *Description) Lines() []Line { return d.lines }

// String returns the text that is hashed: "name<tab>value" a line.
func (d *Description) String() string { return string(d.appendTo(nil)) }

// Key returns the hash of the text.
func (d *Description) Key() cache.Key {
	buffer := texts.Get().(*[]byte)
	defer texts.Put(buffer)
	*buffer = d.appendTo((*buffer)[:0])
	return cache.KeyOf(*buffer)
}

// texts are buffers for descriptions that are only hashed.
var texts = sync.Pool{New: func() any { return new([]byte) }}

func (d *Description) appendTo(text []byte) []byte {
	size := 0
	for _, l := range d.lines {
		size += len(l.Name) + len(l.Value) + 2
	}
	text = slices.Grow(text, size)
	for _, l := range d.lines {
		text = append(text, l.Name...)
		text = append(text, '\t')
		text = append(text, l.Value...)
		text = append(text, '\n')
	}
	return text
}

// ParseDescription reads back what String wrote. Lines without a tab are kept
// as names without a value, so that a record of a later format can still be
// shown.
func ParseDescription(text string) []Line {
	var lines []Line
	for l := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSuffix(l, "\n"), "\t")
		lines = append(lines, Line{Name: name, Value: value})
	}
	return lines
}

// A Difference is one input that two descriptions do not agree on. Old is
// empty for an input that was added, New for one that was removed; Added and
// Removed tell that apart from an empty value.
type Difference struct {
	Name           string
	Old, New       string
	Added, Removed bool
}

// Diff lists what differs between two descriptions, in the order of the new
// one, removed inputs last. Names occur once in a description.
func Diff(before, after []Line) []Difference {
	old := make(map[string]string, len(before))
	for _, l := range before {
		old[l.Name] = l.Value
	}
	var diffs []Difference
	seen := make(map[string]bool, len(after))
	for _, l := range after {
		seen[l.Name] = true
		was, ok := old[l.Name]
		switch {
		case !ok:
			diffs = append(diffs, Difference{Name: l.Name, New: l.Value, Added: true})
		case was != l.Value:
			diffs = append(diffs, Difference{Name: l.Name, Old: was, New: l.Value})
		}
	}
	for _, l := range before {
		if !seen[l.Name] {
			diffs = append(diffs, Difference{Name: l.Name, Old: l.Value, Removed: true})
		}
	}
	return diffs
}
