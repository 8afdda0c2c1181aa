package steps

import (
	"context"
	"fmt"
	"time"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/steps/mention"
)

// Packages installs the packages that were named for the image as a whole,
// with the install-packages command that the image has by then.
type Packages struct {
	Site    *Site
	Ambient *Ambient
	Vars    *Variables
	Names   []string
}

// Describe implements [graph.Action].
func (p *Packages) Describe(d *graph.Description, in *graph.Inputs) error {
	d.Add("packages", "%q", p.Names)
	p.Vars.before().describe(d, p.Ambient.mentions.words(in.Parent))
	return nil
}

// Observe implements [graph.Observer].
func (p *Packages) Observe(d *graph.Description, name string, _ *graph.Inputs) error {
	if !p.Site.observe(d, name) {
		p.Ambient.describe(d, name)
	}
	return nil
}

// Run implements [graph.Action].
func (p *Packages) Run(ctx context.Context, w *graph.Work) error {
	t, err := p.Site.tree(w)
	if err != nil {
		return err
	}
	t.Kernel = true
	started := time.Now()
	report, err := runInTree(ctx, w, hookRun{
		Tree: t, Chroot: true, Env: list(p.Vars.Values), Dir: "/",
		Path: "/bin/sh", Args: append([]string{"-c", `exec install-packages "$@"`, "packages"}, p.Names...),
	})
	if err != nil {
		return fmt.Errorf("install-packages: %w", err)
	}
	if err := recordRun(ctx, w, p.Ambient, p.Vars, mention.Words{}, "", report); err != nil {
		return err
	}
	defer graph.Measure(ctx, "freshness")()
	p.Site.record(w, aptTokens(report.Apt), started)
	p.Site.recordOffline(w, p.Ambient, p.Ambient.mentions.words(w.Inputs.Parent))
	return nil
}
