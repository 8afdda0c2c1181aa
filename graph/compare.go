package graph

import (
	"slices"
	"strings"

	"github.com/dibgraph/dibgraph/cache"
)

// compare explains a miss by what differs from the record the node last used.
func (b *Builder) compare(n *Node, in *Inputs, v verdict) ([]cache.Reason, error) {
	if v.gone {
		return []cache.Reason{{Kind: cache.ReasonEvicted, Detail: "what it left last time is no longer in the cache"}}, nil
	}
	if v.last == nil {
		return []cache.Reason{b.neverBuilt(n, v.static)}, nil
	}
	full, err := observed(n, in, v, v.last.Shape, nil)
	if err != nil {
		return nil, err
	}
	reasons := b.differences(n, in, v.last, full)
	if len(reasons) == 0 {
		// The same inputs as last time, yet no record under that key.
		return []cache.Reason{{Kind: cache.ReasonEvicted, Detail: "its result is no longer in the cache"}}, nil
	}
	return reasons, nil
}

// NeverBuilt is the detail of the reason of a node whose image has no history.
const NeverBuilt = "never built for this image here"

// neverBuilt tells a node that an image did not have before from an image that
// was never built.
func (b *Builder) neverBuilt(n *Node, static []Line) cache.Reason {
	r := cache.Reason{Kind: cache.ReasonNeverBuilt, Detail: NeverBuilt}
	if b.known(n.Image) {
		r.Detail = "new: this image was built without it before"
	}
	q, ok := n.Action.(Quoter)
	for _, line := range static {
		if ok && strings.HasPrefix(line.Name, "hook ") {
			r.Where, _, _ = q.Quote(line.Name)
		}
	}
	return r
}

// known reports whether an image had been built to its end when this build began:
// if not, nodes that come late in it never ran, new or not.
func (b *Builder) known(image string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.images == nil {
		b.images = make(map[string]bool)
	}
	known, asked := b.images[image]
	if !asked {
		known = b.builtBefore(image)
		b.images[image] = known
	}
	return known
}

func (b *Builder) builtBefore(image string) bool {
	ids, err := b.Store.Builds(image)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(ids, func(id string) bool {
		build, err := b.Store.Build(id)
		return err == nil && build.Outcome == OutcomeDone
	})
}

// differences says how a description differs from that of the record the node
// last used.
func (b *Builder) differences(n *Node, in *Inputs, last *cache.Record, now *Description) []cache.Reason {
	before := &Earlier{Inputs: b.usedBy(n, last), lines: ParseDescription(last.Description), read: b.Store.ReadBlob}
	var diffs []Difference
	for _, diff := range Diff(before.lines, now.lines) {
		diffs = append(diffs, b.expand(diff, now)...)
	}
	var reasons []cache.Reason
	for _, diff := range b.withoutDeduced(n, diffs, before, in) {
		reasons = append(reasons, reasonFor(n, diff, before.Inputs, in))
	}
	// A changed state or input has its cause earlier in the graph; what
	// started it all is read first.
	slices.SortStableFunc(reasons, func(a, b cache.Reason) int {
		return strings.Compare(causeOrder(a), causeOrder(b))
	})
	return reasons
}

// usedBy returns the inputs that the run of a record had, as far as they are
// still recorded.
func (b *Builder) usedBy(n *Node, r *cache.Record) *Inputs {
	in := &Inputs{records: make(map[*Node]*cache.Record), store: b.Store}
	for _, d := range n.dependencies() {
		// A record that is gone makes the explanation shorter, not wrong.
		if used, err := b.Store.Record(r.Uses[d.Name]); err == nil {
			in.records[d] = used
		}
	}
	in.Parent = stateUsed(b.Store, r).Parent
	return in
}

func causeOrder(r cache.Reason) string {
	if r.Cause != "" {
		return "0"
	}
	return "1"
}

func reasonFor(n *Node, diff Difference, before, after *Inputs) cache.Reason {
	r := cache.Reason{Kind: cache.ReasonChanged, Input: diff.Name, Old: diff.Old, New: diff.New}
	switch {
	case diff.Added:
		r.Kind = cache.ReasonAdded
	case diff.Removed:
		r.Kind = cache.ReasonRemoved
	}
	if q, ok := n.Action.(Quoter); ok {
		r.Where, _, _ = q.Quote(diff.Name)
	}
	switch {
	case diff.Name == "parent" && n.Parent != nil:
		blameState(&r, n, before.Parent, after.Parent)
	case strings.HasPrefix(diff.Name, "input "):
		var output string
		r.Cause, output, _ = strings.Cut(strings.TrimPrefix(diff.Name, "input "), " ")
		r.Detail = strings.Trim(output, `"`) + " of " + r.Cause + " changed"
	default:
		if a, ok := n.Action.(Attributor); ok {
			if cause := a.Attribute(diff.Name, before, after); cause != nil {
				r.Cause = cause.Name
			}
		}
	}
	return r
}

// blameState says which node made the state differ that n works on: the one
// that left the lowest layer that is another one than last time.
func blameState(r *cache.Reason, n *Node, before, after *State) {
	r.Cause, r.Detail = n.Parent.Name, "the state left by "+n.Parent.Name+" changed"
	if before == nil || after == nil {
		return
	}
	shared := before.shared(after)
	oldLayers, oldMakers := before.Tree(shared)
	layers, makers := after.Tree(shared)
	i := 0
	for i < len(oldLayers) && i < len(layers) && oldLayers[i] == layers[i] && oldMakers[i] == makers[i] {
		i++
	}
	old, oldMaker := layerAt(oldLayers, oldMakers, i)
	now, maker := layerAt(layers, makers, i)
	switch {
	case old.IsZero() && now.IsZero():
		r.Detail = "the mounts left by " + n.Parent.Name + " changed"
		return
	case maker == oldMaker:
	case maker == "" || slices.Contains(oldMakers[i:], maker):
		// What comes here now came later then: what was between is gone, or
		// leaves nothing.
		maker, now = oldMaker, Digest{}
	default:
		old = Digest{}
	}
	r.Cause, r.Before, r.After = maker, old, now
	r.Detail = "what " + maker + " left changed"
	if now.IsZero() {
		r.Detail = "what " + maker + " left is gone"
	}
}

// layerAt returns a layer and who left it, zero beyond the last.
func layerAt(layers []Digest, makers []string, i int) (layer Digest, maker string) {
	if i >= len(layers) {
		return Digest{}, ""
	}
	return layers[i], makers[i]
}
