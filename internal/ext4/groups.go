package ext4

import "math/bits"

// Flags of a group: its bitmap was never written.
const (
	inodesUninit = 0x1
	blocksUninit = 0x2
)

// A bitmap has a bit for each of a row of things, the lowest bit of a byte first,
// as on disk.
type bitmap []byte

func newBitmap(n uint64) bitmap    { return make(bitmap, (n+7)/8) }
func (b bitmap) has(i uint64) bool { return b[i/8]&(1<<(i%8)) != 0 }
func (b bitmap) set(i uint64)      { b[i/8] |= 1 << (i % 8) }
func (b bitmap) clear(i uint64)    { b[i/8] &^= 1 << (i % 8) }
func (b bitmap) setRange(from, to uint64) {
	for ; from < to; from++ {
		b.set(from)
	}
}

// count returns how many are not set of those from from to before to.
func (b bitmap) free(from, to uint64) (n uint64) {
	for ; from < to && from%8 != 0; from++ {
		if !b.has(from) {
			n++
		}
	}
	for ; from+8 <= to; from += 8 {
		n += uint64(8 - bits.OnesCount8(b[from/8]))
	}
	for ; from < to; from++ {
		if !b.has(from) {
			n++
		}
	}
	return n
}

// desc returns the descriptor of a group.
func (v *volume) desc(g int) []byte { return v.descs[g*v.descSize:][:v.descSize] }

// wide returns a number of a descriptor whose upper half is elsewhere.
func (v *volume) wide(g, low, high int) uint64 {
	d := v.desc(g)
	n := uint64(le.Uint32(d[low:]))
	if v.descSize == 64 {
		n |= uint64(le.Uint32(d[high:])) << 32
	}
	return n
}

func (v *volume) blockBitmap(g int) uint64 { return v.wide(g, 0x0, 0x20) }
func (v *volume) inodeBitmap(g int) uint64 { return v.wide(g, 0x4, 0x24) }
func (v *volume) inodeTable(g int) uint64  { return v.wide(g, 0x8, 0x28) }

func (v *volume) half(g, low, high int) uint64 {
	d := v.desc(g)
	n := uint64(le.Uint16(d[low:]))
	if v.descSize == 64 {
		n |= uint64(le.Uint16(d[high:])) << 16
	}
	return n
}

func (v *volume) setHalf(g, low, high int, n uint64) {
	d := v.desc(g)
	le.PutUint16(d[low:], uint16(n))
	if v.descSize == 64 {
		le.PutUint16(d[high:], uint16(n>>16))
	}
}

// blocksOf returns where the bits of a group's blocks are.
func (v *volume) blocksOf(g int) (from, to uint64) {
	from = uint64(g) * v.blocksPerGroup
	return from, min(from+v.blocksPerGroup, v.blocks-v.first)
}

// tableBlocks is how many blocks the inode table of a group has.
func (v *volume) tableBlocks() uint64 { return v.inodesPerGroup * inodeSize / uint64(v.blockSize) }

// readBitmaps reads those that are there, and finds out what the others would say.
func (v *volume) readBitmaps() error {
	v.used = newBitmap(uint64(v.groups) * v.blocksPerGroup)
	v.inodes = newBitmap(uint64(v.groups) * v.inodesPerGroup)
	v.markMetadata()
	block := make([]byte, v.blockSize)
	for g := range v.groups {
		flags := le.Uint16(v.desc(g)[0x12:])
		if flags&blocksUninit == 0 || !v.checksums {
			if err := v.read(v.blockBitmap(g), block); err != nil {
				return err
			}
			from, _ := v.blocksOf(g)
			copy(v.used[from/8:], block[:v.blocksPerGroup/8])
		}
		if flags&inodesUninit == 0 || !v.checksums {
			if err := v.read(v.inodeBitmap(g), block); err != nil {
				return err
			}
			copy(v.inodes[uint64(g)*v.inodesPerGroup/8:], block[:v.inodesPerGroup/8])
		}
		from, to := v.blocksOf(g)
		if free := v.used.free(from, to); free != v.half(g, 0xC, 0x2C) {
			return unsupported("group %d has %d free blocks, not %d as it says", g, free, v.half(g, 0xC, 0x2C))
		}
		firstInode := uint64(g) * v.inodesPerGroup
		if free := v.inodes.free(firstInode, firstInode+v.inodesPerGroup); free != v.half(g, 0xE, 0x2E) {
			return unsupported("group %d has %d free inodes, not %d as it says", g, free, v.half(g, 0xE, 0x2E))
		}
	}
	if last := v.inodes.free(0, uint64(len(v.inodes))*8); last != uint64(v.groups)*v.inodesPerGroup-lostFound {
		return unsupported("the filesystem is not a new one")
	}
	return nil
}

