package elements

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/dibgraph/dibgraph/internal/fetch"
	"github.com/dibgraph/dibgraph/internal/strictyaml"
)

// settingsFile is the file of an element that only dibgraph reads.
const settingsFile = "dibgraph.yaml"

// Settings are what an element's dibgraph.yaml says; the zero Settings are
// those of an element without one.
type Settings struct {
	// Sources are files that hooks on the host find in $DIB_SOURCES.
	Sources []Source
	// InputFiles are files of the machine that count for every hook of the
	// element on the host.
	InputFiles []string
	// InputVariables are variables of the caller that only the hooks of the
	// element get, and that count for them.
	InputVariables []string
	// Volatile are patterns of paths below the root of the image whose content
	// is not compared.
	Volatile []string
	// Refresh says how fresh the results of nodes have to be.
	Refresh []Refresh

	// network has false for what runs without one: "" is every hook of the
	// element, else a phase ("install.d") or a hook ("install.d/50-app").
	network map[string]bool
}

// A Source is a file that is fetched before the first hook.
type Source struct {
	// Name is that of the file in $DIB_SOURCES.
	Name string
	// Address is where it is, variables replaced.
	Address fetch.Address
	// Checksum is sha256:HEX or sha512:HEX, ChecksumURL where a list of
	// checksums is; at most one of them is given.
	Checksum    string
	ChecksumURL fetch.Address
	// Fresh is how long an answer of the server is good for, as it is written:
	// empty for one build, "never" to ask never again, or a time ("24h").
	Fresh string

	file string // where it is declared
	line int
}

// place returns where the source is declared.
func (s Source) place() string { return fmt.Sprintf("%s:%d", s.file, s.line) }

// same reports whether two declarations are of the same file.
func (s Source) same(o Source) bool {
	s.file, s.line = o.file, o.line
	return s == o
}

// A Refresh is a policy for some of an element's hooks.
type Refresh struct {
	// Nodes is a pattern of names of nodes, of [path.Match]; "*" is all.
	Nodes string
	Freshness
}

// freshness returns the policy for a node: what is said last of it counts.
func (s Settings) freshness(node string) (f Freshness) {
	for _, one := range s.Refresh {
		if matches, _ := path.Match(one.Nodes, node); matches || one.Nodes == "*" {
			f = one.Freshness.or(f)
		}
	}
	return f
}

// noNetwork reports whether a hook of the element runs without a network. What
// is said about the hook itself counts before what is said about its phase,
// and that before what is said about all.
func (s Settings) noNetwork(phaseDir, name string) bool {
	for _, key := range []string{phaseDir + "/" + name, phaseDir, ""} {
		if network, ok := s.network[key]; ok {
			return !network
		}
	}
	return false
}

// readSettings reads the dibgraph.yaml of every element, and finds what does
// not go together.
func (img *Image) readSettings() []*Problem {
	var problems []*Problem
	for _, e := range img.Elements {
		text, err := e.read(settingsFile)
		if isAbsent(err) {
			continue
		}
		if err != nil {
			problems = append(problems, &Problem{File: e.source(settingsFile), Message: "cannot be read: " + cause(err)})
			continue
		}
		r := settingsReader{Reader: strictyaml.Reader{File: e.source(settingsFile)}, variables: img.Definition.settingsVariables(), hooks: e.hookNames()}
		e.Settings, e.hasSettings = r.read(text), true
		problems = append(problems, r.Problems...)
	}
	return append(problems, img.mergeSources()...)
}

// mergeSources collects the sources of all elements, each once.
func (img *Image) mergeSources() []*Problem {
	var problems []*Problem
	for _, e := range img.Elements {
		for _, s := range e.Settings.Sources {
			i := slices.IndexFunc(img.Sources, func(o Source) bool { return o.Name == s.Name })
			switch {
			case i < 0:
				img.Sources = append(img.Sources, s)
			case !img.Sources[i].same(s):
				problems = append(problems, &Problem{
					File: s.file, Line: s.line,
					Message: fmt.Sprintf("source %q is another file than the one of that name at %s", s.Name, img.Sources[i].place()),
					Hint:    "give one of them another name, or make both the same",
				})
			}
		}
	}
	slices.SortFunc(img.Sources, func(a, b Source) int { return strings.Compare(a.Name, b.Name) })
	return problems
}

// settingsVariables are the variables that a dibgraph.yaml can name: those of
// the caller, and what the definition makes of them.
func (d Definition) settingsVariables() map[string]string {
	variables := map[string]string{"ARCH": d.Arch, "HOME": d.Home, "DIB_IMAGE_CACHE": d.ImageCache}
	for name, value := range d.Environment {
		if _, ok := variables[name]; !ok {
			variables[name] = value
		}
	}
	return variables
}

// hookNames returns the phases, and the hooks that the element has in them, as
// "install.d" and "install.d/50-app".
func (e *Element) hookNames() []string {
	var names []string
	for _, phase := range Phases {
		names = append(names, phase.Dir())
		hooks := e.Tree.Entries(phase.Dir())
		if linked := e.linked[phase.Dir()]; linked != nil {
			hooks = linked.Entries("")
		}
		for _, f := range hooks {
			if !f.IsDir() {
				names = append(names, path.Join(phase.Dir(), path.Base(f.Path)))
			}
		}
	}
	return names
}
