package share

import (
	"crypto/rand"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/cache/remote"
)

// lost notes that a remote has a parcel no longer, or other bytes under its name.
// If it is one that is sent to, what is made again is sent again, and the packs
// of this build lead to that.
func (d *sender) lost(address string, c remote.Content) {
	for _, t := range d.targets {
		if t.guard.String() != address {
			continue
		}
		for _, digest := range t.lose(c) {
			d.mu.Lock()
			d.again[digest] = true
			d.mu.Unlock()
		}
	}
}

// lose returns what was in the parcel, as far as is known.
func (t *target) lose(c remote.Content) (digests []cache.Digest) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lost[c], t.parcels[c] = true, false
	for digest, at := range t.spots {
		if at.Parcel == c {
			delete(t.spots, digest)
			digests = append(digests, digest)
		}
	}
	return digests
}

// hasLost reports whether anything is gone there.
func (t *target) hasLost() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.lost) > 0
}

// lostAgain reports whether content that was looked at before has to be looked at
// once more, because it was lost since.
func (d *sender) lostAgain(digest cache.Digest) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	again := d.again[digest]
	delete(d.again, digest)
	return again
}

// differ makes a parcel one that no remote has had. The same parts would make the
// same parcel, which a remote takes for the one that it has, damaged or not.
func (p *parcel) differ() error {
	var noise [16]byte
	_, _ = rand.Read(noise[:]) // never fails
	n, err := p.file.Write(noise[:])
	p.hash.Write(noise[:n])
	p.size += int64(n)
	return err
}
