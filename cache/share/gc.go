package share

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dibgraph/dibgraph/cache/remote"
	"github.com/dibgraph/dibgraph/cache/trust"
)

// settling is how long a content may be in a remote before the pack that leads
// to it: a build sends for as long as it takes.
const settling = 24 * time.Hour

// A Garbage is what was found and removed in a remote.
type Garbage struct {
	Packs, Contents int
	// Bytes are those of what was removed; a registry frees what belonged to a
	// pack when it next cleans up.
	Bytes int64
	// Kept counts the packs that stay.
	Kept int
}

// Collect removes from a remote the packs that nobody has written since a time,
// and the contents that no pack leads to. With dry it only counts. Whoever can
// list a remote can remove from it: packs are not believed, just read. A pack
// that cannot be read any more leads nowhere.
func Collect(ctx context.Context, r *remote.Guard, since time.Time, now time.Time, dry bool) (Garbage, error) {
	var packs, contents []remote.Item
	err := r.Items(ctx, func(i remote.Item) bool {
		if i.Name != "" {
			packs = append(packs, i)
		} else {
			contents = append(contents, i)
		}
		return true
	})
	if err != nil {
		return Garbage{}, err
	}
	var g Garbage
	remove := func(i remote.Item, count *int) error {
		*count++
		g.Bytes += i.Size
		if dry {
			return nil
		}
		return r.Remove(ctx, i)
	}
	used := make(map[remote.Sum]bool)
	for _, i := range packs {
		// A time that is not known is no reason.
		if !i.Modified.IsZero() && i.Modified.Before(since) {
			if err := remove(i, &g.Packs); err != nil {
				return g, err
			}
			continue
		}
		g.Kept++
		if len(contents) == 0 {
			continue // they go with their packs, which need not be read
		}
		if err := mark(ctx, r, i.Name, used); err != nil {
			return g, err
		}
	}
	for _, i := range contents {
		if used[i.Content.Sum] || i.Modified.After(now.Add(-settling)) {
			continue
		}
		if err := remove(i, &g.Contents); err != nil {
			return g, err
		}
	}
	return g, nil
}

// mark notes what a pack leads to.
func mark(ctx context.Context, r *remote.Guard, name string, used map[remote.Sum]bool) error {
	object, err := r.Load(ctx, name, maxPack)
	if errors.Is(err, remote.ErrNotFound) {
		return nil // somebody else removed it
	}
	if err != nil {
		return fmt.Errorf("read pack %s: %w", name, err)
	}
	_, payload, err := trust.Unpack(object)
	if err != nil {
		return nil //nolint:nilerr // none that anybody could use
	}
	p, err := decodePack(payload)
	if err != nil {
		return nil //nolint:nilerr // likewise
	}
	for _, at := range p.Spots {
		used[at.Parcel.Sum] = true
	}
	return nil
}
