package graph

import (
	"fmt"
	"slices"
	"strings"
)

// expand returns what a difference is made of: a line that stands for a list
// differs by what differs in the list, and of long values what they do not have
// in common is shown. What a digest stood for last time may be forgotten; then
// the difference stays as it is.
func (b *Builder) expand(diff Difference, now *Description) []Difference {
	i := slices.IndexFunc(now.lines, func(l Line) bool { return l.Name == diff.Name })
	if diff.Added || diff.Removed || i < 0 {
		return []Difference{diff}
	}
	before, after := b.text(diff.Old), now.lines[i].Text
	if isList(diff.Old) && isList(diff.New) && before != "" {
		return Diff(ParseDescription(before), ParseDescription(after))
	}
	if before == "" && after == "" {
		return []Difference{diff}
	}
	if before == "" {
		before = diff.Old
	}
	if after == "" {
		after = diff.New
	}
	diff.Old, diff.New = excerpts(before, after)
	return []Difference{diff}
}

func isList(value string) bool {
	_, kind, _ := strings.Cut(value, " ")
	return strings.HasPrefix(kind, "list of ")
}

// text returns what the value of a line that was made by [ListLine] or
// [ValueLine] stands for, empty if it stands for itself or is forgotten.
func (b *Builder) text(value string) string {
	digest, ok := contentDigest(value)
	_, kind, _ := strings.Cut(value, " ")
	if !ok || !strings.HasPrefix(kind, "list of ") && !strings.HasPrefix(kind, "text of ") {
		return ""
	}
	content, err := b.Store.ReadBlob(digest)
	if err != nil {
		return ""
	}
	return string(content)
}

// maxExcerpt is how much of a long value is shown, in bytes, and aroundExcerpt
// how much of that is what both have in common.
const (
	maxExcerpt    = 160
	aroundExcerpt = 30
)

// excerpts shortens two long values to where they differ.
func excerpts(a, b string) (string, string) {
	same := 0
	for same < min(len(a), len(b)) && a[same] == b[same] {
		same++
	}
	start := max(0, same-aroundExcerpt)
	return excerpt(a, start), excerpt(b, start)
}

// excerpt returns a part of a value, and says how much there is of it.
func excerpt(value string, start int) string {
	end := min(len(value), start+maxExcerpt)
	part := strings.ToValidUTF8(value[start:end], "")
	if start > 0 {
		part = "…" + part
	}
	if end < len(value) {
		part += fmt.Sprintf("… (%d bytes)", len(value))
	}
	return part
}
