package steps

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/steps/mention"
)

// effectiveHooks lists what a phase runs, as the build tree has it now: files
// that are executable, links to such files included, whose name matches.
func effectiveHooks(phase, pattern string, t tree) ([]PhaseHook, error) {
	selected, err := regexp.CompilePOSIX(pattern)
	if err != nil {
		return nil, fmt.Errorf("pattern of hook names: %w", err)
	}
	dir := filepath.Join(HooksDir, phase)
	names, err := regularFiles(dir, func(name string, info os.FileInfo) bool {
		return info.Mode()&0o111 != 0 && selected.MatchString(name)
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(names, CompareHooks)
	var hooks []PhaseHook
	for _, name := range names {
		h, err := effectiveHook(dir, name, t)
		if err != nil {
			return nil, err
		}
		hooks = append(hooks, h)
	}
	return hooks, nil
}

func effectiveHook(dir, name string, t tree) (PhaseHook, error) {
	path, err := filepath.EvalSymlinks(filepath.Join(dir, name))
	if err != nil {
		return PhaseHook{}, err
	}
	h := PhaseHook{Name: name}
	rel, ok := below(HooksDir, path)
	h.Path = strings.TrimPrefix(rel, "/")
	if ok && !inLayers(filepath.Join("hooks", h.Path), t) {
		return h, nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return PhaseHook{}, err
	}
	h.Digest, h.Mentions = graph.DigestBytes(content), mention.Of(content).Strings()
	return h, nil
}

// inLayers reports whether a file of the merged hooks comes from a layer, and
// not from the elements.
func inLayers(name string, t tree) bool {
	for _, lower := range t.Lower[:len(t.Lower)-1] {
		if _, err := os.Lstat(filepath.Join(lower, name)); err == nil {
			return true
		}
	}
	return false
}

// CompareHooks orders hook names as sort -n does in the C locale: by leading
// number, names without one counting as 0, then byte-wise.
func CompareHooks(a, b string) int {
	return cmp.Or(compareNumbers(leadingNumber(a), leadingNumber(b)), strings.Compare(a, b))
}

// A number is a decimal of any length: sign, integer digits without leading
// zeros, fraction digits without trailing zeros.
type number struct {
	negative      bool
	whole, decims string
}

func leadingNumber(name string) number {
	s := strings.TrimLeft(name, " \t")
	var n number
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		n.negative, s = true, rest
	}
	end := len(s) - len(strings.TrimLeft(s, "0123456789"))
	n.whole, s = strings.TrimLeft(s[:end], "0"), s[end:]
	if rest, ok := strings.CutPrefix(s, "."); ok {
		end = len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		n.decims = strings.TrimRight(rest[:end], "0")
	}
	if n.whole == "" && n.decims == "" {
		n.negative = false
	}
	return n
}

func compareNumbers(a, b number) int {
	switch {
	case a.negative && !b.negative:
		return -1
	case b.negative && !a.negative:
		return 1
	case a.negative:
		a, b = b, a
	}
	return cmp.Or(cmp.Compare(len(a.whole), len(b.whole)), strings.Compare(a.whole, b.whole), strings.Compare(a.decims, b.decims))
}
