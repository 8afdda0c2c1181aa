package share

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/cache/remote"
	"github.com/dibgraph/dibgraph/cache/trust"
)

// Find puts records that others have of a static key into the store, and reports
// whether it did; after a further miss it is asked again for more. The first
// miss of a build asks for the pack of the image, which has the records of all
// nodes.
func (s *Share) Find(ctx context.Context, static cache.Key) (found bool, refused []cache.Reason) {
	if len(s.o.From) == 0 {
		return false, nil
	}
	s.packsOnce.Do(func() { s.takeImage(ctx) })
	refused = s.refused
	if s.statics[static] && first(&s.told, static) {
		return true, refused
	}
	if !first(&s.asked, static) {
		return false, refused
	}
	for _, from := range s.o.From {
		l := s.load(ctx, from, s.nodeName(from.Scope, static))
		if l.reason != nil {
			refused = append(refused, *l.reason)
		}
		if l.pack != nil && s.takeLoaded(l, false) > 0 {
			return true, refused
		}
	}
	return false, refused
}

// Pull takes the packs of the image, and returns how many records they have, and
// why some were not taken.
func (s *Share) Pull(ctx context.Context) (taken int, refused []cache.Reason) {
	s.packsOnce.Do(func() { s.takeImage(ctx) })
	return s.taken, s.refused
}

// takeImage loads the packs of the image from all remotes and takes them, those
// of the first remote and scope first.
func (s *Share) takeImage(ctx context.Context) {
	s.statics, s.taken = make(map[cache.Key]bool), 0
	for _, l := range s.loadImage(ctx, s.o.From) {
		if l.reason != nil {
			s.refused = append(s.refused, *l.reason)
		}
		if l.pack != nil {
			s.taken += s.takeLoaded(l, true)
		}
	}
}

// takeLoaded takes a pack, and returns how many records are in it.
func (s *Share) takeLoaded(l loadedPack, history bool) int {
	n, err := s.take(l.pack, l.place.Remote.String(), l.origin, history)
	if err != nil {
		s.o.Notice(fmt.Sprintf("shared cache: not all results from %s were taken: %v", l.place, err))
	}
	return n
}

// A loadedPack is what a place has under a name: a pack that is believed, or the
// reason why there is none, or neither if it has nothing.
type loadedPack struct {
	place  Place
	pack   *pack
	origin json.RawMessage
	reason *cache.Reason
}

// unread says why it is not known whether there is a pack, nil if it is.
func (l loadedPack) unread() error {
	if l.reason != nil && l.reason.Kind == cache.ReasonUnreachable {
		return errors.New(l.reason.Detail)
	}
	return nil
}

// loadImage loads the packs of the image, together.
func (s *Share) loadImage(ctx context.Context, from []Place) []loadedPack {
	all := make([]loadedPack, len(from))
	var group sync.WaitGroup
	for i, place := range from {
		group.Go(func() { all[i] = s.load(ctx, place, s.imageName(place.Scope)) })
	}
	group.Wait()
	return all
}

// load gets one pack and opens it.
func (s *Share) load(ctx context.Context, from Place, name string) loadedPack {
	l := loadedPack{place: from}
	object, err := from.Remote.Load(ctx, name, maxPack)
	switch {
	case errors.Is(err, remote.ErrNotFound):
	case err != nil:
		l.reason = &cache.Reason{Kind: cache.ReasonUnreachable, Detail: fmt.Sprintf("%s could not be asked: %v", from, err)}
	default:
		if err := s.open(ctx, &l, object, name); err != nil {
			l.reason = &cache.Reason{Kind: cache.ReasonUntrusted, Detail: fmt.Sprintf("what %s has was refused: %v", from, err)}
		}
	}
	return l
}

func (s *Share) open(ctx context.Context, l *loadedPack, object []byte, name string) error {
	opened, err := s.o.Policy.Open(ctx, object, trust.Want{Remote: l.place.Remote.String(), Scope: l.place.Scope, Name: name, Salt: s.o.Salt})
	if err != nil {
		return err
	}
	p, err := decodePack(opened.Payload)
	if err != nil {
		return err
	}
	l.pack = p
	l.origin, err = json.Marshal(opened.Origin)
	return err
}
