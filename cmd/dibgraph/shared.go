package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/spf13/pflag"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/cache/remote"
	"github.com/dibgraph/dibgraph/cache/remote/open"
	"github.com/dibgraph/dibgraph/cache/settings"
	"github.com/dibgraph/dibgraph/cache/share"
	"github.com/dibgraph/dibgraph/cache/trust"
	"github.com/dibgraph/dibgraph/elements"
	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/steps"
)

// A sharedCache is what the caches that machines share are to one command.
type sharedCache struct {
	*share.Share
	guards guards
	to     []share.Place
}

// guards are those of the remotes of a command, by address as the user wrote it.
type guards map[string]*remote.Guard

// openShared opens the remotes of settings and gives them to the store.
func openShared(ctx context.Context, store *cache.Store, s settings.Settings, img imageID, notice func(string)) (*sharedCache, error) {
	policy, err := policyOf(s)
	if err != nil {
		return nil, err
	}
	c := &sharedCache{guards: make(guards)}
	o := share.Options{
		Policy: policy, Salt: trust.NewSalt(s.Salt), Image: img.name, Arch: img.arch, Builder: makerName(), Notice: notice,
	}
	var problems []error
	for _, p := range s.From {
		guard, err := c.open(p, notice)
		problems = append(problems, err)
		for _, scope := range s.Reads(p) {
			o.From = append(o.From, share.Place{Remote: guard, Scope: scope})
		}
	}
	for _, p := range s.To {
		guard, err := c.open(p, notice)
		problems = append(problems, err)
		o.To = append(o.To, share.Place{Remote: guard, Scope: s.Writes(p)})
	}
	if err := errors.Join(problems...); err != nil {
		return nil, &usageError{err}
	}
	if len(o.To) > 0 {
		signer, err := s.Sign.Signer(os.Environ())
		if err != nil {
			return nil, err
		}
		if signer != nil {
			o.Signers = []trust.Signer{signer}
		}
	}
	c.to = o.To
	c.Share = share.New(ctx, store, o)
	return c, nil
}

// judgeHere returns who judges imported results in a command that has no flags
// for that, by the variables, lists of images and files that say what is trusted.
func judgeHere(listed ...settings.Layer) (*share.Judge, error) {
	s, err := (&cacheFlags{flags: pflag.NewFlagSet("", pflag.ContinueOnError)}).settings(listed...)
	if err != nil {
		return nil, err
	}
	policy, err := policyOf(s)
	if err != nil {
		return nil, err
	}
	return share.NewJudge(policy), nil
}

// policyOf returns what settings say is believed.
func policyOf(s settings.Settings) (*trust.Policy, error) {
	rule, err := s.Rule(os.Environ())
	if err != nil {
		return nil, err
	}
	rule.Signatures = signaturesOf(s)
	policy, err := trust.NewPolicy(rule)
	if err != nil {
		return nil, &usageError{err}
	}
	return policy, nil
}

// signaturesOf returns by address which remotes need signatures, or none, other
// than is usual for their kind. One that is named twice needs them if it does once.
func signaturesOf(s settings.Settings) map[string]bool {
	needs := make(map[string]bool)
	for _, p := range slices.Concat(s.From, s.To) {
		if p.RequireSignature == nil {
			continue
		}
		// Nothing comes from one that cannot be opened, which is said elsewhere.
		if r, err := open.Remote(p.URL, open.Options{Environment: os.Getenv}); err == nil {
			needs[r.String()] = needs[r.String()] || *p.RequireSignature
		}
	}
	return needs
}

// patience is how long remotes are waited for; tests wait less for those that hang.
var patience remote.GuardOptions

// An imageID names what packs are about.
type imageID struct{ name, arch string }

func (c *sharedCache) open(p settings.Place, notice func(string)) (*remote.Guard, error) {
	if g := c.guards[p.URL]; g != nil {
		return g, nil
	}
	r, err := open.Remote(p.URL, open.Options{CAFile: p.CAFile, Environment: os.Getenv})
	if err != nil {
		return nil, err
	}
	o := patience
	o.Warn = notice
	g := remote.NewGuard(r, o)
	c.guards[p.URL] = g
	return g, nil
}

// joinBuild gives a builder the results of others, and others its results.
func (c *sharedCache) joinBuild(b *graph.Builder, types []string) {
	b.Others = c
	show := b.Events
	b.Events = func(e graph.Event) {
		show(e)
		f, ok := e.(graph.Finished)
		if !ok || f.Result.Record == nil || f.Result.Err != nil {
			return
		}
		c.give(f.Result.Record, f.Result.Node.Name, f.Result.Node.Kind, types)
	}
}

// give sends the result of a node of an image of these types. Fetched files stay:
// whoever needs them has their address.
func (c *sharedCache) give(r *cache.Record, node, kind string, types []string) {
	if kind != steps.SourceKind {
		c.Send(share.Sent{Record: r, Deliver: func(output string) bool { return elements.Delivers(types, node, output) }})
	}
}

// recordsOf returns what a build used or made, in the order of its nodes.
func recordsOf(results []*graph.Result) []*cache.Record {
	var records []*cache.Record
	for _, r := range results {
		if r.Record != nil && r.Err == nil {
			records = append(records, r.Record)
		}
	}
	return records
}

// finish stores what is left to be stored.
func (c *sharedCache) finish(ctx context.Context, records []*cache.Record, noWait bool, notice func(string)) {
	if noWait && len(c.to) > 0 {
		notice("shared cache: not waiting until all results are stored; \"dibgraph cache push\" stores the rest")
	} else {
		c.Finish(ctx, records)
	}
	c.tell(notice)
}

// tell says what was moved.
func (c *sharedCache) tell(notice func(string)) {
	for _, address := range slices.Sorted(maps.Keys(c.guards)) {
		g := c.guards[address]
		if s := g.Stats(); s.Requests > 0 {
			notice(fmt.Sprintf("shared cache: %s: %s, %s down, %s up", g, plural(int(s.Requests), "request"), bytesOf(s.Down), bytesOf(s.Up)))
		}
	}
}
