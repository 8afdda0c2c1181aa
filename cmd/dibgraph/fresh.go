package main

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/elements"
	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/steps"
)

// freshOptions say how new what hooks fetched has to be.
type freshOptions struct {
	refresh       []string
	maxAge, check string
}

func (o *freshOptions) addFlags(f *pflag.FlagSet) {
	f.StringSliceVar(&o.refresh, "refresh", nil, "run the nodes again whose names match a `pattern`, with commas, as in root.d/*; without one, all")
	f.Lookup("refresh").NoOptDefVal = "*"
	f.StringVar(&o.maxAge, "max-age", "", "run again what fetched something longer than `duration` ago, as in 12h or 7d")
	f.StringVar(&o.check, "check-mirrors", "1h", "ask mirrors for news again after `period`: a duration, always or never")
}

func (o *freshOptions) apply(def *elements.Definition) error {
	def.Refresh = o.refresh
	for _, pattern := range o.refresh {
		if strings.TrimSpace(pattern) == "" {
			return freshError("refresh", fmt.Errorf("an empty pattern matches nothing; without a value it is all nodes"))
		}
	}
	var err error
	if o.check != "" { // a command without these flags
		if def.CheckMirrors, err = elements.ParseCheck(o.check); err != nil {
			return freshError("check-mirrors", err)
		}
	}
	if o.maxAge != "" {
		if def.Freshness.MaxAge, err = elements.ParseAge(o.maxAge); err != nil {
			return freshError("max-age", err)
		}
	}
	return nil
}

func freshError(flag string, err error) error {
	return &usageError{fmt.Errorf("--%s: %w", flag, err)}
}

// unmatched says which patterns of --refresh stand for no node.
func unmatched(p *elements.Planner, g *graph.Graph) []string {
	if g == nil {
		return nil
	}
	var notices []string
	for _, pattern := range p.Unmatched(g) {
		notices = append(notices, fmt.Sprintf("--refresh=%s: no node has such a name; \"dibgraph graph\" shows them", pattern))
	}
	return notices
}

// tokenTitle says in one line what became of something remote that a node
// depends on, and whether the reason is about that.
func tokenTitle(r cache.Reason) (string, bool) {
	kind, address, part, ok := steps.ParseToken(r.Input)
	if !ok {
		if r.Input == "offline" {
			return "it was last run offline, with what there was", true
		}
		return "", false
	}
	what := fmt.Sprintf("the package mirror: %s at %s (InRelease)", part, address)
	if kind == "git" {
		what = fmt.Sprintf("the repository: %s at %s", part, address)
	}
	what, where, _ := strings.Cut(what, ": ")
	_, _, known := contentOf(r.Old)
	switch {
	case address == steps.Untold:
		return "which repository it fetches only a shell can tell: " + part, true
	case r.Kind == cache.ReasonAdded:
		return what + " is an input now: " + where, true
	case r.Kind == cache.ReasonRemoved:
		return what + " is no input any more: " + where, true
	case !known:
		return what + " may have been another one when it ran: " + where, true
	}
	return what + " changed: " + where, true
}
