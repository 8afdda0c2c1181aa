package graph

import (
	"errors"
	"fmt"
	"slices"

	"github.com/dibgraph/dibgraph/cache"
)

// keyFormat is the first line of every description. It changes whenever the
// meaning of a description or of a record's outputs changes, which disowns
// everything cached before.
const keyFormat = "dibgraph-key-3"

// A verdict is what the cache says about one node: its static description,
// and either the record it hits or the reasons why it must run.
type verdict struct {
	static  []Line
	key     cache.Key // of the static part
	record  *cache.Record
	reasons []cache.Reason // of a miss, or of a hit on another record than last
	last    *cache.Record  // what this node last used; nil if nothing is known
	gone    bool           // that it used something is known, not what
	forced  bool           // it runs whatever there is
}

// lastKey is the key of the record that the reasons compare with.
func (v verdict) lastKey() cache.Key {
	if v.last == nil {
		return cache.Key{}
	}
	return v.last.Key
}

func (v verdict) hit() bool { return v.record != nil }

// judge computes n's key for every trace shape seen before and looks it up; last
// returns the record that n used last. It changes nothing and runs nothing.
func (b *Builder) judge(n *Node, in *Inputs, last func(*Node) (*cache.Record, error)) (verdict, error) {
	static, err := describe(n, in)
	if err != nil {
		return verdict{}, err
	}
	v := verdict{static: static.Lines(), key: static.Key()}
	v.last, err = last(n)
	if err != nil && !errors.Is(err, cache.ErrMiss) {
		return verdict{}, err
	}
	if miss, ok := errors.AsType[*cache.MissError](err); ok {
		v.gone = !miss.Key.IsZero()
	}
	// What another image of this build made of it is as new as what is forced.
	force, forced := b.forced(n)
	if forced && b.pool().maker(v.key) == nil {
		v.reasons, v.forced = []cache.Reason{force}, true
		return v, nil
	}
	shapes, err := b.Store.Shapes(v.key)
	if err != nil {
		return verdict{}, err
	}
	var lost []cache.Reason
	for _, shape := range shapes {
		full, err := observed(n, in, v, shape, nil)
		if err != nil {
			return verdict{}, err
		}
		key := v.key
		if len(full.lines) > len(v.static) {
			key = full.Key()
		}
		record, err := b.lookup(key, v.last)
		if err == nil {
			if reason, allowed := b.allowed(record); !allowed {
				lost = append(lost, reason)
				continue
			}
			if reason, expired := b.expired(n, record); expired {
				lost = append(lost, reason)
				continue
			}
			if forced && b.pool().maker(record.Key) == nil {
				continue
			}
			v.record = record
			if v.last != nil && v.last.Key != record.Key {
				v.reasons = b.differences(n, in, v.last, full)
			}
			return v, nil
		}
		var miss *cache.MissError
		if !errors.As(err, &miss) {
			return verdict{}, err
		}
		switch miss.Reason {
		case cache.ContentMissing:
			lost = append(lost, cache.Reason{Kind: cache.ReasonMissing, Detail: miss.Detail})
		case cache.Damaged:
			lost = append(lost, cache.Reason{Kind: cache.ReasonDamaged, Detail: miss.Detail})
		}
	}
	if forced {
		v.reasons, v.forced = []cache.Reason{force}, true
		return v, nil
	}
	if v.reasons = lost; len(lost) == 0 {
		v.reasons, err = b.compare(n, in, v)
	}
	return v, err
}

// last returns the record that a node used last.
func (b *Builder) last(n *Node) (*cache.Record, error) { return b.Store.Last(n.Image, n.Name) }

// lookup returns the record of a key, which mostly is the one that the node
// used last.
func (b *Builder) lookup(k cache.Key, last *cache.Record) (*cache.Record, error) {
	if last != nil && last.Key == k {
		return last, b.Store.Check(last)
	}
	return b.Store.Lookup(k)
}

// forced says whether the user asked for this node to run whatever its key.
func (b *Builder) forced(n *Node) (cache.Reason, bool) {
	if b.Force == nil || !b.Force(n) || b.ranAlready(n) {
		return cache.Reason{}, false
	}
	return cache.Reason{Kind: cache.ReasonForced, Detail: "you asked for it to run again"}, true
}

// expired says whether a record is older than the user allows.
func (b *Builder) expired(n *Node, r *cache.Record) (cache.Reason, bool) {
	if b.Expired == nil {
		return cache.Reason{}, false
	}
	detail, expired := b.Expired(n, r)
	return cache.Reason{Kind: cache.ReasonExpired, Detail: detail}, expired
}

// typicalLines is room for the lines of most descriptions, which are thousands
// in a large image.
const typicalLines = 192

// describe returns the static part of n's description.
func describe(n *Node, in *Inputs) (*Description, error) {
	d := Description{lines: make([]Line, 0, typicalLines)}
	d.Add("key format", keyFormat)
	d.Add("kind", "%s", n.Kind)
	d.Add("name", "%q", n.Name)
	d.Digest("parent", in.Parent.Chain())
	for _, input := range n.Inputs {
		for _, output := range in.Outputs(input) {
			d.Digest(fmt.Sprintf("input %s %q", input.Name, output), in.records[input].Outputs[output].Digest)
		}
	}
	for _, pattern := range n.Volatile {
		d.Add(fmt.Sprintf("volatile %q", pattern), "masked")
	}
	if err := n.Action.Describe(&d, in); err != nil {
		return nil, fmt.Errorf("describe %s: %w", n.Name, err)
	}
	return &d, nil
}

// observed returns the whole description for one trace shape: the static
// lines and the value of every name in the shape, which is the one that was
// found, if there is one, else the present one.
func observed(n *Node, in *Inputs, v verdict, shape []string, found map[string]string) (*Description, error) {
	d := &Description{lines: slices.Clip(v.static)} // appending copies it
	if len(shape) == 0 {
		return d, nil
	}
	seen := namesOf(n, v.static)
	for _, name := range shape {
		var part Description
		if value, ok := found[name]; ok {
			part.Add(name, "%s", value)
		} else if o, ok := n.Action.(Observer); ok {
			if err := o.Observe(&part, name, in); err != nil {
				return nil, fmt.Errorf("evaluate %q for %s: %w", name, n.Name, err)
			}
		}
		for _, l := range part.lines {
			if !seen[l.Name] { // several names may lead to one input
				seen[l.Name] = true
				d.lines = append(d.lines, l)
			}
		}
	}
	return d, nil
}

// namesOf returns the names of the lines of a description, of which no two may be
// the same: a difference could not say which of them it is.
func namesOf(n *Node, lines []Line) map[string]bool {
	names := make(map[string]bool, len(lines))
	for _, l := range lines {
		if names[l.Name] {
			panic("graph: the description of " + n.ID() + " has two inputs called " + l.Name)
		}
		names[l.Name] = true
	}
	return names
}
