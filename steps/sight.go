package steps

import (
	"fmt"
	"path/filepath"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/dibgraph/dibgraph/internal/observe"
)

// A Sight is what was seen while something ran.
type Sight struct {
	// Observed are the names for the trace shape.
	Observed []string
	// Tools are the programs of the host that were executed, sorted.
	Tools []string
	// Coarse says that not everything could be seen.
	Coarse bool
	// Cost is how long what ran waited for the observation to begin and to end,
	// and what the opens cost that were seen; it is for a [graph.Meter].
	Cost time.Duration
}

// with returns what was seen in both.
func (s Sight) with(o Sight) Sight {
	tools := slices.Concat(s.Tools, o.Tools)
	slices.Sort(tools)
	return Sight{slices.Concat(s.Observed, o.Observed), slices.Compact(tools), s.Coarse || o.Coarse, s.Cost + o.Cost}
}

// watchTree observes what is opened below the hooks and elements, and of the
// host for what runs there, until the function it returns is called. That
// returns the names for the trace shape, or that nothing could be observed.
//
// Own is where the step mounts the hooks again itself; it may be empty.
func watchTree(t tree, own string) func() Sight {
	began := time.Now()
	seen := watchMounts(t, own)
	before := time.Since(began)
	return func() Sight {
		ending := time.Now()
		s := seen()
		s.Cost += before + time.Since(ending)
		return s
	}
}

// openCost is what an observed open costs the program that does it and us; see
// package observe.
const openCost = 11 * time.Microsecond

func watchMounts(t tree, own string) func() Sight {
	mounts := []string{HooksDir, ElementsDir}
	for i := range t.Elements[min(1, len(t.Elements)):] {
		mounts = append(mounts, fmt.Sprintf("%s.%d", ElementsDir, i+2))
	}
	if t.HooksBind {
		mounts = append(mounts, filepath.Join(TargetDir, InTarget))
	}
	mounts = append(mounts, t.sourceMounts()...)
	if t.Host != nil {
		more, err := t.Host.mounts()
		if err != nil {
			return func() Sight { return Sight{Coarse: true} }
		}
		mounts = append(mounts, more...)
	}
	seen := watch(t.Host, mounts...)
	made, err := watchShown(mounts, own)
	return func() Sight {
		s := seen()
		if err != nil {
			return Sight{Coarse: true}
		}
		shown, err := made.stop()
		if err != nil {
			return Sight{Coarse: true}
		}
		return s.widen(shown, t.Host)
	}
}

// watch observes what is opened through the mounts. Files of the host are told
// apart by host, which may be nil if there are none.
func watch(host *HostFiles, mounts ...string) func() Sight {
	since := time.Now()
	o, err := observe.Start(mounts...)
	if err != nil {
		return func() Sight { return Sight{Coarse: true} }
	}
	return func() Sight {
		opened, err := o.Stop()
		if err != nil {
			return Sight{Coarse: true}
		}
		s := sightOf(opened, host, since)
		s.Cost = time.Duration(o.Opens()) * openCost
		return s
	}
}

// sightOf turns opened paths into names. A path that cannot be told makes the
// run coarse.
func sightOf(opened []observe.Opened, host *HostFiles, since time.Time) (s Sight) {
	var inputs []string
	for _, o := range opened {
		name, ok := ambientName(o.Path)
		var names []string
		switch {
		case ok && o.Dir:
			names = []string{observedDir + name}
		case ok:
			names = []string{observedFile + name}
		case host == nil:
			return Sight{Coarse: true}
		default:
			if o.Exec && inSystem(o.Path) {
				s.Tools = append(s.Tools, o.Path)
			}
			if names = host.observed(o, since); len(names) > 0 {
				inputs = append(inputs, o.Path)
			}
		}
		s.Observed = append(s.Observed, names...)
	}
	if len(inputs) > 0 {
		s.Observed = append(s.Observed, host.links(inputs)...)
	}
	if !slices.ContainsFunc(s.Observed, func(name string) bool { return !utf8.ValidString(name) }) {
		return s
	}
	return Sight{Coarse: true} // JSON would change the name on the way out
}
