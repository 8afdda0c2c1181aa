package steps

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/dibgraph/dibgraph/graph"
)

// Quote returns where the user has the file that a line of a description is
// about, and how to read it; see [graph.Quoter]. A file that is no longer there
// goes by the name that hooks know it under.
func (a *Ambient) Quote(line string) (where string, read func() ([]byte, error), ok bool) {
	kind, quoted, _ := strings.Cut(line, " ")
	name, err := strconv.Unquote(quoted)
	if err != nil {
		return "", nil, false
	}
	switch kind {
	case "hook", "file", "exists", "list":
	case "environment.d":
		name = filepath.Join("hooks/environment.d", name)
	case "listed":
		name, _, _ = strings.Cut(name, " -> ")
		name = filepath.Join("hooks", strings.TrimRight(name, "*/"))
	case "host":
		return name, nil, true
	default:
		return "", nil, false
	}
	if e, ok := a.entries[name]; ok && e.Where != "" {
		return e.Where, e.Read, true
	}
	return name, nil, true
}

// Quote implements [graph.Quoter].
func (h *Hook) Quote(line string) (where string, read func() ([]byte, error), ok bool) {
	if strings.HasPrefix(line, "hook ") && h.Path != "" {
		line = "hook " + strconv.Quote(filepath.Join("hooks", h.Path))
	}
	return h.Ambient.Quote(line)
}

// Quote implements [graph.Quoter].
func (e *Environment) Quote(line string) (where string, read func() ([]byte, error), ok bool) {
	return e.Ambient.Quote(line)
}

// Quote implements [graph.Quoter].
func (p *Packages) Quote(line string) (where string, read func() ([]byte, error), ok bool) {
	return p.Ambient.Quote(line)
}

// Quote implements [graph.Quoter].
func (s *Disk) Quote(line string) (where string, read func() ([]byte, error), ok bool) {
	if line == "layout" {
		return s.LayoutFile, nil, s.LayoutFile != ""
	}
	return s.Ambient.Quote(line)
}

// Attribute implements [graph.Attributor]: a variable may be what environment.d
// makes of it, and the hook what an earlier hook has written, which the same node
// finds out.
func (h *Hook) Attribute(line string, before, after *graph.Inputs) *graph.Node {
	if strings.HasPrefix(line, "hook ") && h.written(before) != h.written(after) {
		return h.Environment
	}
	name, ok := strings.CutPrefix(line, "env ")
	if !ok {
		return nil
	}
	if h.setting(name, before) != h.setting(name, after) {
		return h.Environment
	}
	return nil
}

// written returns the digest of the hook if an earlier hook wrote it, else zero.
func (h *Hook) written(in *graph.Inputs) graph.Digest {
	phase, ok := h.phase(in)
	if !ok {
		return graph.Digest{}
	}
	i := slices.IndexFunc(phase.Hooks, func(found PhaseHook) bool { return found.Name == h.Name })
	if i < 0 {
		return graph.Digest{}
	}
	return phase.Hooks[i].Digest
}

// phase returns what was found out before the phase of the hook, if it can still
// be read.
func (h *Hook) phase(in *graph.Inputs) (*PhaseResult, bool) {
	if !in.Has(h.Environment) {
		return nil, false
	}
	phase, err := ReadPhase(func(output string) ([]byte, error) { return in.Read(h.Environment, output) })
	return phase, err == nil
}

// A setting is what environment.d makes of one variable.
type setting struct {
	value      string
	set, unset bool
}

// setting reads what was made of a variable. What cannot be read any more made
// nothing of it.
func (h *Hook) setting(name string, in *graph.Inputs) (s setting) {
	phase, ok := h.phase(in)
	if !ok {
		return s
	}
	s.value, s.set = phase.Set[name]
	for _, unset := range phase.Unset {
		s.unset = s.unset || unset == name
	}
	return s
}
