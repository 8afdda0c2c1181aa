package share

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/dibgraph/dibgraph/cache"
)

// take puts what a pack has into the store: its records, to be hits from now
// on. It returns how many there are. History gives nodes that have none here
// what they used elsewhere, to explain misses by.
func (s *Share) take(p *pack, address string, origin json.RawMessage, history bool) (int, error) {
	for _, b := range p.Blobs {
		if _, err := s.store.PutBytes(b); err != nil {
			return 0, err
		}
	}
	taken := 0
	var problems []error
	for _, text := range p.Records {
		r, err := cache.ParseRecord([]byte(text))
		if err == nil {
			err = s.takeRecord(p, r, address, origin)
		}
		if err != nil {
			problems = append(problems, err)
			continue
		}
		taken++
		if history {
			s.statics[r.Static] = true
			problems = append(problems, s.remember(r))
		}
	}
	return taken, errors.Join(problems...)
}

// takeRecord notes where the content of a record is, and then stores it: a
// record is a hit as soon as it is there.
func (s *Share) takeRecord(p *pack, r *cache.Record, address string, origin json.RawMessage) error {
	if r.Below != nil {
		below, err := s.store.Stack(r.Below.Digest)
		if err != nil {
			return fmt.Errorf("record of %s: %w", r.Node, err)
		}
		r.Below = below
	}
	layers, blobs := r.Content()
	for _, d := range layers {
		if err := s.place(p, d, address, s.store.HasLayer(d)); err != nil {
			return err
		}
	}
	for _, b := range blobs {
		_, here := s.store.HasBlob(b.Digest)
		if err := s.place(p, b.Digest, address, here); err != nil {
			return err
		}
	}
	err := s.store.Import(r, origin)
	if errors.Is(err, cache.ErrMissing) {
		return nil // it was tried to get something of it, in vain
	}
	return err
}

// place notes where content is. What was not sent is noted as that, so that the
// record counts until somebody needs it.
func (s *Share) place(p *pack, d cache.Digest, address string, here bool) error {
	at, sent := p.Spots[d]
	if !sent {
		if here {
			return nil
		}
		if known, err := s.store.Places(d); err != nil || known != nil {
			return err
		}
		return s.store.PutPlaces(d)
	}
	if !first(&s.placed, placedContent{address, d}) {
		return nil
	}
	text, err := json.Marshal(at)
	if err != nil {
		return err
	}
	return s.store.PutPlaces(d, cache.Place{Remote: address, At: text})
}

func (s *Share) remember(r *cache.Record) error {
	if _, err := s.store.Last(r.Image, r.Node); !errors.Is(err, cache.ErrMiss) {
		return err
	}
	return s.store.SetLast(r.Image, r.Node, r.Key)
}
