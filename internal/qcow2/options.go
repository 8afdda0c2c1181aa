package qcow2

import (
	"fmt"
	"math/bits"
	"runtime"
)

// Version names what decides the bytes of an image apart from the options. It
// changes whenever [Write] makes another file of the same input, be it because
// of this package, of deflate, or because of the compression library.
const Version = "2"

// The compression types of the format, and none.
const (
	Zlib = "zlib"
	Zstd = "zstd"
	None = "none"
)

// Options say how an image is written. The zero value is what every reader of
// the format understands: zlib, clusters of 64 KiB.
type Options struct {
	// Compression is [Zlib], which is the default, [Zstd], which needs QEMU 5.1
	// to read, or [None].
	Compression string
	// Level is that of zstd's command line, 1 to 22, of which 1, 3 and 7 make
	// a difference: others are as the next lower one of these. 0 is the default, 3.
	// Zlib has one level, so that 0 is its only value.
	Level int
	// ClusterSize in bytes is a power of two from 512 to 2 MiB. 0 is 64 KiB.
	ClusterSize int
	// Workers is how many clusters are compressed at a time. 0 is the number of
	// processors. There are fewer when they would need too much memory.
	Workers int
	// Reuse, if not nil, saves compressing what an earlier image has already.
	Reuse *Reuse
}

// Limits of the format as QEMU reads it (docs/interop/qcow2.txt; block/qcow2.h).
const (
	minClusterSize       = 512
	maxClusterSize       = 2 << 20
	maxL1Size            = 32 << 20
	maxRefcountTableSize = 8 << 20
)

const (
	defaultClusterSize = 64 << 10
	// memoryLimit is what batches and compressors may take together. With the
	// tables and the write buffer, all stays below 64 MiB; indexes of clusters
	// come to that, 1 MiB for each GiB of content.
	memoryLimit = 48 << 20
	// batchSize is how much a worker reads at a time: little enough to stay in
	// the processor's cache, enough to make system calls and hand-overs rare.
	batchSize = 256 << 10
)

// Check reports what is wrong with the options, as Write would.
func (o Options) Check() error {
	_, err := o.complete()
	return err
}

// complete checks o and fills in the defaults.
func (o Options) complete() (Options, error) {
	if o.ClusterSize == 0 {
		o.ClusterSize = defaultClusterSize
	}
	if o.ClusterSize < minClusterSize || o.ClusterSize > maxClusterSize || bits.OnesCount(uint(o.ClusterSize)) != 1 {
		return o, fmt.Errorf("cluster size %d is not a power of two from %d to %d", o.ClusterSize, minClusterSize, maxClusterSize)
	}
	if o.Compression == "" {
		o.Compression = Zlib
	}
	highest, ok := map[string]int{Zlib: 0, Zstd: 22, None: 0}[o.Compression]
	if !ok {
		return o, fmt.Errorf("compression %q is none of zlib, zstd, none", o.Compression)
	}
	if o.Level < 0 || o.Level > highest {
		return o, fmt.Errorf("level %d of compression %q is not in 0 to %d", o.Level, o.Compression, highest)
	}
	if o.Workers < 0 {
		return o, fmt.Errorf("number of workers is negative: %d", o.Workers)
	}
	if o.Workers == 0 {
		o.Workers = runtime.NumCPU()
	}
	each := fewestBatches*o.batchMemory() + compressorMemory(o)
	o.Workers = max(1, min(o.Workers, memoryLimit/each))
	return o, nil
}

// How many batches there are for each worker: at least one in work and one being
// stored; more, if there is memory, so that a batch that takes long, before whose end
// none behind it is stored, does not keep the other workers waiting.
const (
	fewestBatches = 2
	mostBatches   = 8
)

// batches is how many batches there are.
func (o Options) batches() int {
	room := (memoryLimit - o.Workers*compressorMemory(o)) / o.batchMemory()
	return max(fewestBatches*o.Workers, min(mostBatches*o.Workers, room))
}

// batchClusters is how many clusters a batch has.
func (o Options) batchClusters() int { return max(1, batchSize/o.ClusterSize) }

func (o Options) batchMemory() int {
	return o.batchClusters() * (2*o.ClusterSize + slack)
}
