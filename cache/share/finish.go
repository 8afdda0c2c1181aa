package share

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/cache/remote"
	"github.com/dibgraph/dibgraph/cache/trust"
)

const (
	// So many records are kept of one node in the pack of an image, and of one
	// static key in a pack of its own.
	maxPerNode   = 3
	maxPerStatic = 8
	// So many packs of static keys are written at a time.
	parallelPacks = 16
)

// Finish waits until everything is sent, and then writes the packs that lead to
// it: that of the image, with the results of this build in the order of its
// nodes, and those of the static keys that are new there. Errors are notices:
// the build is as good without.
func (s *Share) Finish(ctx context.Context, results []*cache.Record) {
	d := s.sender
	if !d.drain() || len(results) == 0 {
		return
	}
	for _, t := range d.targets {
		if t.guard.LeftOut() {
			continue
		}
		// Of a remote that was left out in between the guard has given notice.
		if err := d.finish(ctx, t, results); err != nil && !t.guard.LeftOut() {
			s.o.Notice(fmt.Sprintf("shared cache: %s has not all results of this build: %v", t.guard, err))
		}
	}
}

// Stop gives up what is not sent yet. Nothing uses the store after it.
func (s *Share) Stop() {
	s.cancel()
	s.sender.drain()
}

// drain waits until all that was to be sent is, or given up, and reports whether
// there was anything.
func (d *sender) drain() bool {
	d.mu.Lock()
	started := d.queue != nil
	d.closed = true
	d.arrived.Broadcast()
	d.mu.Unlock()
	if started {
		<-d.done
		d.sending.Wait()
	}
	return started
}

func (d *sender) finish(ctx context.Context, t *target, results []*cache.Record) error {
	if t.unread != nil {
		if err := t.learn(d.s.load(ctx, t.place, d.s.imageName(t.place.Scope))); err != nil {
			return err
		}
	}
	known := make(map[string]bool)
	// After a loss the packs of all nodes have to lead elsewhere.
	if t.base != nil && !t.hasLost() {
		for _, text := range t.base.Records {
			known[text] = true
		}
	}
	var fresh []*cache.Record
	for _, r := range results {
		text, err := r.Text()
		if err != nil {
			return err
		}
		if !known[string(text)] {
			fresh = append(fresh, r)
		}
	}
	if len(fresh) == 0 && t.sent == 0 {
		return nil
	}
	if err := d.nodePacks(ctx, t, fresh); err != nil {
		return err
	}
	p, err := d.packOf(t, results, t.base, maxPerNode)
	if err != nil {
		return err
	}
	return d.save(ctx, t, d.s.imageName(t.place.Scope), p)
}

// nodePacks writes a pack for each static key.
func (d *sender) nodePacks(ctx context.Context, t *target, fresh []*cache.Record) error {
	problems := make([]error, len(fresh))
	slots := make(chan struct{}, parallelPacks)
	var group sync.WaitGroup
	for i, r := range fresh {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			problems[i] = d.nodePack(ctx, t, r)
		})
	}
	group.Wait()
	problems = slices.DeleteFunc(problems, func(err error) bool { return err == nil })
	switch len(problems) {
	case 0:
		return nil
	case 1:
		return problems[0]
	}
	return fmt.Errorf("%w (and %d more)", problems[0], len(problems)-1) // mostly the same
}

func (d *sender) nodePack(ctx context.Context, t *target, r *cache.Record) error {
	name := d.s.nodeName(t.place.Scope, r.Static)
	// What is not believed is replaced; what could not be read may be fine.
	l := d.s.load(ctx, t.place, name)
	if err := l.unread(); err != nil {
		return err
	}
	p, err := d.packOf(t, []*cache.Record{r}, l.pack, maxPerStatic)
	if err != nil {
		return err
	}
	return d.save(ctx, t, name, p)
}