// markMetadata sets the bits of all blocks that are no one's: superblocks, group
// descriptors, bitmaps and inode tables.
func (v *volume) markMetadata() {
	descBlocks := (uint64(v.groups*v.descSize) + uint64(v.blockSize) - 1) / uint64(v.blockSize)
	copies := 1 + descBlocks + uint64(le.Uint16(v.super[0xCE:]))
	for g := range v.groups {
		if from, to := v.blocksOf(g); hasSuper(g) {
			v.used.setRange(from, min(from+copies, to))
		}
		v.used.set(v.blockBitmap(g) - v.first)
		v.used.set(v.inodeBitmap(g) - v.first)
		table := v.inodeTable(g) - v.first
		v.used.setRange(table, table+v.tableBlocks())
	}
}

// hasSuper reports whether a group has a copy of the superblock: the first two, and
// powers of 3, 5 and 7.
func hasSuper(g int) bool {
	if g <= 1 {
		return true
	}
	for _, base := range []int{3, 5, 7} {
		power := base
		for power < g {
			power *= base
		}
		if power == g {
			return true
		}
	}
	return false
}

// flushGroup writes the bitmaps of a group and completes its descriptor. A group of
// which nothing is in use stays as it was.
func (v *volume) flushGroup(g int) (freeBlocks, freeInodes uint64, err error) {
	d := v.desc(g)
	from, to := v.blocksOf(g)
	freeBlocks = v.used.free(from, to)
	firstInode := uint64(g) * v.inodesPerGroup
	freeInodes = v.inodes.free(firstInode, firstInode+v.inodesPerGroup)
	flags := le.Uint16(d[0x12:])
	if freeBlocks != v.half(g, 0xC, 0x2C) {
		flags &^= blocksUninit
	}
	if freeInodes != v.half(g, 0xE, 0x2E) {
		flags &^= inodesUninit
	}
	if flags&blocksUninit == 0 {
		if err := v.flushBitmap(g, v.blockBitmap(g), v.used[from/8:][:v.blocksPerGroup/8], to-from, 0x18, 0x38); err != nil {
			return 0, 0, err
		}
	}
	if flags&inodesUninit == 0 {
		if err := v.flushBitmap(g, v.inodeBitmap(g), v.inodes[firstInode/8:][:v.inodesPerGroup/8], v.inodesPerGroup, 0x1A, 0x3A); err != nil {
			return 0, 0, err
		}
		last := v.inodesPerGroup
		for last > 0 && !v.inodes.has(firstInode+last-1) {
			last--
		}
		if v.checksums {
			v.setHalf(g, 0x1C, 0x32, v.inodesPerGroup-last)
		}
	}
	le.PutUint16(d[0x12:], flags)
	v.setHalf(g, 0xC, 0x2C, freeBlocks)
	v.setHalf(g, 0xE, 0x2E, freeInodes)
	v.setHalf(g, 0x10, 0x30, v.half(g, 0x10, 0x30)+uint64(v.dirs[g]))
	if v.checksums {
		var number [4]byte
		le.PutUint32(number[:], uint32(g))
		le.PutUint16(d[0x1E:], 0)
		le.PutUint16(d[0x1E:], uint16(checksum(checksum(v.seed, number[:]), d)))
	}
	return freeBlocks, freeInodes, nil
}

// flushBitmap writes a bitmap of which the first bits mean something; those behind
// them are set.
func (v *volume) flushBitmap(g int, block uint64, b bitmap, meant uint64, low, high int) error {
	full := make(bitmap, v.blockSize)
	copy(full, b)
	full.setRange(meant, uint64(len(full))*8)
	if v.checksums {
		v.setHalf(g, low, high, uint64(checksum(v.seed, full[:len(b)])))
	}
	return v.write(block, full)
}
