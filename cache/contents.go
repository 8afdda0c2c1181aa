package cache

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Held is a record in the store, with what it takes and what it saves.
type Held struct {
	Key    Key           `json:"key"`
	Image  string        `json:"image"`
	Node   string        `json:"node"`
	Kind   string        `json:"kind"`
	Bytes  int64         `json:"bytes"` // of the record, the layer its run left, and its outputs
	Used   time.Time     `json:"used"`
	Saves  time.Duration `json:"saves"` // how long the run took that a hit makes unnecessary
	Pinned bool          `json:"pinned"`
}

// Contents returns all records, sorted by image, node and key.
func (s *Store) Contents(ctx context.Context) ([]Held, error) {
	inv, err := s.takeInventory(newMeter(ctx))
	if err != nil {
		return nil, fmt.Errorf("list store %q: %w", s.dir, err)
	}
	pinned, err := s.pinnedKeys()
	if err != nil {
		return nil, err
	}
	held := make([]Held, len(inv.records))
	for i, r := range inv.records {
		held[i] = Held{
			Key: r.key, Image: r.image, Node: r.node, Kind: r.kind, Bytes: r.bytes + inv.ownBytes(&r),
			Used: r.used, Saves: r.took, Pinned: pinned[r.key],
		}
	}
	slices.SortFunc(held, func(a, b Held) int {
		if c := strings.Compare(a.Image, b.Image); c != 0 {
			return c
		}
		if c := strings.Compare(a.Node, b.Node); c != 0 {
			return c
		}
		return slices.Compare(a.Key[:], b.Key[:])
	})
	return held, nil
}

// ownBytes returns what the layer and the outputs of a record take.
func (inv *inventory) ownBytes(r *heldRecord) int64 {
	parts := inv.parts(nil, blobsDir, r.outputs...)
	if !r.own.IsZero() {
		parts = inv.parts(parts, layersDir, r.own)
	}
	slices.Sort(parts)
	var bytes int64
	for _, p := range slices.Compact(parts) {
		bytes += inv.objects[p].bytes
	}
	return bytes
}
