package cache

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Lookup returns the record of k. All that it names is in the store, as far as
// sizes and counts tell. Otherwise the error is a *MissError, and a record that
// can never be a hit again is gone: a damaged one to quarantine.
func (s *Store) Lookup(k Key) (*Record, error) {
	r, err := s.Record(k)
	if err == nil {
		err = s.checkContent(r)
	}
	if err == nil {
		return r, nil
	}
	var miss *MissError
	if errors.As(err, &miss) {
		return nil, miss
	}
	if !errors.Is(err, ErrMissing) {
		return nil, fmt.Errorf("look up record %s: %w", k.Short(), err)
	}
	miss = &MissError{Key: k, Reason: ContentMissing, Detail: err.Error(), Record: r}
	if errors.Is(err, ErrDamaged) {
		miss.Reason = Damaged
	}
	if !s.readOnly {
		// The record that replaces this one may be there already and be lost
		// with it: then it is built once more.
		err = removeIfThere(s.hashPath(recordsDir, k))
	} else {
		err = nil
	}
	if err != nil {
		return nil, errors.Join(miss, err)
	}
	return nil, miss
}

// Record reads the record of k without looking for what it names, to show what
// went into it. The error is a *MissError if it is not there or damaged.
func (s *Store) Record(k Key) (*Record, error) {
	path := s.hashPath(recordsDir, k)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &MissError{Key: k, Reason: NeverBuilt}
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
		return nil, &MissError{Key: k, Reason: Damaged, Detail: "the machine went down before it was on disk", Record: r}
	}
	return r, nil
}

// checkContent looks for everything that r names. What is damaged goes to
// quarantine, so that it can be made again.
func (s *Store) checkContent(r *Record) error {
	for _, d := range r.Layers {
		if err := s.checkLayer(d); err != nil {
			if errors.Is(err, ErrDamaged) {
				s.quarantineLayer(d)
			}
			return err
		}
	}
	for b := range r.blobs {
		if err := s.checkBlob(b); err != nil {
			if errors.Is(err, ErrDamaged) {
				s.quarantine(s.BlobPath(b.Digest), "blob")
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
	if err := r.check(); err != nil {
		return err
	}
	if err := s.checkContent(r); err != nil {
		return err
	}
	data, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	// A shape without a record does no harm; a record without its shape would
	// not be found.
	if err := s.addShape(r.Static, r.Shape); err != nil {
		return err
	}
	return s.writeFile(s.hashPath(recordsDir, r.Key), append(data, '\n'))
}
