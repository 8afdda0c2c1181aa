package share

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/cache/remote"
	"github.com/dibgraph/dibgraph/cache/wire"
)

// Reaches reports whether this build asks the remote of a place, and it answers.
func (s *Share) Reaches(p cache.Place) bool {
	source := s.sources[p.Remote]
	return source != nil && !source.LeftOut()
}

// SupplyLayer brings a layer into the store from the first place that has it.
func (s *Share) SupplyLayer(d cache.Digest, places []cache.Place) error {
	return s.supply(d, places, s.bringLayer)
}

// SupplyBlob is SupplyLayer for a blob.
func (s *Share) SupplyBlob(d cache.Digest, places []cache.Place) error {
	return s.supply(d, places, s.bringBlob)
}

// supply brings content once, however many ask for it at a time.
func (s *Share) supply(d cache.Digest, places []cache.Place, bring func(r io.Reader, d cache.Digest, at spot) error) error {
	_, err, _ := s.flights.Do(d.String(), func() (any, error) {
		var problems, news []error
		for _, p := range places {
			err := s.bringFrom(p, d, bring)
			if err == nil {
				return nil, nil
			}
			problem := fmt.Errorf("get %s from %s: %w", d.Short(), p.Remote, err)
			problems = append(problems, problem)
			if !errors.Is(err, remote.ErrLeftOut) { // that was said when it was left out
				news = append(news, problem)
			}
		}
		if err := errors.Join(news...); err != nil {
			s.o.Notice("shared cache: " + err.Error() + "; it is made again")
		}
		return nil, errors.Join(problems...)
	})
	return err
}

func (s *Share) bringFrom(p cache.Place, d cache.Digest, bring func(r io.Reader, d cache.Digest, at spot) error) error {
	var at spot
	if err := json.Unmarshal(p.At, &at); err != nil {
		return err
	}
	err := s.bringPart(s.sources[p.Remote], d, at, bring)
	if errors.Is(err, remote.ErrNotFound) || errors.Is(err, cache.ErrDamaged) || errors.Is(err, io.ErrUnexpectedEOF) {
		s.sender.lost(p.Remote, at.Parcel)
	}
	return err
}

func (s *Share) bringPart(from *remote.Guard, d cache.Digest, at spot, bring func(r io.Reader, d cache.Digest, at spot) error) error {
	body, err := from.Open(s.ctx, at.Parcel, at.Offset, at.Offset+at.Part.Size)
	if err != nil {
		return err
	}
	defer body.Close()
	sum := newSummer(io.LimitReader(body, at.Part.Size))
	if err := bring(sum, d, at); err != nil {
		// Wrong bytes explain any failure to read them.
		return errors.Join(sum.check(at.Part), err)
	}
	return nil
}

// bringLayer extracts a layer into a directory that nobody sees until all of its
// digests were found right.
func (s *Share) bringLayer(r io.Reader, d cache.Digest, at spot) error {
	if at.Form != layerForm {
		return fmt.Errorf("it is in the form %q, not that of a layer", at.Form)
	}
	dir, err := s.store.TempDir("supply")
	if err != nil {
		return err
	}
	defer s.store.Discard(dir)
	limits := wire.DefaultLimits()
	limits.Bytes = at.Size // its seal covers it
	decoded, err := wire.DecodeLayer(s.ctx, r, dir, limits)
	if err != nil {
		return err
	}
	if err := r.(*summer).check(at.Part); err != nil {
		return err
	}
	return s.store.ImportLayer(dir, d, decoded.Volatile)
}

func (s *Share) bringBlob(r io.Reader, d cache.Digest, at spot) error {
	if at.Form == layerForm {
		return errors.New("it is in the form of a layer, and a file is needed")
	}
	plain, err := wire.DecodeBlob(s.ctx, r, wire.Encoding(at.Form), at.Size)
	if err != nil {
		return err
	}
	defer plain.Close()
	// The digest of the plain bytes is that of the record, and says all.
	return s.store.ImportBlob(plain, cache.Blob{Digest: d, Size: at.Size})
}

// A summer hashes what is read through it.
type summer struct {
	r    io.Reader
	hash hash.Hash
	size int64
}

func newSummer(r io.Reader) *summer { return &summer{r: r, hash: sha256.New()} }

func (s *summer) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.hash.Write(p[:n])
	s.size += int64(n)
	return n, err
}

// check reads what is left and compares all with what was announced.
func (s *summer) check(want remote.Content) error {
	if _, err := io.Copy(io.Discard, s); err != nil {
		return err
	}
	if s.size != want.Size {
		return fmt.Errorf("%w: it has %d bytes, not %d", cache.ErrDamaged, s.size, want.Size)
	}
	if got := remote.Sum(s.hash.Sum(nil)); got != want.Sum {
		return fmt.Errorf("%w: its SHA-256 is %s, not %s", cache.ErrDamaged, got, want.Sum)
	}
	return nil
}

var _ cache.Supplier = (*Share)(nil)
