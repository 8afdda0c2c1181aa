package steps

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/steps/mention"
)

// An Entry is one file that hooks could read besides what they were given.
type Entry struct {
	Digest graph.Digest // zero for directories and links
	Mode   fs.FileMode
	Link   string // target of a symbolic link
	// Where is the file as the user knows it, and Read returns its content;
	// both only serve explanations. Read is nil if not a regular file.
	Where string
	Read  func() ([]byte, error)
	// Words returns the variable names the file mentions; nil if not a
	// regular file. It may be called concurrently.
	Words func() mention.Words
}

// An Ambient is everything hooks of an image could read besides their
// declared inputs: the files of the merged hooks, named "hooks/…", and of the
// elements, named "elements/…" ("elements.2/…" for overridden ones). It does
// not change once made.
type Ambient struct {
	entries  map[string]Entry
	children map[string][]string // directory → names, sorted
	// What exists in the merged hooks, and in the elements, for hooks that test
	// for it.
	hookNames, elementNames existing

	mentions mentions
}

// NewAmbient returns the ambient inputs for the given entries. Directories
// are optional; those that files imply are known anyway.
func NewAmbient(entries map[string]Entry) *Ambient {
	a := &Ambient{entries: entries, children: make(map[string][]string)}
	seen := make(map[string]bool)
	for name := range entries {
		for dir := name; dir != "." && !seen[dir]; dir = path.Dir(dir) {
			seen[dir] = true
			a.children[path.Dir(dir)] = append(a.children[path.Dir(dir)], path.Base(dir))
		}
	}
	for _, names := range a.children {
		slices.Sort(names)
	}
	a.listNames()
	return a
}

// listNames makes the lists of what exists.
func (a *Ambient) listNames() {
	var hooks, elements []existingFile
	for _, name := range slices.Sorted(maps.Keys(a.entries)) {
		if !existenceMatters(name) {
			continue
		}
		one := existingFile{base: path.Base(name), line: graph.Line{Name: fmt.Sprintf("exists %q", name), Value: a.entries[name].kind()}}
		if strings.HasPrefix(name, "hooks/") {
			hooks = append(hooks, one)
		} else {
			elements = append(elements, one)
		}
	}
	a.hookNames = newExisting("names of hooks", hooks)
	a.elementNames = newExisting("names of elements", elements)
}

// existenceMatters says for which names it is an input of every hook that can
// find them that they exist: observation sees what is opened, not what is
// tested for. Hooks of a phase and environment files are left out with their
// directories, or every new hook would run all others again; so is the metadata
// that any element may have, which in the merged hooks is the last element's.
func existenceMatters(name string) bool {
	rest, merged := strings.CutPrefix(name, "hooks/")
	if !merged {
		_, rest, _ = strings.Cut(rest, "/") // elements, or elements.2
		_, rest, _ = strings.Cut(rest, "/") // the element
	}
	dir, _, _ := strings.Cut(rest, "/")
	return !phaseDirs[dir] && !(merged && metadata[rest])
}

var phaseDirs = map[string]bool{
	"root.d": true, "extra-data.d": true, "pre-install.d": true, "install.d": true, "post-install.d": true,
	"post-root.d": true, "block-device.d": true, "pre-finalise.d": true, "finalise.d": true, "cleanup.d": true,
	"environment.d": true,
}

var metadata = map[string]bool{
	"element-deps": true, "element-provides": true, "README.rst": true, "README.md": true, "dibgraph.yaml": true,
	"package-installs.yaml": true, "package-installs.json": true, "pkg-map": true, "svc-map": true,
	"block-device-default.yaml": true,
}

// Names of observations. "all" stands for everything there is and is what a
// run leaves that could not be observed.
const (
	observedFile = "file "
	observedDir  = "dir "
	observedAll  = "all"
)

// files returns the names an observation stands for.
func (a *Ambient) files(observation string) []string {
	if observation == observedAll {
		return slices.Sorted(maps.Keys(a.entries))
	}
	if name, ok := strings.CutPrefix(observation, observedFile); ok {
		return []string{name}
	}
	return nil
}

// describe writes the present value of an observation.
func (a *Ambient) describe(d *graph.Description, observation string) {
	if name, ok := strings.CutPrefix(observation, observedDir); ok {
		d.Add(fmt.Sprintf("list %q", name), "%q", a.list(name))
		return
	}
	for _, name := range a.files(observation) {
		a.describeFile(d, name)
	}
}

// list returns what is in a directory, by name and with all that can be found out
// about a name without opening it: who has the names can go on to ask.
func (a *Ambient) list(dir string) []string {
	listed := []string{}
	for _, name := range a.children[dir] {
		kind := "directory" // that entries imply
		if e, ok := a.entries[path.Join(dir, name)]; ok {
			kind = e.kind()
		}
		listed = append(listed, name+" ("+kind+")")
	}
	return listed
}

func (a *Ambient) describeFile(d *graph.Description, name string) {
	line := fmt.Sprintf("file %q", name)
	e, ok := a.entries[name]
	switch {
	case !ok:
		d.Add(line, "absent")
	case e.Link != "":
		d.Add(line, "link %q", e.Link)
	case e.Mode.IsDir():
		d.Add(line, "directory")
	default:
		d.Add(line, "%s %04o", e.Digest, e.Mode.Perm())
	}
}

// words returns what the files of an observation mention.
func (a *Ambient) words(observation string) mention.Words {
	var all []mention.Words
	for _, name := range a.files(observation) {
		if e := a.entries[name]; e.Words != nil {
			all = append(all, e.Words())
		}
	}
	return mention.Union(all...)
}

// wordsOf returns what the files of several observations mention.
func (a *Ambient) wordsOf(observations []string) mention.Words {
	var all readers
	for _, observation := range observations {
		all = append(all, a.words(observation))
	}
	return mention.Union(all...)
}

// describeNames writes which files exist, and what they are, as far as text
// with these words, which is given vars, can ask for them: text that never names
// the merged hooks, or where elements are, cannot test for what is there, and
// text that puts no names together can only test for those it has.
func (a *Ambient) describeNames(d *graph.Description, words mention.Words, vars *values) {
	seen := vars.seenBy(words)
	if slices.ContainsFunc(hooksFinders, seen.Match) {
		a.hookNames.describe(d, seen)
	}
	if slices.ContainsFunc(elementsFinders, seen.Match) {
		a.elementNames.describe(d, seen)
	}
}

// kind is what can be found out about an entry without opening it.
func (e Entry) kind() string {
	switch {
	case e.Link != "":
		return fmt.Sprintf("link %q", e.Link)
	case e.Mode.IsDir():
		return "directory"
	}
	return fmt.Sprintf("file %04o", e.Mode.Perm())
}

// The words without which a program cannot learn where the merged hooks, or
// the elements, are.
var (
	hooksFinders    = []string{"TMP_HOOKS_PATH", "TMP_BUILD_DIR", "in_target", mention.OwnPath, "dirname", "__file__", "argv", "FindBin", "PWD", "pwd"}
	elementsFinders = []string{"ELEMENTS_PATH", "IMAGE_ELEMENT_YAML", "get_image_element_array", "elements"}
)

// inheritFinders returns words with those by which a program that is in the tree
// already finds the merged hooks or the elements. Such a program's own text is
// not at hand: it may ask for anything there.
func inheritFinders(words mention.Words, inherited readers) mention.Words {
	found := mention.Words{Names: make(map[string]bool)}
	for _, finder := range slices.Concat(hooksFinders, elementsFinders) {
		if inherited.Match(finder) {
			found.Names[finder], found.Paths = true, true
		}
	}
	return words.Merge(found)
}
