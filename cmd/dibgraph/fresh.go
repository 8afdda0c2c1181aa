package main

import (
	"fmt"
	"strings"
	"time"

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
	f.StringSliceVar(&o.refresh, "refresh", nil, "run nodes again whatever is cached: all, or those named by `globs`, with commas, as in root.d/*")
	f.Lookup("refresh").NoOptDefVal = "*"
	f.StringVar(&o.maxAge, "max-age", "", "run again what fetched something longer than `duration` ago, as in 12h or 7d")
	f.StringVar(&o.check, "check-mirrors", "1h", "ask mirrors for news again after `period`: a duration, always or never")
}

func (o *freshOptions) apply(def *elements.Definition) error {
	def.Refresh = o.refresh
	err := nodeGlobs(o.refresh).check()
	if err != nil {
		return freshError("refresh", err)
	}
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

// freshen sets in b which nodes of an image run again although their keys hit.
func freshen(b *graph.Builder, p *elements.Planner, img *elements.Image) {
	globs := nodeGlobs(img.Definition.Refresh)
	b.Force = func(n *graph.Node) bool { return globs.match(n.Name) }
	p.Freshen(b, time.Now())
}

// unrefreshed says which globs of --refresh chose no node.
func unrefreshed(refresh nodeGlobs, results []*graph.Result) []string {
	var names, notices []string
	for _, r := range results {
		names = append(names, r.Node.Name)
	}
	for _, glob := range refresh.unmatched(names) {
		notices = append(notices, fmt.Sprintf("--refresh=%s: no node has such a name; \"dibgraph graph\" lists those of an image", glob))
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
