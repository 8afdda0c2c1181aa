package qcow2

import (
	"errors"
	"fmt"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
)

// deflateWindow is how far back zlib's readers of the format can look: they
// inflate with 12 window bits.
const deflateWindow = 1 << 12

// deflateBlock is after how many bytes a new Huffman code is made. On images of
// programs and documents, 32 KiB took 0.5 % less than a block for a cluster of 64 KiB.
const deflateBlock = 32 << 10

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
		w, err := flate.NewWriterWindow(nil, deflateWindow)
		return &deflater{w: w}, err
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
		return 1 << 20
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

type deflater struct {
	w  *flate.Writer
	to limited
}

func (d *deflater) compress(to, cluster []byte) ([]byte, error) {
	d.to = to[: 0 : len(cluster)-1]
	d.w.Reset(&d.to)
	if err := d.write(cluster); errors.Is(err, errFull) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("deflate: %w", err)
	}
	return d.to, nil
}

func (d *deflater) write(cluster []byte) error {
	for len(cluster) > deflateBlock {
		if _, err := d.w.Write(cluster[:deflateBlock]); err != nil {
			return err
		}
		if err := d.w.Flush(); err != nil {
			return err
		}
		cluster = cluster[deflateBlock:]
	}
	if _, err := d.w.Write(cluster); err != nil {
		return err
	}
	return d.w.Close()
}

var errFull = errors.New("no room left")

// limited takes as many bytes as its capacity.
type limited []byte

func (l *limited) Write(p []byte) (int, error) {
	if len(p) > cap(*l)-len(*l) {
		return 0, errFull
	}
	*l = append(*l, p...)
	return len(p), nil
}

type zstandard struct{ e *zstd.Encoder }

func (z *zstandard) compress(to, cluster []byte) ([]byte, error) {
	if to = z.e.EncodeAll(cluster, to[:0]); len(to) >= len(cluster) {
		return nil, nil
	}
	return to, nil
}
