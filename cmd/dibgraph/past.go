package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/spf13/cobra"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/internal/nearest"
)

// pastOptions say which build a question is about.
type pastOptions struct{ image, build string }

func (o *pastOptions) addFlags(c *cobra.Command) {
	c.Flags().StringVarP(&o.image, "output", "o", "", "`name` of the image (default: the one built last)")
	c.Flags().StringVar(&o.build, "build", "", "`ID` of a build as \"dibgraph builds\" lists it, or last~1 for the one before the last (default last)")
}

// find returns the build.
func (o *pastOptions) find(store *cache.Store) (*cache.Build, error) {
	if o.build == "" {
		return lastBuild(store, o.image)
	}
	if !buildID.MatchString(o.build) {
		return nil, &hintError{fmt.Errorf("%q is no build", o.build), `"dibgraph builds" lists them; the oldest are forgotten`}
	}
	return namedBuild(store, o.image, o.build)
}

// nodeIn returns what a build says of one of its nodes.
func nodeIn(build *cache.Build, name string) (cache.BuildNode, error) {
	if nodes := nodesNamed(build, name); len(nodes) > 0 {
		return nodes[0], nil
	}
	var known []string
	for _, n := range build.Nodes {
		known = append(known, n.Name)
	}
	hint := nearest.Question(name, known)
	if hint == "" {
		hint = `"dibgraph explain --all" lists the nodes of the last build`
	}
	return cache.BuildNode{}, &hintError{fmt.Errorf("the build %s of %s had no node of that name", build.ID, build.Image), hint}
}

// recordIn returns the record that a node of a build used.
func recordIn(store *cache.Store, build *cache.Build, n cache.BuildNode) (*cache.Record, error) {
	if n.Key.IsZero() {
		return nil, fmt.Errorf("the build %s of %s has no result of it: %s", build.ID, build.Image, outcome(n))
	}
	r, err := store.Record(n.Key)
	if errors.Is(err, cache.ErrMiss) {
		return nil, fmt.Errorf("what it was in the build %s of %s is no longer in the store: %w", build.ID, build.Image, err)
	}
	return r, err
}

// lastState returns the record with the last state that a build reached: the
// tree the disk was made from, unless the build ended before. It is nil if no
// node left anything.
func lastState(store *cache.Store, build *cache.Build) (*cache.Record, error) {
	for _, n := range slices.Backward(build.Nodes) {
		if n.Key.IsZero() {
			continue
		}
		r, err := recordIn(store, build, n)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n.Name, err)
		}
		if !r.Chain.IsZero() {
			return r, nil
		}
	}
	return nil, nil
}

// ask opens the store for a question and says what to do if it may not be read.
func (o *storeOptions) ask(question func(*cache.Store) error) error {
	store, err := o.open(true)
	if err != nil {
		return err
	}
	err = question(store)
	if errors.Is(err, fs.ErrPermission) {
		return &hintError{&statusError{exitCache, err.Error()}, "the store belongs to another user: run the same command as that user, with sudo -E for root"}
	}
	return err
}
