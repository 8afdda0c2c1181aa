package graph

import (
	"context"
	"slices"

	"github.com/dibgraph/dibgraph/cache"
)

// Others are the results of other machines, as far as this build may use them.
// The methods may be called concurrently.
type Others interface {
	// Find puts records of a static key that others have into the store, and
	// reports whether it did. It may be asked again as long as it did: there may
	// be more. The reasons say why some were not taken, or could not be looked
	// for; that is no error of the build.
	Find(ctx context.Context, static cache.Key) (found bool, refused []cache.Reason)
	// Allows says why a record of others that is in the store must not be used:
	// what is believed may have changed since it came.
	Allows(r *cache.Record) (refused cache.Reason, ok bool)
}

// judgeWithOthers is judge for a node that is about to run if it misses: what is
// not here is looked for elsewhere.
func (b *Builder) judgeWithOthers(ctx context.Context, n *Node, in *Inputs) (verdict, error) {
	v, err := b.judge(n, in, b.last)
	if err != nil || v.hit() || b.Others == nil || v.forced {
		return v, err
	}
	for {
		found, refused := b.Others.Find(ctx, v.key)
		if !found {
			v.reasons = withRefused(v.reasons, refused)
			return v, nil
		}
		if v, err = b.judge(n, in, b.last); err != nil || v.hit() {
			return v, err
		}
	}
}

// withRefused adds why results of others were not used. Where nothing else
// stands against a hit, that is the first cause.
func withRefused(reasons, refused []cache.Reason) []cache.Reason {
	if len(refused) == 0 {
		return reasons
	}
	switch reasons[0].Kind {
	case cache.ReasonNeverBuilt, cache.ReasonEvicted, cache.ReasonMissing, cache.ReasonDamaged:
		return slices.Concat(refused, reasons)
	}
	return slices.Concat(reasons, refused)
}

// allowed says whether a record may be used, whoever made it.
func (b *Builder) allowed(r *cache.Record) (refused cache.Reason, ok bool) {
	if b.Others == nil || len(r.Origin) == 0 {
		return cache.Reason{}, true
	}
	return b.Others.Allows(r)
}
