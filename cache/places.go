package cache

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
)

// A Place says where content can be had that the store may lack. What the bytes
// there are, and how they become the content, is up to the [Supplier].
type Place struct {
	// Remote is its address, as the supplier names it.
	Remote string `json:"remote"`
	// At is what the supplier needs to find it there.
	At json.RawMessage `json:"at"`
}

// Places are all places of one content. None at all are kept for content that
// a record from elsewhere names and that nobody sent: whoever needs it makes it
// again.
type Places struct {
	Places []Place `json:"places,omitempty"`
}

// A Supplier brings content from where others keep it. Its methods may be called
// concurrently.
type Supplier interface {
	// Reaches reports whether content at a place can be asked for: whether the
	// remote is one of this build, and answers.
	Reaches(p Place) bool
	// SupplyLayer and SupplyBlob bring content into the store. An error that is
	// ErrMissing says that none of the places has it.
	SupplyLayer(d Digest, places []Place) error
	SupplyBlob(d Digest, places []Place) error
}

const placesDir = "places"

// PutPlaces notes where content can be had, besides the places that are known.
func (s *Store) PutPlaces(d Digest, places ...Place) error {
	e, err := s.begin()
	if err != nil {
		return err
	}
	defer e.end()
	known, err := s.Places(d)
	if err != nil {
		return err
	}
	all := Places{Places: places}
	if known != nil {
		for _, p := range known.Places {
			if !slices.ContainsFunc(places, func(q Place) bool { return q.Remote == p.Remote }) {
				all.Places = append(all.Places, p)
			}
		}
	}
	data, err := json.Marshal(all)
	if err == nil {
		err = s.writeFile(s.hashPath(placesDir, d), data)
	}
	if err != nil {
		return fmt.Errorf("note where %s can be had: %w", d.Short(), err)
	}
	return nil
}

// Places returns where content can be had, nil if nothing is known about that.
// Damaged notes are none: the content is then made again.
func (s *Store) Places(d Digest) (*Places, error) {
	data, err := os.ReadFile(s.hashPath(placesDir, d))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) && s.readOnly {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var p Places
	if json.Unmarshal(data, &p) != nil {
		return nil, nil
	}
	return &p, nil
}

// elsewhere reports whether content that is not here counts as there: a record of
// others names it, and it was not needed so far. Whether it can be had is found
// out when somebody does: mostly nobody needs it.
func (s *Store) elsewhere(d Digest) bool {
	if _, needed := s.needed.Load(d); needed {
		return false
	}
	p, err := s.Places(d)
	return err == nil && p != nil
}

func (s *Store) reaches(p Place) bool { return s.supplier != nil && s.supplier.Reaches(p) }

// Supply makes the store bring content that it lacks from elsewhere, from then
// on. It must be called before anything else uses the store.
func (s *Store) Supply(from Supplier) { s.supplier = from }

// SupplyLayers brings those of the layers that are not here, at once. What
// cannot be had is no error: whoever opens it finds it missing.
func (s *Store) SupplyLayers(layers []Digest) {
	if s.supplier == nil {
		return
	}
	var group sync.WaitGroup
	for _, d := range layers {
		if errors.Is(s.checkLayer(d), ErrMissing) {
			group.Go(func() { _ = s.supplyLayer(d) })
		}
	}
	group.Wait()
}

// supplyLayer brings a layer that was asked for and is not here.
func (s *Store) supplyLayer(d Digest) error {
	return s.supply(d, Supplier.SupplyLayer, missingLayer(d))
}

func (s *Store) supplyBlob(d Digest) error {
	return s.supply(d, Supplier.SupplyBlob, missingBlob(d))
}

// supply is missing if there is no way to bring the content. It then counts as
// needed: records that name it are no hits any more, so that it is made again.
func (s *Store) supply(d Digest, bring func(Supplier, Digest, []Place) error, missing error) error {
	p, err := s.Places(d)
	if err != nil || p == nil {
		return errors.Join(missing, err)
	}
	places := slices.DeleteFunc(slices.Clone(p.Places), func(p Place) bool { return !s.reaches(p) })
	if len(places) > 0 {
		if err = bring(s.supplier, d, places); err == nil {
			return nil
		}
	}
	s.needed.Store(d, true)
	s.stacks.doubt()
	if err != nil {
		return fmt.Errorf("%w: %w", missing, err)
	}
	return missing
}
