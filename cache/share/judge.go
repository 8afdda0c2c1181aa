package share

import (
	"context"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/cache/trust"
)

// A Judge knows what is believed, and asks nobody for results: it is for plans.
type Judge struct {
	policy  *trust.Policy
	origins originMemory
}

// NewJudge returns a judge of imported records.
func NewJudge(p *trust.Policy) *Judge { return &Judge{policy: p} }

// Find finds nothing.
func (j *Judge) Find(context.Context, cache.Key) (bool, []cache.Reason) { return false, nil }

// Allows says why an imported record must not be used any more.
func (j *Judge) Allows(r *cache.Record) (cache.Reason, bool) {
	if err := j.origins.judge(j.policy, r.Origin); err != nil {
		return cache.Reason{Kind: cache.ReasonUntrusted, Detail: "its result from elsewhere is no longer believed: " + err.Error()}, false
	}
	return cache.Reason{}, true
}
