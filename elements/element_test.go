package elements

import (
	"strings"
	"testing"
)

func FuzzElementList(f *testing.F) {
	f.Add([]byte("a\n\n b \r\na\n# c"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, text []byte) {
		seen, last := map[string]bool{}, 0
		lines := strings.Split(string(text), "\n")
		for _, r := range parseNames(text) {
			if r.name == "" || r.name != strings.TrimSpace(r.name) || seen[r.name] || r.line <= last {
				t.Errorf("%q gives %+v after line %d", text, r, last)
			}
			if got := strings.TrimSpace(lines[r.line-1]); got != r.name {
				t.Errorf("line %d of %q is %q, not %q", r.line, text, got, r.name)
			}
			seen[r.name], last = true, r.line
		}
	})
}
