package ext4

import (
	"cmp"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// chunk is what larger files and the files of each rank are aligned to: the
// clusters of a qcow2 image.
const chunk = 64 << 10

// maxExtent is how many blocks an extent has at most.
const maxExtent = 32768

// An extent is a run of blocks of a file.
type extent struct {
	logical uint32
	length  uint32
	block   uint64
}

// An allocator gives out free blocks in ascending order.
type allocator struct {
	v       *volume
	next    uint64 // counts from the first block, as v.used does
	aligned bool
}

var errFull = fmt.Errorf("the tree does not fit: %w", unix.ENOSPC)

// chunkBlocks is how many blocks a chunk has.
func (a *allocator) chunkBlocks() uint64 { return uint64(chunk / a.v.blockSize) }

// phase returns how far a block is from the start of a chunk of the disk.
func (a *allocator) phase(next uint64) uint64 {
	disk := uint64(a.v.offset)/uint64(a.v.blockSize) + a.v.first + next
	return disk % a.chunkBlocks()
}

// align moves on to the start of a chunk.
func (a *allocator) align() {
	if past := a.phase(a.next); a.aligned && past > 0 {
		a.next += a.chunkBlocks() - past
	}
}

// take gives out blocks for n logical ones from logical on. Those of files that keep
// step are as far from the start of a chunk on disk as in the file.
func (a *allocator) take(extents []extent, logical, n uint64, keepStep bool) ([]extent, error) {
	end := a.v.blocks - a.v.first
	for n > 0 {
		for a.next < end && (a.v.used.has(a.next) || keepStep && a.aligned && a.phase(a.next) != logical%a.chunkBlocks()) {
			a.next++
		}
		run := uint64(0)
		for run < n && run < maxExtent && a.next+run < end && !a.v.used.has(a.next+run) {
			a.v.used.set(a.next + run)
			run++
		}
		if run == 0 {
			return nil, errFull
		}
		block := a.v.first + a.next
		if last := len(extents) - 1; last >= 0 && extents[last].follows(logical, block, run) {
			extents[last].length += uint32(run)
		} else {
			extents = append(extents, extent{uint32(logical), uint32(run), block})
		}
		a.next, logical, n = a.next+run, logical+run, n-run
	}
	return extents, nil
}

func (e extent) follows(logical, block, length uint64) bool {
	return uint64(e.logical+e.length) == logical && e.block+uint64(e.length) == block && uint64(e.length)+length <= maxExtent
}

// number sorts nodes by rank, and gives them their inodes in this order. The root, which
// has the first one, is the first that was listed, and of the lowest rank.
func (v *volume) number(all []*node) error {
	slices.SortStableFunc(all, func(a, b *node) int { return cmp.Compare(a.rank, b.rank) })
	next := uint64(lostFound)
	for _, n := range all {
		if n.name == "" {
			n.inode = rootInode
			continue
		}
		if next == uint64(v.groups)*v.inodesPerGroup {
			return fmt.Errorf("the tree has %d files, and the filesystem only %d inodes: %w", len(all), next-lostFound, unix.ENOSPC)
		}
		v.inodes.set(next)
		next++
		n.inode = uint32(next)
		if n.kind() == unix.S_IFDIR {
			v.dirs[(next-1)/v.inodesPerGroup]++
		}
	}
	return nil
}

// place gives every node its blocks: in steps of chunks if that leaves enough of the
// filesystem free, else densely.
func (v *volume) place(all []*node) error {
	before := slices.Clone(v.used)
	err := v.placeAll(all, &allocator{v: v, aligned: true})
	if total := v.blocks - v.first; err == nil && v.used.free(0, total) >= total/16 {
		return nil
	}
	copy(v.used, before)
	return v.placeAll(all, &allocator{v: v})
}

func (v *volume) placeAll(all []*node, a *allocator) error {
	for _, n := range all {
		if err := n.placeMetadata(a); err != nil {
			return err
		}
	}
	for ranked := range chunksBy(all, func(n *node) int { return n.rank }) {
		a.align()
		for _, large := range []bool{false, true} {
			for _, n := range ranked {
				if n.kind() == unix.S_IFREG && (n.bytes() >= chunk) == large {
					if err := n.placeData(a, large); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// chunksBy yields the runs of elements that have the same value.
func chunksBy[T any](all []T, value func(T) int) func(yield func([]T) bool) {
	return func(yield func([]T) bool) {
		for len(all) > 0 {
			n := 1
			for n < len(all) && value(all[n]) == value(all[0]) {
				n++
			}
			if !yield(all[:n]) {
				return
			}
			all = all[n:]
		}
	}
}

// bytes is how much of a file is no hole.
func (n *node) bytes() (sum int64) {
	for _, p := range n.data() {
		sum += p.end - p.start
	}
	return sum
}

// placeMetadata places what is no data of a file.
func (n *node) placeMetadata(a *allocator) (err error) {
	n.extents = nil
	if n.rare != &none { // it may be the second time
		n.rare.leaves, n.rare.attrAt = nil, 0
	}
	size := uint64(a.v.blockSize)
	if blocks := (uint64(n.rare.length) + size - 1) / size; blocks > 0 {
		if n.extents, err = a.take(nil, 0, blocks, false); err != nil {
			return err
		}
	}
	if attrSize(n.rare.attrs) > attrRoom && len(n.rare.attrs) > 0 {
		one, err := a.take(nil, 0, 1, false)
		if err != nil {
			return err
		}
		n.rare.attrAt = one[0].block
	}
	return n.placeLeaves(a)
}

func (n *node) placeData(a *allocator, large bool) (err error) {
	size := int64(a.v.blockSize)
	for _, p := range n.data() {
		n.extents, err = a.take(n.extents, uint64(p.start/size), uint64((p.end-p.start+size-1)/size), large)
		if err != nil {
			return err
		}
	}
	return n.placeLeaves(a)
}

// placeLeaves places the blocks of an extent tree that does not fit into the inode.
func (n *node) placeLeaves(a *allocator) error {
	for range n.treeBlocks(a.v.extentLimit()) - len(n.rare.leaves) {
		one, err := a.take(nil, 0, 1, false)
		if err != nil {
			return err
		}
		own := n.own()
		own.leaves = append(own.leaves, one[0].block)
	}
	return nil
}
