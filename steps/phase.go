package steps

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/steps/mention"
)

// effectiveHooks lists what a phase runs, as the build tree has it now: files
// that are executable, links to such files included, whose name matches.
func effectiveHooks(phase, pattern string, t tree) ([]PhaseHook, error) {
	selected, err := HookPattern(pattern)
	if err != nil {
		return nil, err
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
