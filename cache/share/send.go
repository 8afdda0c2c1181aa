package share

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"sync"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/cache/remote"
	"github.com/dibgraph/dibgraph/cache/wire"
)

const (
	// Outputs of at most so many bytes come in packs: look-ups need them.
	maxInline = 64 << 10
	// Outputs of at most so many bytes are sent whether or not they are delivered.
	maxIntermediate = 16 << 20
	// A parcel of several parts is sent when it has so many bytes: few requests,
	// and little to send again if one fails.
	fullParcel = 4 << 20
	// Content of more plain bytes than this makes a parcel of its own.
	ownParcel = 1 << 20
	// So many parcels are sent at a time.
	parallelParcels = 4
)

// A Sent is a result that others are to have.
type Sent struct {
	Record *cache.Record
	// Deliver reports whether an output, by its name, is a file that the user
	// gets: it is sent however large it is.
	Deliver func(output string) bool
}

// A sender encodes and sends content beside a build. One goroutine encodes, so
// that the build keeps the processors; some send what is encoded.
type sender struct {
	s     *Share
	dir   string // of parcels
	names int

	mu      sync.Mutex
	arrived *sync.Cond
	queue   []Sent
	closed  bool
	done    chan struct{} // closed when the encoder has ended

	targets []*target
	open    *parcel               // the one that small content goes to
	handled map[cache.Digest]bool // by the encoder
	again   map[cache.Digest]bool // to be looked at once more, see lost; guarded by mu
	slots   chan struct{}         // of parcels that are being sent
	sending sync.WaitGroup
}

// A target is a remote that content is sent to.
type target struct {
	place Place
	guard *remote.Guard // of place
	base  *pack         // the pack of the image there, nil if it has none that is believed
	// unread is why base could not be told: it is not replaced unseen, since it has
	// results of others.
	unread error

	mu      sync.Mutex
	spots   map[cache.Digest]spot // what is known to be there
	parcels map[remote.Content]bool
	lost    map[remote.Content]bool // parcels that are not there any more
	sent    int                     // parcels of this build
}

func newSender(s *Share) *sender {
	d := &sender{s: s, done: make(chan struct{}), handled: make(map[cache.Digest]bool), again: make(map[cache.Digest]bool), slots: make(chan struct{}, parallelParcels)}
	d.arrived = sync.NewCond(&d.mu)
	for _, p := range s.o.To {
		d.targets = append(d.targets, &target{
			place: p, guard: p.Remote, spots: make(map[cache.Digest]spot),
			parcels: make(map[remote.Content]bool), lost: make(map[remote.Content]bool),
		})
	}
	return d
}

// Send takes a result to be sent while the build goes on. Without a remote to
// send to it does nothing.
func (s *Share) Send(r Sent) {
	d := s.sender
	if len(d.targets) == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.queue == nil {
		d.queue = []Sent{}
		go d.encode()
	}
	d.queue = append(d.queue, r)
	d.arrived.Signal()
}

// next waits for a result; there is none after the last.
func (d *sender) next() (Sent, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.queue) == 0 && !d.closed {
		d.arrived.Wait()
	}
	if len(d.queue) == 0 {
		return Sent{}, false
	}
	r := d.queue[0]
	d.queue = d.queue[1:]
	return r, true
}

func (d *sender) encode() {
	defer close(d.done)
	d.learn()
	for {
		r, more := d.next()
		if !more || d.s.ctx.Err() != nil {
			break
		}
		if err := d.result(r); err != nil {
			d.s.o.Notice(fmt.Sprintf("shared cache: the result of %s is not sent: %v", r.Record.Node, err))
		}
	}
	d.flush()
}

// learn asks the targets what they have of this image.
func (d *sender) learn() {
	for i, l := range d.s.loadImage(d.s.ctx, d.s.o.To) {
		d.targets[i].unread = d.targets[i].learn(l)
	}
}

