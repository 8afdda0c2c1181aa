package share

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/cache/remote"
)

// packFormat changes with the meaning of anything in a pack.
const packFormat = "dibgraph-pack-1"

// Limits of a pack, which come from nobody who is trusted: its compressed and
// its plain size in bytes. A node takes about 2 KiB of the first and 20 KiB of
// the second.
const (
	maxPack      = 64 << 20
	maxPlainPack = 1 << 30
)

// A pack is the payload of a named object.
type pack struct {
	Format string `json:"format"`
	Image  string `json:"image"`
	Arch   string `json:"arch"`
	// Records are texts of [cache.Record.Text], in the order of the nodes, newer
	// ones of a node first.
	Records []string `json:"records"`
	// Blobs are small outputs, and the stacks of the records.
	Blobs [][]byte `json:"blobs,omitempty"`
	// Spots say where content is. What has none was not sent.
	Spots map[cache.Digest]spot `json:"spots,omitempty"`
}

// A spot is where content is in a remote.
type spot struct {
	Parcel remote.Content `json:"parcel"`
	// Offset is where in the parcel, in bytes, the part begins that is the
	// content in its transferred form.
	Offset int64          `json:"offset,omitempty"`
	Part   remote.Content `json:"part"`
	// Form is how the part is encoded, layerForm for layers.
	Form string `json:"form"`
	// Size is that of the blob, or of all content of the layer, in bytes.
	Size int64 `json:"size,omitempty"`
}

// layerForm is the form of layers; blobs have an encoding of package wire.
const layerForm = "layer"

func (p *pack) encode() ([]byte, error) {
	plain, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	// Packs are small, and a build waits for the one it begins with.
	w, err := zstd.NewWriter(&b, zstd.WithEncoderLevel(zstd.SpeedBetterCompression), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	_, err = w.Write(plain)
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func decodePack(data []byte) (*pack, error) {
	r, err := zstd.NewReader(bytes.NewReader(data), zstd.WithDecoderMaxMemory(maxPlainPack), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	plain, err := io.ReadAll(io.LimitReader(r, maxPlainPack+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("unpack: %w", err)
	case len(plain) > maxPlainPack:
		return nil, fmt.Errorf("it has more than %d bytes", maxPlainPack)
	}
	var p pack
	if err := json.Unmarshal(plain, &p); err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	if p.Format != packFormat {
		return nil, fmt.Errorf("it is of format %q, and this dibgraph reads %q", p.Format, packFormat)
	}
	return &p, p.check()
}

// check finds spots that cannot be.
func (p *pack) check() error {
	for d, s := range p.Spots {
		if s.Offset < 0 || s.Part.Size < 0 || s.Size < 0 || s.Offset > s.Parcel.Size-s.Part.Size {
			return fmt.Errorf("the spot of %s is outside its parcel", d.Short())
		}
	}
	return nil
}

// contents returns the parcels that a pack leads to, each once.
func (p *pack) contents() []remote.Content {
	seen := make(map[remote.Content]bool)
	for _, s := range p.Spots {
		seen[s.Parcel] = true
	}
	return sortedContents(seen)
}
