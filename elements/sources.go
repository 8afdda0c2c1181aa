package elements

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/internal/ociimage"
	"github.com/dibgraph/dibgraph/steps"
)

// maxAsked is how many servers are asked at once.
const maxAsked = 8

// AskSources asks the servers of the image's sources whether there is something
// newer. A build calls it first; a plan does not, and goes by what was known
// last. The notices say which servers did not answer, so that the last file is
// taken; the error, which of them know of no such file.
func (p *Planner) AskSources(ctx context.Context) (notices []string, err error) {
	notices = make([]string, len(p.image.Sources))
	errs := make([]error, len(p.image.Sources))
	var group errgroup.Group
	group.SetLimit(maxAsked)
	for i, s := range p.image.Sources {
		group.Go(func() error {
			notices[i], errs[i] = p.source(s).Ask(ctx)
			return nil
		})
	}
	group.Wait() // no member returns an error
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("build %s: look for newer sources: %w", p.image.Definition.Name, err)
	}
	return slices.DeleteFunc(notices, func(n string) bool { return n == "" }), nil
}

// source returns the step that fetches a source.
func (p *Planner) source(s Source) *steps.Source {
	maxAge := parseAge(s.Fresh)
	if s.Fresh == "never" {
		maxAge = steps.AskNever
	}
	return &steps.Source{
		Name: s.Name, Address: s.Address, Checksum: s.Checksum, List: s.ChecksumURL, MaxAge: maxAge,
		Offline: p.image.Definition.Offline, Place: s.place(), Files: p.site.Files, Client: p.client, Known: p.known,
		Images: p.images, Platform: ociimage.PlatformOf(p.image.Definition.Arch),
	}
}

// addSources adds a node for each source. They depend on nothing.
func (b *builder) addSources() {
	for _, s := range b.planner.image.Sources {
		b.sources = append(b.sources, b.add(&graph.Node{
			Name: steps.SourceNode(s.Name), Kind: steps.SourceKind, Action: b.planner.source(s),
		}))
	}
}

// words are the variables that the element declares as inputs.
func (s Settings) words() Words {
	if len(s.InputVariables) == 0 {
		return Words{}
	}
	words := Words{Names: make(map[string]bool)}
	for _, name := range s.InputVariables {
		words.Names[name] = true
	}
	return words
}

// volatile returns the patterns of the paths of a build tree whose content is
// not compared: those of all images, and those that elements add.
func (img *Image) volatile() []string {
	patterns := slices.Clone(volatilePaths)
	for _, e := range img.Elements {
		for _, pattern := range e.Settings.Volatile {
			if pattern = "mnt/" + pattern; !slices.Contains(patterns, pattern) {
				patterns = append(patterns, pattern)
			}
		}
	}
	return patterns
}
