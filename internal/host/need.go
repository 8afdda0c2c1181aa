package host

import (
	"debug/elf"
	"fmt"
	"strings"
)

// A Need is something that may have to be installed. It is there if all of its
// programs are, and one of its files, if it names any.
type Need struct {
	What string // as people call it
	For  string // what it is needed for
	// Optional says that builds are possible without: its absence is Degraded.
	Optional bool
	// Programs, all of which have to be in the machine's path. An entry with
	// bars, "mmdebstrap|debootstrap", is content with any one of them.
	Programs []string
	// Static asks for programs that need no shared library.
	Static bool
	// Files are patterns, see path.Match, of absolute names; one match will do.
	Files []string
	// Package is the name that Debian gives to the package that brings it.
	Package string
}

// Look finds out which of the needs the machine meets.
func (m Machine) Look(needs []Need) []Finding {
	distribution := m.Distribution()
	var findings []Finding
	for _, n := range needs {
		f := Finding{What: n.What, For: n.For, State: OK}
		found, lacks := m.lookFor(n)
		f.Detail = strings.Join(found, ", ")
		if len(lacks) > 0 {
			f.State = Missing
			if n.Optional {
				f.State = Degraded
			}
			f.Detail = "no " + strings.Join(lacks, ", no ")
			f.Package = distribution.Family.provider(n.Package)
			f.Fix = distribution.fix(n, f.Package)
		}
		findings = append(findings, f)
	}
	return findings
}

func (m Machine) lookFor(n Need) (found, lacks []string) {
	for _, entry := range n.Programs {
		path := ""
		for name := range strings.SplitSeq(entry, "|") {
			if path == "" {
				path = m.program(name)
			}
		}
		switch {
		case path == "":
			lacks = append(lacks, strings.ReplaceAll(entry, "|", " or "))
		case n.Static && !isStatic(m.file(path)):
			lacks = append(lacks, fmt.Sprintf("static %s (%s has shared libraries)", entry, path))
		default:
			found = append(found, path)
		}
	}
	if len(n.Files) > 0 {
		if path := m.match(n.Files); path != "" {
			found = append(found, path)
		} else {
			lacks = append(lacks, n.Files[0])
		}
	}
	return found, lacks
}

// isStatic reports whether a program runs without a dynamic loader.
func isStatic(path string) bool {
	program, err := elf.Open(path)
	if err != nil {
		return false
	}
	defer program.Close()
	for _, p := range program.Progs {
		if p.Type == elf.PT_INTERP {
			return false
		}
	}
	return true
}

func (d Distribution) fix(n Need, packages string) string {
	switch commands := d.Install(strings.Fields(packages)); {
	case packages == "" && d.Family == Unknown:
		return fmt.Sprintf("install what brings it (Debian's package is %s)", n.Package)
	case packages == "":
		return fmt.Sprintf("%s has no package of it that we know (Debian's is %s)", d.Name, n.Package)
	default:
		return commands[len(commands)-1].String()
	}
}