// learn notes what a target has of the image, or returns why it could not tell.
func (t *target) learn(l loadedPack) error {
	if l.pack == nil {
		return l.unread()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.base = l.pack
	for digest, at := range l.pack.Spots {
		// What was sent meanwhile is there for sure.
		if _, sent := t.spots[digest]; !sent && !t.lost[at.Parcel] {
			t.spots[digest], t.parcels[at.Parcel] = at, true
		}
	}
	return nil
}

// result sends what a result has that nobody sent before.
func (d *sender) result(r Sent) error {
	layers, _ := r.Record.Content()
	var problems []error
	for _, l := range layers {
		problems = append(problems, d.layer(l))
	}
	for name, b := range r.Record.Outputs {
		if b.Size > maxInline && (b.Size <= maxIntermediate || r.Deliver(name)) {
			problems = append(problems, d.blob(b))
		}
	}
	for _, b := range append([]cache.Blob{r.Record.Log}, r.Record.Texts...) {
		if !b.Digest.IsZero() {
			problems = append(problems, d.blob(b))
		}
	}
	return errors.Join(problems...)
}

func (d *sender) layer(digest cache.Digest) error {
	// What is not here may be looked at again when it was made again.
	if !d.s.store.HasLayer(digest) || !d.wanted(digest) {
		return nil
	}
	l, err := d.s.store.Listing(digest)
	if err != nil {
		return err
	}
	dir, err := d.s.store.LayerDir(digest)
	if err != nil {
		return err
	}
	size := d.s.store.LayerBytes(digest)
	return d.part(digest, size, spot{Size: size}, func(w io.Writer) (string, error) {
		return layerForm, wire.EncodeLayer(d.s.ctx, w, dir, l)
	})
}

func (d *sender) blob(b cache.Blob) error {
	if _, here := d.s.store.HasBlob(b.Digest); !here || !d.wanted(b.Digest) {
		return nil
	}
	f, err := d.s.store.OpenBlob(b.Digest)
	if err != nil {
		return err
	}
	defer f.Close()
	return d.part(b.Digest, b.Size, spot{Size: b.Size}, func(w io.Writer) (string, error) {
		form, err := wire.EncodeBlob(d.s.ctx, w, f)
		return string(form), err
	})
}

// wanted reports whether content is to be sent: some target may lack it, and it
// was not looked at before.
func (d *sender) wanted(digest cache.Digest) bool {
	if d.handled[digest] && !d.lostAgain(digest) {
		return false
	}
	d.handled[digest] = true
	for _, t := range d.targets {
		if !t.guard.LeftOut() && !d.has(t, digest) {
			return true
		}
	}
	return false
}

// has reports whether a target has content: it is in its pack, or was sent there
// before and is there still.
func (d *sender) has(t *target, digest cache.Digest) bool {
	if t.has(digest) {
		return true
	}
	known, err := d.s.store.Places(digest)
	if err != nil || known == nil {
		return false
	}
	for _, p := range known.Places {
		var at spot
		if p.Remote == t.guard.String() && json.Unmarshal(p.At, &at) == nil && d.hasParcel(t, at.Parcel) {
			t.add(map[cache.Digest]spot{digest: at}, at.Parcel)
			return true
		}
	}
	return false
}

func (d *sender) hasParcel(t *target, c remote.Content) bool {
	t.mu.Lock()
	there, known := t.parcels[c]
	t.mu.Unlock()
	if !known {
		there, _ = t.guard.Has(d.s.ctx, c)
		t.mu.Lock()
		t.parcels[c] = there
		t.mu.Unlock()
	}
	return there
}

func (t *target) has(digest cache.Digest) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, ok := t.spots[digest]
	return ok
}

func (t *target) add(spots map[cache.Digest]spot, c remote.Content) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.parcels[c] = true
	for digest, at := range spots {
		t.spots[digest] = at
	}
}

// part encodes content into a parcel, and sends the parcel if that is full.
func (d *sender) part(digest cache.Digest, size int64, at spot, write func(io.Writer) (string, error)) error {
	own := size > ownParcel
	p := d.open
	if own || p == nil {
		var err error
		if p, err = d.newParcel(); err != nil {
			return err
		}
	}
	if err := p.add(digest, at, write); err != nil {
		if own || d.open == nil {
			p.remove()
		}
		return err
	}
	switch {
	case own:
		d.send(p)
	default:
		if d.open = p; p.size >= fullParcel {
			d.flush()
		}
	}
	return nil
}

func (d *sender) newParcel() (*parcel, error) {
	if d.dir == "" {
		dir, err := d.s.store.TempDir("send")
		if err != nil {
			return nil, err
		}
		d.dir = dir
	}
	d.names++
	p, err := newParcel(filepath.Join(d.dir, fmt.Sprint(d.names)))
	if err == nil && slices.ContainsFunc(d.targets, (*target).hasLost) {
		if err = p.differ(); err != nil {
			p.remove()
		}
	}
	return p, err
}

func (d *sender) flush() {
	if d.open != nil {
		d.send(d.open)
		d.open = nil
	}
}

// send sends a parcel to the targets in the background.
func (d *sender) send(p *parcel) {
	d.slots <- struct{}{}
	d.sending.Go(func() {
		defer func() { <-d.slots }()
		defer p.remove()
		c, spots := p.seal()
		for _, t := range d.targets {
			if err := t.guard.Upload(d.s.ctx, c, p.open); err != nil {
				continue // the guard gave notice, and the pack leaves it out
			}
			t.add(spots, c)
			t.mu.Lock()
			t.sent++
			t.mu.Unlock()
			d.note(t, spots)
		}
	})
}

// note remembers what was sent where, so that the next build need not encode it.
func (d *sender) note(t *target, spots map[cache.Digest]spot) {
	for digest, at := range spots {
		text, err := json.Marshal(at)
		if err == nil {
			err = d.s.store.PutPlaces(digest, cache.Place{Remote: t.guard.String(), At: text})
		}
		if err != nil {
			d.s.o.Notice("shared cache: " + err.Error())
		}
	}
}
