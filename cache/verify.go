package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"

	"golang.org/x/sys/unix"
)

// A Problem is something in the store that is not as it should be.
type Problem struct {
	Kind   string // "record", "layer" or "blob"
	Name   string // key or digest
	Detail string
	// Image and Node are those of a record: its node runs again.
	Image, Node string
}

// String returns the problem as a sentence.
func (p Problem) String() string { return fmt.Sprintf("%s %s: %s", p.Kind, p.Name, p.Detail) }

// Verify checks the store and calls report for each problem, from one goroutine.
// A quick check reads records, and compares sizes and counts of what they name;
// a full one hashes every layer and blob again.
//
// Unless the store is read-only, what is damaged goes to quarantine and records
// that lack something are removed, so that it is built again when needed. An
// error says that the check could not be finished.
func (s *Store) Verify(ctx context.Context, full bool, report func(Problem)) error {
	v := verification{s, ctx, report}
	steps := []func() error{v.records}
	if full {
		// Content first: the records of what is damaged are found after it.
		steps = []func() error{v.layers, v.blobs, v.records}
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("verify store %q: %w", s.dir, err)
		}
	}
	return nil
}

// A verification lives for one call of Verify, which makes the context a field.
type verification struct {
	s      *Store
	ctx    context.Context
	report func(Problem)
}

func (v *verification) records() error {
	return v.s.eachHash(recordsDir, func(k [hashSize]byte) error {
		if err := v.ctx.Err(); err != nil {
			return context.Cause(v.ctx)
		}
		r, err := v.s.Record(k)
		if err == nil {
			// Not Lookup, as this is no use of the record.
			if err = v.s.checkContent(r); err != nil {
				err = v.s.miss(r, err)
			}
		}
		var miss *MissError
		if !errors.As(err, &miss) {
			return err
		}
		if miss.Reason != NeverBuilt { // removed by somebody else
			p := Problem{Kind: "record", Name: Key(k).String(), Detail: miss.Detail}
			if miss.Record != nil {
				p.Image, p.Node = miss.Record.Image, miss.Record.Node
			}
			v.report(p)
		}
		return nil
	})
}

func (v *verification) layers() error {
	return v.s.eachHash(layersDir, func(d [hashSize]byte) error {
		if err := v.ctx.Err(); err != nil {
			return context.Cause(v.ctx)
		}
		dir, err := v.s.LayerDir(d)
		var l *Listing
		if err == nil {
			l, err = v.s.Listing(d)
		}
		if err == nil {
			err = compareTree(dir, l)
		}
		if err == nil || errors.Is(err, ErrMissing) && !errors.Is(err, ErrDamaged) {
			return nil
		}
		if blameless(err) {
			return err
		}
		v.report(Problem{Kind: "layer", Name: Digest(d).String(), Detail: err.Error()})
		v.s.quarantineLayer(d)
		return nil
	})
}

// blameless reports whether an error is of this process and says nothing about
// the content.
func blameless(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EMFILE) ||
		errors.Is(err, unix.ENFILE) || errors.Is(err, unix.ENOMEM)
}

// compareTree reads a tree again and compares it with its listing.
func compareTree(dir string, want *Listing) error {
	tree := scan{root: dir, volatile: func(path string) bool {
		e := want.Find(path)
		return e != nil && e.Volatile
	}}
	if err := tree.run(); err != nil {
		return err
	}
	got := tree.listing.Entries
	for i := range max(len(got), len(want.Entries)) {
		switch {
		case i >= len(want.Entries):
			return fmt.Errorf("%q is not in its listing", got[i].Path)
		case i >= len(got):
			return fmt.Errorf("%q is missing", want.Entries[i].Path)
		}
		a, b := got[i], want.Entries[i]
		a.ModTime = b.ModTime // no part of the digest, and the root's does change
		if !reflect.DeepEqual(a, b) {
			return fmt.Errorf("it differs from its listing at %q", b.Path)
		}
	}
	return nil
}

func (v *verification) blobs() error {
	return v.s.eachHash(blobsDir, func(d [hashSize]byte) error {
		if err := v.ctx.Err(); err != nil {
			return context.Cause(v.ctx)
		}
		path := v.s.BlobPath(d)
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed by somebody else
		}
		if err != nil {
			return err
		}
		damage, err := damageOf(path, info.Size(), d)
		if err != nil || damage == "" {
			return err
		}
		v.report(Problem{Kind: "blob", Name: Digest(d).String(), Detail: damage})
		v.s.quarantine(path, "blob")
		return nil
	})
}

// damageOf hashes the file of a blob again and says what is wrong with it; empty if it is
// what its name says. An error says nothing about the content.
func damageOf(path string, size int64, want Digest) (damage string, err error) {
	switch got, err := digestFile(path, size); {
	case blameless(err):
		return "", err
	case err != nil:
		return err.Error(), nil
	case got != want:
		return "its content has digest " + got.Short(), nil
	}
	return "", nil
}
