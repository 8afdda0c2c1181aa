package cache

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"unicode/utf8"
)

// A Stack is the lower part of a state, which the records of many nodes have in
// common: each of thousands of records would otherwise name thousands of
// layers. It is a blob, and records name it by its digest. Stacks do not
// change.
type Stack struct {
	// Digest is that of the blob.
	Digest Digest
	// Below is what is further below; nil is nothing.
	Below *Stack
	// Layers, Makers and Mentions are as in a [Record], without those of Below.
	Layers   []Digest
	Makers   []string
	Mentions []string
	// Sum stands for all layers down to the lowest, see [SumLayers].
	Sum Digest
}

// MarshalJSON writes the digest: it is all that records have of a stack.
func (k *Stack) MarshalJSON() ([]byte, error) { return json.Marshal(k.Digest) }

// UnmarshalJSON reads the digest. The rest is up to the [Store] that has it.
func (k *Stack) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, &k.Digest) }

// SumLayers returns what stands for layers on top of those that sum stands for.
// The zero digest stands for none.
func SumLayers(sum Digest, layers []Digest) Digest {
	for _, l := range layers {
		sum = DigestBytes(append(sum[:len(sum):len(sum)], l[:]...))
	}
	return sum
}

// storedStack is the blob.
type storedStack struct {
	Below    Digest   `json:"below,omitzero"`
	Layers   []Digest `json:"layers,omitempty"`
	Makers   []string `json:"makers,omitempty"`
	Mentions []string `json:"mentions,omitempty"`
}

func (k *storedStack) check() error {
	switch {
	case len(k.Makers) != len(k.Layers):
		return fmt.Errorf("it names %d makers of %d layers", len(k.Makers), len(k.Layers))
	case slices.Contains(k.Layers, Digest{}):
		return errors.New("it names a zero layer")
	}
	for _, text := range slices.Concat(k.Makers, k.Mentions) {
		if !utf8.ValidString(text) {
			return fmt.Errorf("%q is not valid UTF-8", text)
		}
	}
	return nil
}

// ParseStack returns what the blob of a stack names: the stack below it, zero
// for none, and its own layers.
func ParseStack(data []byte) (below Digest, layers []Digest, err error) {
	k, err := parseStack(data)
	if err != nil {
		return Digest{}, nil, err
	}
	return k.Below, k.Layers, nil
}

func parseStack(data []byte) (*storedStack, error) {
	var k storedStack
	if err := unmarshalRecord(data, &k); err != nil {
		return nil, err
	}
	return &k, k.check()
}

// on returns the stack on top of another.
func (k *storedStack) on(below *Stack, digest Digest) *Stack {
	var sum Digest
	if below != nil {
		sum = below.Sum
	}
	return &Stack{
		Digest: digest, Below: below, Layers: k.Layers, Makers: k.Makers, Mentions: k.Mentions,
		Sum: SumLayers(sum, k.Layers),
	}
}

// stacks are those that were read, and which of them were found whole.
type stacks struct {
	mu    sync.Mutex
	known map[Digest]*Stack
	whole map[*Stack]bool
}

// intern returns the one stack of a digest, so that equal ones are identical.
func (c *stacks) intern(k *Stack) *Stack {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.known[k.Digest]; known != nil {
		return known
	}
	if c.known == nil {
		c.known = make(map[Digest]*Stack)
	}
	c.known[k.Digest] = k
	return k
}

func (c *stacks) get(d Digest) *Stack {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known[d]
}

func (c *stacks) isWhole(k *Stack) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.whole[k]
}

func (c *stacks) setWhole(k *Stack) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.whole == nil {
		c.whole = make(map[*Stack]bool)
	}
	c.whole[k] = true
}

// doubt makes all stacks be looked at again: something is no longer there.
func (c *stacks) doubt() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.whole = nil
}

// PutStack stores a stack on top of another, nil being nothing.
func (s *Store) PutStack(below *Stack, layers []Digest, makers, mentions []string) (*Stack, error) {
	stored := storedStack{Layers: layers, Makers: makers, Mentions: mentions}
	if below != nil {
		stored.Below = below.Digest
	}
	if err := stored.check(); err != nil {
		return nil, fmt.Errorf("put stack: %w", err)
	}
	data, err := json.Marshal(&stored)
	if err != nil {
		return nil, err
	}
	blob, err := s.PutAll(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return s.stacks.intern(stored.on(below, blob.Digest)), nil
}

// Stack returns the stack of a digest. One that is not there, or of which a
// lower part is not, is ErrMissing.
func (s *Store) Stack(d Digest) (*Stack, error) {
	type part struct {
		digest Digest
		stored *storedStack
	}
	var parts []part // highest first
	var below *Stack
	for !d.IsZero() {
		if below = s.stacks.get(d); below != nil {
			break
		}
		stored, err := s.readStack(d)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part{d, stored})
		d = stored.Below
	}
	for _, p := range slices.Backward(parts) {
		below = s.stacks.intern(p.stored.on(below, p.digest))
	}
	return below, nil
}

func (s *Store) readStack(d Digest) (*storedStack, error) {
	data, err := s.ReadBlob(d)
	if err != nil {
		return nil, err
	}
	stored, err := parseStack(data)
	if err != nil {
		return nil, damagedBlob(d, "it is no stack of layers: "+err.Error())
	}
	return stored, nil
}

// checkStack looks for everything that a stack names, once until something is
// found to be gone.
func (s *Store) checkStack(k *Stack) error {
	var checked []*Stack
	for ; k != nil && !s.stacks.isWhole(k); k = k.Below {
		if err := s.checkLayers(k.Layers); err != nil {
			return err
		}
		checked = append(checked, k)
	}
	for _, k := range checked {
		s.stacks.setWhole(k)
	}
	return nil
}