func (d *sender) save(ctx context.Context, t *target, name string, p *pack) error {
	payload, err := p.encode()
	if err != nil {
		return err
	}
	o := d.s.o
	note, err := trust.Seal(ctx, trust.Statement{
		Scope: t.place.Scope, Name: name, Image: o.Image, Arch: o.Arch, Builder: o.Builder, Time: o.Now(), Salt: o.Salt,
		Payload: remote.Content{Sum: sha256.Sum256(payload), Size: int64(len(payload))},
	}, o.Signers...)
	if err != nil {
		return err
	}
	return t.guard.Save(ctx, name, trust.Pack(note, payload), p.contents())
}

// packOf returns a pack of records, newest first for each node, and of those of
// an earlier pack that are not replaced.
func (d *sender) packOf(t *target, records []*cache.Record, earlier *pack, perNode int) (*pack, error) {
	b := packBuilder{
		pack:  &pack{Format: packFormat, Image: d.s.o.Image, Arch: d.s.o.Arch, Spots: make(map[cache.Digest]spot)},
		read:  d.s.store.ReadBlob,
		blobs: make(map[cache.Digest][]byte), count: make(map[string]int), keys: make(map[cache.Key]bool),
		most: perNode,
	}
	t.mu.Lock()
	b.spots = maps.Clone(t.spots)
	lost := maps.Clone(t.lost)
	t.mu.Unlock()
	for _, r := range records {
		if err := b.add(r); err != nil {
			return nil, err
		}
	}
	if earlier == nil {
		return b.pack, nil
	}
	for digest, at := range earlier.Spots {
		if !lost[at.Parcel] {
			b.spots[digest] = at
		}
	}
	known := make(map[cache.Digest][]byte, len(earlier.Blobs))
	for _, blob := range earlier.Blobs {
		known[cache.DigestBytes(blob)] = blob
	}
	b.read = func(digest cache.Digest) ([]byte, error) {
		if blob, ok := known[digest]; ok {
			return blob, nil
		}
		return d.s.store.ReadBlob(digest)
	}
	for _, text := range earlier.Records {
		// One that cannot be read or completed any more is left behind.
		if r, err := cache.ParseRecord([]byte(text)); err == nil {
			_ = b.add(r)
		}
	}
	return b.pack, nil
}

// A packBuilder collects records with everything that has to come with them.
type packBuilder struct {
	pack  *pack
	read  func(cache.Digest) ([]byte, error)
	spots map[cache.Digest]spot
	blobs map[cache.Digest][]byte
	count map[string]int // of records, by node
	keys  map[cache.Key]bool
	most  int
}

func (b *packBuilder) add(r *cache.Record) error {
	if b.keys[r.Key] || b.count[r.Node] >= b.most {
		return nil
	}
	text, err := r.Text()
	if err != nil {
		return err
	}
	stacks, err := b.stacks(r)
	if err != nil {
		return err
	}
	layers, blobs := r.Content()
	layers = append(layers, stacks...)
	for _, out := range r.Outputs {
		if out.Size <= maxInline {
			if err := b.inline(out.Digest); err != nil {
				return err
			}
		}
	}
	for _, blob := range blobs {
		layers = append(layers, blob.Digest)
	}
	for _, digest := range layers {
		if at, ok := b.spots[digest]; ok {
			b.pack.Spots[digest] = at
		}
	}
	b.keys[r.Key] = true
	b.count[r.Node]++
	b.pack.Records = append(b.pack.Records, string(text))
	return nil
}

// inline adds a small blob, once.
func (b *packBuilder) inline(digest cache.Digest) error {
	if _, there := b.blobs[digest]; there {
		return nil
	}
	data, err := b.read(digest)
	if err != nil {
		return err
	}
	b.blobs[digest] = data
	b.pack.Blobs = append(b.pack.Blobs, data)
	return nil
}

// stacks adds those that a record names, and returns the layers of them that
// only their texts name.
func (b *packBuilder) stacks(r *cache.Record) (layers []cache.Digest, err error) {
	next := cache.Digest{}
	if r.Below != nil {
		next = r.Below.Digest
	}
	for !next.IsZero() {
		if err := b.inline(next); err != nil {
			return nil, err
		}
		below, named, err := cache.ParseStack(b.blobs[next])
		if err != nil {
			return nil, err
		}
		layers = append(layers, named...)
		next = below
	}
	return layers, nil
}
