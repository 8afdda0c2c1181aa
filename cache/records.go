package cache

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/dibgraph/dibgraph/internal/wholefile"
)

// Lookup returns the record of k. All that it names is in the store, as far as
// sizes and counts tell, or can be had elsewhere (see [Store.Supply]). Otherwise the error is a *MissError, and a record that
// can never be a hit again is gone: a damaged one to quarantine.
func (s *Store) Lookup(k Key) (*Record, error) {
	r, err := s.Record(k)
	if err == nil {
		err = s.Check(r)
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Check looks, as Lookup does, for what a record names that was read before.
func (s *Store) Check(r *Record) error {
	err := s.leaseRecord(r)
	if err == nil {
		return nil
	}
	return s.miss(r, err)
}

// miss makes a miss of what is wrong with the content of a record, and removes
// the record.
func (s *Store) miss(r *Record, err error) error {
	if !errors.Is(err, ErrMissing) {
		return fmt.Errorf("look up record %s: %w", r.Key.Short(), err)
	}
	miss := &MissError{Key: r.Key, Reason: ContentMissing, Detail: err.Error(), Record: r}
	if errors.Is(err, ErrDamaged) {
		miss.Reason = Damaged
	}
	if s.readOnly {
		return miss
	}
	// The record that replaces this one may be there already and be lost
	// with it: then it is built once more.
	if err := removeIfThere(s.hashPath(recordsDir, r.Key)); err != nil {
		return errors.Join(miss, err)
	}
	return miss
}

// Record reads the record of k without looking for what it names, to show what
// went into it. The error is a *MissError if it is not there or damaged.
func (s *Store) Record(k Key) (*Record, error) {
	path := s.hashPath(recordsDir, k)
	data, err := wholefile.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, s.noRecord(k)
	}
	if err != nil {
		return nil, fmt.Errorf("read record %s: %w", k.Short(), err)
	}
	r, err := ParseRecord(data)
	if err == nil && r.Key != k {
		err = fmt.Errorf("it is the record of %s", r.Key.Short())
	}
	if err != nil {
		s.quarantine(path, "record")
		return nil, &MissError{Key: k, Reason: Damaged, Detail: err.Error()}
	}
	if s.lost[r.Epoch] {
		return nil, &MissError{Key: k, Reason: Damaged, Detail: lostDetail, Record: r}
	}
	if r.Below == nil {
		return r, nil
	}
	// Without it the record would be one of another state.
	if r.Below, err = s.Stack(r.Below.Digest); err != nil {
		return nil, s.withoutStack(k, err)
	}
	return r, nil
}

// withoutStack returns the miss of a record whose stack cannot be read.
func (s *Store) withoutStack(k Key, err error) error {
	switch {
	case !errors.Is(err, ErrMissing):
		return fmt.Errorf("read record %s: %w", k.Short(), err)
	case errors.Is(err, ErrDamaged):
		return &MissError{Key: k, Reason: Damaged, Detail: err.Error()}
	}
	return &MissError{Key: k, Reason: ContentMissing, Detail: err.Error()}
}

// checkContent looks for everything that r names. What is damaged goes to
// quarantine, so that it can be made again.
func (s *Store) checkContent(r *Record) error {
	if err := s.checkStack(r.Below); err != nil {
		return err
	}
	if err := s.checkLayers(r.Layers); err != nil {
		return err
	}
	for b := range r.blobs {
		if err := s.checkBlob(b); err != nil {
			if errors.Is(err, ErrDamaged) {
				s.quarantine(s.BlobPath(b.Digest), "blob")
			}
			if errors.Is(err, ErrMissing) && s.elsewhere(b.Digest) {
				continue
			}
			if b == r.Log && len(r.Origin) > 0 {
				continue // nobody needs it to build
			}
			return err
		}
	}
	return nil
}

// checkLayers looks for layers, which are given bottom first. Lower ones are
// looked at once: they are the top of records before this one, and every layer
// is looked at again before it is used.
func (s *Store) checkLayers(layers []Digest) error {
	for i, d := range layers {
		if i < len(layers)-1 && s.checked.has(d) {
			continue
		}
		if err := s.checkLayer(d); err != nil {
			if errors.Is(err, ErrDamaged) {
				s.quarantineLayer(d)
			}
			if errors.Is(err, ErrMissing) && s.elsewhere(d) {
				continue
			}
			return err
		}
	}
	return nil
}

// Put stores r, which must name only what is in the store, and adds its shape
// to those of its static key. From then on the key is a hit, for other
// processes too. A record of the same key is replaced. Format and Epoch of the
// stored record are set here.
func (s *Store) Put(r *Record) error {
	e, err := s.begin()
	if err != nil {
		return err
	}
	defer e.end()
	stored := *r
	stored.Format, stored.Epoch = recordFormat, e.name
	if err := s.put(&stored); err != nil {
		return fmt.Errorf("put record %s of %s: %w", r.Key.Short(), r.Node, err)
	}
	return nil
}

func (s *Store) put(r *Record) error {
	if err := r.check(KeyOf(r.Description)); err != nil {
		return err
	}
	if err := s.lease(r.Key, func() error { return s.checkContent(r) }); err != nil {
		return err
	}
	data, err := r.encode()
	if err != nil {
		return err
	}
	// A shape without a record does no harm; a record without its shape would
	// not be found.
	if err := s.addShape(r.Static, r.Shape); err != nil {
		return err
	}
	if err := s.writeFile(s.hashPath(recordsDir, r.Key), data); err != nil {
		return err
	}
	if err := removeIfThere(s.hashPath(lostDir, r.Key)); err != nil {
		return err
	}
	return s.touch(r.Key)
}
