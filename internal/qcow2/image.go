package qcow2

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"os"
)

const (
	// copied marks a cluster with a reference count of one in the L1 table, and
	// standard ones in L2 tables.
	copied = 1 << 63
	// compressed marks an L2 entry that is a compressed cluster descriptor.
	compressed = 1 << 62
	sectorSize = 512
	entrySize  = 8
)

// An image is laid out while guest clusters are added to it, in ascending
// order.
type image struct {
	out         *output
	compression string
	size        int64 // of the guest, in bytes
	clusterSize int64
	clusterBits int

	// next is the host cluster that is given out next.
	next int64
	// packed is the offset behind the last compressed cluster. The rest of its
	// host cluster is free, and is used as long as it is enough.
	packed int64
	// last is where the last compressed cluster begins.
	last int64

	l1 []byte
	// l2 is the table that is being filled, that of L1 entry l2Index.
	l2      []byte
	l2Index int64
	// waiting are standard clusters that have no place yet, data theirs, one after
	// the other. In between compressed ones, each would cost the rest of the host
	// cluster that is being packed; so do many together.
	waiting []int64
	data    []byte
	refs    refcounts
}

// waitingSize is how many bytes of standard clusters wait.
const waitingSize = 2 << 20

func newImage(w *os.File, size int64, o Options) (*image, error) {
	if err := w.Truncate(0); err != nil {
		return nil, err
	}
	c := int64(o.ClusterSize)
	im := &image{
		out: newOutput(w), compression: o.Compression, size: roundUp(size, sectorSize),
		clusterSize: c, clusterBits: bits.TrailingZeros64(uint64(c)),
		l2: make([]byte, c), l2Index: -1, data: make([]byte, 0, max(c, waitingSize)), refs: refcounts{clusterSize: c},
	}
	perTable := c / entrySize * c
	l1Size := max(1, roundUp(im.size, perTable)/perTable) * entrySize
	if l1Size > maxL1Size {
		return nil, fmt.Errorf("%d bytes are too many for clusters of %d: at most %d", size, c, maxL1Size/entrySize*perTable)
	}
	im.l1 = make([]byte, l1Size)
	im.allocate(1 + roundUp(l1Size, c)/c)
	return im, nil
}

// allocate returns the offset of n new host clusters with one reference each.
func (im *image) allocate(n int64) int64 {
	at := im.next * im.clusterSize
	im.refs.add(im.next, im.next+n)
	im.next += n
	return at
}

// add stores a guest cluster; one that is zero needs no entry.
func (im *image) add(guest int64, c cluster) error {
	if c.data == nil {
		return nil
	}
	perTable := im.clusterSize / entrySize
	if index := guest / perTable; index != im.l2Index {
		if err := im.endTable(); err != nil {
			return err
		}
		im.l2Index = index
	}
	if c.compressed {
		entry, err := im.pack(c.data)
		if err != nil {
			return err
		}
		im.setEntry(guest, entry)
		return im.retire()
	}
	im.waiting, im.data = append(im.waiting, guest), append(im.data, c.data...)
	if len(im.data) < waitingSize {
		return nil
	}
	return im.place()
}

// setEntry sets an entry of the L2 table that is being filled.
func (im *image) setEntry(guest int64, entry uint64) {
	perTable := im.clusterSize / entrySize
	binary.BigEndian.PutUint64(im.l2[guest%perTable*entrySize:], entry)
}

// place stores the clusters that wait.
func (im *image) place() error {
	for i, guest := range im.waiting {
		entry, err := im.standard(im.data[int64(i)*im.clusterSize:][:im.clusterSize])
		if err != nil {
			return err
		}
		im.setEntry(guest, entry)
		if err := im.retire(); err != nil {
			return err
		}
	}
	im.waiting, im.data = im.waiting[:0], im.data[:0]
	return nil
}

// standard stores a cluster as it is.
func (im *image) standard(data []byte) (entry uint64, err error) {
	at := im.allocate(1)
	return uint64(at) | copied, im.out.put(at, data)
}

// pack stores a compressed cluster directly behind the last one. If it does
// not fit there and other things follow, it starts a new host cluster: it
// has to be in one piece.
func (im *image) pack(data []byte) (entry uint64, err error) {
	at, size := im.packed, int64(len(data))
	free := roundUp(at, im.clusterSize) - at
	if size > free && at+free != im.next*im.clusterSize {
		at = im.next * im.clusterSize
	}
	end := at + size
	last := (end - 1) / im.clusterSize
	im.refs.add(at/im.clusterSize, last+1)
	im.next = max(im.next, last+1)
	im.packed, im.last = end, at
	// The descriptor's number of sectors does not count the one where the data
	// begins. How many bits it has depends on the size of clusters.
	sectors := (end-1)/sectorSize - at/sectorSize
	shift := 62 - (im.clusterBits - 8)
	return uint64(at) | uint64(sectors)<<shift | compressed, im.out.put(at, data)
}

// endTable writes the L2 table behind the clusters that it maps.
func (im *image) endTable() error {
	if im.l2Index < 0 {
		return nil
	}
	if err := im.place(); err != nil {
		return err
	}
	entry, err := im.standard(im.l2)
	if err != nil {
		return err
	}
	binary.BigEndian.PutUint64(im.l1[im.l2Index*entrySize:], entry)
	clear(im.l2)
	return nil
}

// retire writes the refcount blocks whose clusters are all given out. To pack
// more into the last host cluster of one would change its count, so that is over.
func (im *image) retire() error {
	for im.refs.full(im.next) {
		if im.refs.counts(im.packed / im.clusterSize) {
			im.packed = 0
		}
		at := im.allocate(1)
		if err := im.out.put(at, im.refs.take(at)); err != nil {
			return err
		}
	}
	return nil
}

// finish writes what is left. The header comes last, so that an unfinished
// file is not taken for an image.
func (im *image) finish() error {
	if err := im.endTable(); err != nil {
		return err
	}
	if err := im.retire(); err != nil {
		return err
	}
	table, clusters, err := im.writeRefcounts()
	if err != nil {
		return err
	}
	if err := im.out.end(im.next * im.clusterSize); err != nil {
		return err
	}
	if err := im.out.put(im.clusterSize, im.l1); err != nil {
		return err
	}
	return im.out.put(0, im.header(table, clusters))
}

// writeRefcounts writes the blocks that are left and the table. They count
// themselves, so how many there are is found by trying.
func (im *image) writeRefcounts() (table, clusters int64, err error) {
	var blocks int64
	for end := im.next; ; {
		blocks = roundUp(end, im.refs.perBlock()) / im.refs.perBlock()
		clusters = roundUp(blocks*entrySize, im.clusterSize) / im.clusterSize
		now := im.next + blocks - im.refs.written() + clusters
		if now == end {
			break
		}
		end = now
	}
	if blocks*entrySize > maxRefcountTableSize {
		return 0, 0, fmt.Errorf("the image is too large for clusters of %d bytes", im.clusterSize)
	}
	at := im.allocate(blocks - im.refs.written() + clusters)
	for ; im.refs.written() < blocks; at += im.clusterSize {
		if err := im.out.put(at, im.refs.take(at)); err != nil {
			return 0, 0, err
		}
	}
	return at, clusters, im.out.put(at, im.refs.table)
}
