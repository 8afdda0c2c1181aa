package elements

import (
	"path"
	"slices"
	"strings"

	"github.com/dibgraph/dibgraph/steps"
)

// environmentDir holds the fragments that make the variables of a phase.
const environmentDir = "environment.d"

// A Hook is an executable that runs in a phase.
type Hook struct {
	// Name is the name in the phase directory, such as "75-web".
	Name string
	// File is what runs. Its path is that in the hooks tree, such as
	// "install.d/75-web"; all else is of the file a link leads to.
	File File
	// Element is the name of the element it comes from.
	Element string
}

// PhaseHooks returns the hooks of a phase in the order in which they run. They
// are the executable files of the phase's directory, or links to such, whose
// names match pattern, an extended regular expression that can match anywhere
// in the name (RUN_PARTS_REGEX; "" is the default, letters, digits, "_" and
// "-" only). It panics when [steps.HookPattern] refuses the pattern; [Load] has
// checked that of the definition.
func (t *Tree) PhaseHooks(p Phase, pattern string) []Hook {
	names, err := steps.HookPattern(pattern)
	if err != nil {
		panic("elements: unchecked hook pattern: " + err.Error())
	}
	var hooks []Hook
	for _, entry := range t.Entries(p.Dir()) {
		f, ok := t.behind(entry)
		name := path.Base(entry.Path)
		if ok && f.Executable && names.MatchString(name) {
			hooks = append(hooks, Hook{Name: name, File: f, Element: entry.Element})
		}
	}
	slices.SortFunc(hooks, func(a, b Hook) int { return steps.CompareHooks(a.Name, b.Name) })
	return hooks
}

// EnvironmentFiles returns the fragments that are sourced before each phase, in
// their order: unlike hooks they are sorted byte-wise, may have dots in their
// names and need not be executable. Their paths are those in the tree; of a
// link, all else is of the file it leads to.
func EnvironmentFiles(t *Tree) []File {
	var files []File
	for _, entry := range t.Entries(environmentDir) {
		f, ok := t.behind(entry)
		if ok && steps.IsEnvironmentFile(path.Base(entry.Path)) {
			files = append(files, f)
		}
	}
	return files
}

// behind returns the regular file that an entry is or leads to, under the path
// of the entry.
func (t *Tree) behind(entry File) (File, bool) {
	f, ok := t.Resolve(entry.Path)
	if !ok || !f.Mode.IsRegular() {
		return File{}, false
	}
	f.Path = entry.Path
	return f, true
}

// isHookPath reports whether a path is directly in a phase directory or with
// the environment fragments, where a link that leads nowhere is never used.
func isHookPath(name string) bool {
	dir := path.Dir(name)
	phase, _ := strings.CutSuffix(dir, ".d")
	_, ok := PhaseNamed(phase)
	return ok || dir == environmentDir
}
