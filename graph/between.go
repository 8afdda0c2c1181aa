package graph

import (
	"github.com/dibgraph/dibgraph/cache"
)

// Between returns the build after with, in place of why its nodes ran, what
// differs from the build before, which may be of another image. Nodes with the
// same key are hits, all others [Differs].
func Between(store *cache.Store, before, after *cache.Build) *cache.Build {
	b := *after
	b.Outcome = OutcomeCompared
	b.Nodes = nil
	old := make(map[string]cache.BuildNode)
	for _, n := range before.Nodes {
		old[n.Name] = n
	}
	for _, n := range after.Nodes {
		was, had := old[n.Name]
		n.Status, n.Reasons, n.Last, n.Error = string(Hit), nil, was.Key, ""
		if !had || was.Key != n.Key {
			n.Status = string(Differs)
			n.Reasons = betweenKeys(store, n.Name, was.Key, n.Key)
		}
		b.Nodes = append(b.Nodes, n)
	}
	return &b
}

// betweenKeys compares the records of two keys of one node.
func betweenKeys(store *cache.Store, name string, before, after cache.Key) []cache.Reason {
	if before.IsZero() {
		return []cache.Reason{{Kind: cache.ReasonAdded, Detail: name + " has a result in the second build only"}}
	}
	if after.IsZero() {
		return []cache.Reason{{Kind: cache.ReasonRemoved, Detail: name + " has a result in the first build only"}}
	}
	old, err := store.Record(before)
	if err != nil {
		return []cache.Reason{{Kind: cache.ReasonEvicted, Detail: "what " + name + " used in the first build is no longer recorded"}}
	}
	now, err := store.Record(after)
	if err != nil {
		return []cache.Reason{{Kind: cache.ReasonEvicted, Detail: "what " + name + " used in the second build is no longer recorded"}}
	}
	n := &Node{Name: name}
	if now.Parent != "" {
		n.Parent = &Node{Name: now.Parent}
	}
	var reasons []cache.Reason
	for _, diff := range Diff(ParseDescription(old.Description), ParseDescription(now.Description)) {
		reasons = append(reasons, reasonFor(n, diff, stateUsed(store, old), stateUsed(store, now)))
	}
	return reasons
}

// stateUsed returns the state that the run of a record worked on, if that is
// still recorded.
func stateUsed(store *cache.Store, r *cache.Record) *Inputs {
	in := &Inputs{store: store}
	if parent, err := store.Record(r.Uses[r.Parent]); err == nil {
		in.Parent = stateOf(parent)
	}
	return in
}
