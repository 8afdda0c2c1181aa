package elements

import (
	"fmt"
	"path"
	"time"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/steps"
)

// Follow makes what the mirrors have an input of the hooks that fetch from
// them. It is called before the first graph is laid out.
func (p *Planner) Follow(m *Mirrors) {
	p.mirrors = m
	p.site.Tokens = m
}

// hookFreshness returns the policy for a hook: that of its element, then that
// of the image.
func (p *Planner) hookFreshness(phase Phase, hook string) Freshness {
	image, name := p.image.Definition.Freshness, path.Join(phase.Dir(), hook)
	f, ok := p.image.Hooks.Lookup(name)
	if len(p.settings) == 0 || !ok {
		return image // no element has any, or an earlier hook made it
	}
	return p.settings[f.Element].freshness(name).or(image)
}

// siteFor returns the site for steps of a policy.
func (p *Planner) siteFor(f Freshness) *steps.Site {
	if !f.Keep {
		return p.site
	}
	still := *p.site
	still.Tokens = nil
	return &still
}

// Freshen sets in b which nodes run again because their results are too old.
//
// What is from a time so far to come is as good as too old: the clock was put
// back since, and nobody knows by how much. What this build runs comes after now
// too, and before the time that b has then.
func (p *Planner) Freshen(b *graph.Builder, now time.Time) {
	ages := p.maxAges()
	current := b.Now
	if current == nil {
		current = time.Now
	}
	b.Expired = func(n *graph.Node, r *cache.Record) (string, bool) {
		most, ok := ages[n.Name]
		if !ok {
			most = p.image.Definition.Freshness.MaxAge
		}
		age, ahead := now.Sub(r.Started), r.Started.Sub(current())
		// What did not fetch anything is the same however old it is.
		if most == 0 || max(age, ahead) <= most || !fetched(r) {
			return "", false
		}
		if ahead > most {
			return "what it fetched is from " + ago(ahead) + " ahead of this machine's clock, so its age is not known", true
		}
		return fmt.Sprintf("what it fetched is from %s ago, and no more than %s is allowed", ago(age), longest(most)), true
	}
}

// maxAges returns what elements of their own say, by the node of the hook.
func (p *Planner) maxAges() map[string]time.Duration {
	ages := make(map[string]time.Duration)
	if len(p.settings) == 0 {
		return ages
	}
	for _, phase := range Phases {
		for _, h := range p.image.Hooks.PhaseHooks(phase, p.pattern()) {
			if f := p.hookFreshness(phase, h.Name); f.MaxAge > 0 {
				ages[phase.Dir()+"/"+h.Name] = f.MaxAge
			}
		}
	}
	return ages
}

// fetched reports whether the run of a record was seen to fetch something.
func fetched(r *cache.Record) bool {
	for _, name := range r.Shape {
		if steps.IsToken(name) {
			return true
		}
	}
	return false
}

// tokensUsed returns the tokens that the nodes of a graph depended on last.
func tokensUsed(store *cache.Store, g *graph.Graph) []string {
	var names []string
	seen := make(map[string]bool)
	for _, n := range g.Nodes() {
		r, err := store.Last(n.Image, n.Name)
		if err != nil {
			continue // it will be asked when it is needed
		}
		for _, name := range r.Shape {
			if steps.IsToken(name) && !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	return names
}
