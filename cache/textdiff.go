package cache

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxDiffFile is the size in bytes up to which a text is worth a [ShortDiff].
const MaxDiffFile = 64 << 10

const (
	// maxDiffLines is how many lines of each text a diff shows, and maxDiffLine
	// how much of one.
	maxDiffLines, maxDiffLine = 3, 200
)

// ShortDiff shows where two small texts differ: the number of the first line
// that does, and some lines of each from there, without what both have in
// common at their ends. It returns no lines for what is no text, or too long to
// be read.
func ShortDiff(before, after []byte) []string {
	if !shortText(before) || !shortText(after) || bytes.Equal(before, after) {
		return nil
	}
	a, b := textLines(before), textLines(after)
	start := 0
	for start < min(len(a), len(b)) && a[start] == b[start] {
		start++
	}
	a, b = a[start:], b[start:]
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	diff := []string{fmt.Sprintf("line %d:", start+1)}
	diff = appendDiffLines(diff, "- ", a)
	return appendDiffLines(diff, "+ ", b)
}

func shortText(b []byte) bool {
	return len(b) <= MaxDiffFile && utf8.Valid(b) && bytes.IndexByte(b, 0) < 0
}

// textLines splits a text and marks a last line that is none.
func textLines(b []byte) []string {
	var lines []string
	for l := range strings.Lines(string(b)) {
		whole, ok := strings.CutSuffix(l, "\n")
		if !ok {
			whole += " (no newline)"
		}
		lines = append(lines, whole)
	}
	return lines
}

func appendDiffLines(diff []string, sign string, lines []string) []string {
	for _, l := range lines[:min(len(lines), maxDiffLines)] {
		if len(l) > maxDiffLine {
			l = strings.ToValidUTF8(l[:maxDiffLine], "") + "…"
		}
		diff = append(diff, sign+printableLine(l))
	}
	if more := len(lines) - maxDiffLines; more > 0 {
		diff = append(diff, fmt.Sprintf("%s… and %d more", sign, more))
	}
	return diff
}

// printableLine keeps a terminal from obeying what is in a file.
func printableLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return '?'
		}
		return r
	}, s)
}
