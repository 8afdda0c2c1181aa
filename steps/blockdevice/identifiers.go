package blockdevice

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/dibgraph/dibgraph/internal/partition"
)

// derive returns 32 bytes that nobody else gets: different for every purpose,
// every name and every seed, the same whenever all three are.
func (p Params) derive(purpose, name string) [32]byte {
	h := hmac.New(sha256.New, p.Seed[:])
	fmt.Fprintf(h, "%s\x00%s", purpose, name)
	return [32]byte(h.Sum(nil))
}

// guid returns an identifier of the form of a random one (RFC 9562, version 4).
func (p Params) guid(purpose, name string) partition.GUID {
	sum := p.derive(purpose, name)
	g := partition.GUID(sum[:16])
	g[6] = g[6]&0x0F | 0x40
	g[8] = g[8]&0x3F | 0x80
	return g
}

// uint32 returns a number that is not 0.
func (p Params) uint32(purpose, name string) uint32 {
	sum := p.derive(purpose, name)
	return max(binary.LittleEndian.Uint32(sum[:]), 1)
}
