package qcow2

import (
	"github.com/klauspost/compress/zstd"

	"github.com/dibgraph/dibgraph/internal/deflate"
)

// slack is by how much compressed data may exceed a cluster, so that a
// compressor finds out without another allocation: 18 bytes of frame header, 3 for
// each of 32 blocks of 64 KiB in the largest cluster.
const slack = 256

// A compressor makes clusters smaller. It belongs to one worker.
type compressor interface {
	// compress writes to to, which has room for a cluster and slack, and returns
	// what it wrote; nil if that is not smaller than the cluster.
	compress(to, cluster []byte) ([]byte, error)
}

// newCompressor returns nil for images without compression.
func newCompressor(o Options) (compressor, error) {
	switch o.Compression {
	case Zlib:
		return new(deflater), nil
	case Zstd:
		e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false),
			zstd.WithEncoderLevel(zstdLevel(o)), zstd.WithWindowSize(max(o.ClusterSize, zstd.MinWindowSize)))
		return &zstandard{e}, err
	}
	return nil, nil
}

// compressorMemory is what a compressor takes at most, by its tables.
func compressorMemory(o Options) int {
	switch {
	case o.Compression == Zlib:
		return 256 << 10
	case o.Compression == Zstd && zstdLevel(o) == zstd.SpeedBetterCompression:
		return 6<<20 + 4*o.ClusterSize
	case o.Compression == Zstd:
		return 2<<20 + 4*o.ClusterSize
	}
	return 0
}

// zstdLevel leaves the library's best level out: its tables take 34 MiB, and
// are made for inputs much larger than a cluster.
func zstdLevel(o Options) zstd.EncoderLevel {
	switch {
	case o.Level == 0:
		return zstd.SpeedDefault
	case o.Level < 3:
		return zstd.SpeedFastest
	case o.Level < 7:
		return zstd.SpeedDefault
	}
	return zstd.SpeedBetterCompression
}

type deflater struct{ e deflate.Encoder }

func (d *deflater) compress(to, cluster []byte) ([]byte, error) {
	if n, ok := d.e.Encode(to[:len(cluster)-1], cluster); ok {
		return to[:n], nil
	}
	return nil, nil
}

type zstandard struct{ e *zstd.Encoder }

func (z *zstandard) compress(to, cluster []byte) ([]byte, error) {
	if to = z.e.EncodeAll(cluster, to[:0]); len(to) >= len(cluster) {
		return nil, nil
	}
	return to, nil
}
