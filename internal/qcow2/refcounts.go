package qcow2

import "encoding/binary"

// refcountSize is the bytes of a reference count: 16 bits are the order that
// all readers know. A host cluster of 2 MiB holds at most 2 MiB / 74 compressed ones,
// since zstd takes 3 bytes of header and one of content for each 128 KiB; that fits.
const refcountSize = 2

// refcounts are the reference counts of all host clusters, of which only the
// blocks that may still change are kept.
type refcounts struct {
	clusterSize int64
	// table has the offset of each block that was taken, in the form of the file.
	table []byte
	// open are the blocks behind those, in the form of the file.
	open [][]byte
}

func (r *refcounts) perBlock() int64 { return r.clusterSize / refcountSize }

// written is the number of blocks that were taken.
func (r *refcounts) written() int64 { return int64(len(r.table)) / entrySize }

// add counts one more reference to each host cluster from first to before end.
func (r *refcounts) add(first, end int64) {
	for c := first; c < end; c++ {
		i := c/r.perBlock() - r.written()
		for i >= int64(len(r.open)) {
			r.open = append(r.open, make([]byte, r.clusterSize))
		}
		at := r.open[i][c%r.perBlock()*refcountSize:]
		binary.BigEndian.PutUint16(at, binary.BigEndian.Uint16(at)+1)
	}
}

// full reports whether all clusters of the first open block were given out,
// next being the first that was not.
func (r *refcounts) full(next int64) bool { return next/r.perBlock() > r.written() }

// counts reports whether the first open block counts the host cluster.
func (r *refcounts) counts(cluster int64) bool { return cluster/r.perBlock() == r.written() }

// take returns the first open block, which is to be written at offset at.
func (r *refcounts) take(at int64) []byte {
	block := r.open[0]
	r.open = r.open[1:]
	r.table = binary.BigEndian.AppendUint64(r.table, uint64(at))
	return block
}
