package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/cache/settings"
	"github.com/dibgraph/dibgraph/elements"
)

func newCachePushCommand(store *storeOptions) *cobra.Command {
	var past pastOptions
	c := &cobra.Command{
		Use:   "push",
		Short: "store the results of a past build in the shared cache",
		Long: `Store the results of a past build in the remotes of --cache-to: those that are not
there yet. It runs no hooks, so that a job that is trusted to sign can do it after
one that is not.
`,
		Example: `  dibgraph cache push -o web --cache-to oci://registry.example.org/images/cache --cache-sign-key ci.key`,
		Args:    arguments(0, 0),
	}
	past.addFlags(c)
	flags := addCacheFlags(c.Flags())
	c.RunE = func(c *cobra.Command, _ []string) error {
		s, err := flags.settings()
		if err != nil {
			return err
		}
		if len(s.To) == 0 {
			return &hintError{&usageError{errors.New("there is no remote to store in")}, "name one with --cache-to, or in a configuration file (\"dibgraph cache --help\")"}
		}
		return store.change(func(store *cache.Store) error { return push(c.Context(), c, store, &past, s) })
	}
	return c
}

func push(ctx context.Context, c *cobra.Command, store *cache.Store, past *pastOptions, s settings.Settings) error {
	build, err := past.find(store)
	if err != nil {
		return err
	}
	asked, err := elements.AskedFor(build)
	if err != nil {
		return err
	}
	var failures []string
	notice := func(text string) { fmt.Fprintln(c.ErrOrStderr(), "note:", text) }
	shared, err := openShared(ctx, store, s, imageID{build.Image, asked.Arch}, func(text string) {
		failures = append(failures, text)
		notice(text)
	})
	if err != nil {
		return err
	}
	defer shared.Stop()
	var records []*cache.Record
	for _, n := range build.Nodes {
		if n.Key.IsZero() {
			continue
		}
		r, err := recordIn(store, build, n)
		if err != nil {
			return fmt.Errorf("%s: %w", n.Name, err)
		}
		records = append(records, r)
		shared.give(r, n.Name, n.Kind, asked.Types)
	}
	shared.Finish(ctx, records)
	shared.tell(notice)
	if len(failures) > 0 {
		return &statusError{exitCache, fmt.Sprintf("not all results of %s are stored", build.Image)}
	}
	return nil
}

func newCachePullCommand(store *storeOptions) *cobra.Command {
	var image imageOptions
	c := &cobra.Command{
		Use:   "pull [flags] ELEMENT…",
		Short: "take the results of an image from the shared cache",
		Long: `Take the records of an image from the remotes of --cache-from into the local store,
so that plan and explain know them. What they name comes when a build needs it.
`,
		Example: `  dibgraph cache pull -o web --cache-from oci://registry.example.org/images/cache debian-minimal vm web`,
		Args:    noElements,
	}
	image.addFlags(c)
	flags := addCacheFlags(c.Flags())
	c.RunE = func(c *cobra.Command, args []string) error {
		s, err := flags.settings()
		if err != nil {
			return err
		}
		if len(s.From) == 0 {
			return &hintError{&usageError{errors.New("there is no remote to take from")}, "name one with --cache-from, or in a configuration file (\"dibgraph cache --help\")"}
		}
		img, err := image.load(args)
		if err != nil {
			return err
		}
		return store.change(func(store *cache.Store) error {
			notice := func(text string) { fmt.Fprintln(c.ErrOrStderr(), "note:", text) }
			shared, err := openShared(c.Context(), store, s, imageID{img.Definition.Name, img.Definition.Arch}, notice)
			if err != nil {
				return err
			}
			defer shared.Stop()
			taken, refused := shared.Pull(c.Context())
			for _, r := range refused {
				notice(r.Detail)
			}
			shared.tell(notice)
			fmt.Fprintf(c.OutOrStdout(), "%s: %s taken\n", img.Definition.Name, plural(taken, "result"))
			if len(refused) > 0 {
				return &statusError{exitCache, "not everything was taken"}
			}
			return nil
		})
	}
	return c
}

// change opens the store for a command that changes it.
func (o *storeOptions) change(do func(*cache.Store) error) error {
	store, err := o.open(false)
	if err != nil {
		return err
	}
	return errors.Join(do(store), store.Close())
}
