package ext4

import (
	"slices"

	"golang.org/x/sys/unix"
)

// Flags of an inode.
const (
	flagIndex   = 0x1000
	flagExtents = 0x80000
)

const (
	extentMagic = 0xF30A
	extentSize  = 12
	// inlineExtents is how many entries of the extent tree an inode holds.
	inlineExtents = 4
	// inlineLink is below which length an inode holds the target of a link.
	inlineLink = 60
	// maxLinks is how many names a file can have. A directory with more
	// subdirectories has 1, which stands for many.
	maxLinks = 65000
)

// putInode writes the inode of a node to b, which is of zeros, in the form of the disk.
func (v *volume) putInode(b []byte, n *node) {
	le.PutUint16(b[0x0:], uint16(n.mode))
	le.PutUint16(b[0x2:], uint16(n.uid))
	le.PutUint16(b[0x78:], uint16(n.uid>>16))
	le.PutUint16(b[0x18:], uint16(n.gid))
	le.PutUint16(b[0x7A:], uint16(n.gid>>16))
	size := v.size(n)
	le.PutUint32(b[0x4:], uint32(size))
	le.PutUint32(b[0x6C:], uint32(size>>32))
	le.PutUint16(b[0x1A:], n.linkCount())
	sectors := n.blocks() * uint64(v.blockSize/512)
	le.PutUint32(b[0x1C:], uint32(sectors))
	le.PutUint16(b[0x74:], uint16(sectors>>32))
	le.PutUint32(b[0x20:], v.fill(b[0x28:0x64], n))
	le.PutUint32(b[0x68:], uint32(n.rare.attrAt))
	le.PutUint16(b[0x76:], uint16(n.rare.attrAt>>32))
	le.PutUint16(b[0x80:], extraISize)
	// A copy is as old as what it is a copy of: the times of access and of the
	// copy itself would be others each time.
	seconds, extra := diskTime(n.modified)
	for _, at := range []int{0x8, 0xC, 0x10, 0x90} {
		le.PutUint32(b[at:], seconds)
	}
	for _, at := range []int{0x84, 0x88, 0x8C, 0x94} {
		le.PutUint32(b[at:], extra)
	}
	if len(n.rare.attrs) > 0 && n.rare.attrAt == 0 {
		le.PutUint32(b[128+extraISize:], attrMagic)
		putAttributes(b[128+extraISize+4:], 0, n.rare.attrs, false)
	}
	if v.checksums {
		sum := checksum(v.inodeSeed(n.inode), b)
		le.PutUint16(b[0x7C:], uint16(sum))
		le.PutUint16(b[0x82:], uint16(sum>>16))
	}
}

// diskTime returns a time as seconds, and nanoseconds with two more bits of
// seconds.
func diskTime(t unix.Timespec) (seconds, extra uint32) {
	high := uint64(t.Sec-int64(int32(t.Sec))) >> 32 & 3
	return uint32(t.Sec), uint32(t.Nsec)<<2 | uint32(high)
}

// blocks is how many blocks belong to a node.
func (n *node) blocks() uint64 {
	sum := uint64(len(n.rare.leaves))
	for _, e := range n.extents {
		sum += uint64(e.length)
	}
	if n.rare.attrAt != 0 {
		sum++
	}
	return sum
}

func (v *volume) size(n *node) uint64 {
	switch n.kind() {
	case unix.S_IFDIR:
		return uint64(n.rare.length)
	case unix.S_IFLNK:
		return uint64(len(n.rare.target))
	case unix.S_IFREG:
		return uint64(n.size)
	}
	return 0
}

func (n *node) linkCount() uint16 {
	if n.kind() != unix.S_IFDIR {
		return uint16(n.names)
	}
	count := 2 + n.rare.subdirs
	if n.inode == rootInode {
		count++ // lost+found
	}
	if count >= maxLinks {
		return 1
	}
	return uint16(count)
}

// fill writes the 60 bytes of an inode that say where its content is, or are
// it, and returns the flags.
func (v *volume) fill(b []byte, n *node) (flags uint32) {
	switch n.kind() {
	case unix.S_IFLNK:
		if len(n.rare.target) < inlineLink {
			copy(b, n.rare.target)
			return 0
		}
	case unix.S_IFCHR, unix.S_IFBLK:
		putDevice(b, unix.Major(n.rare.device), unix.Minor(n.rare.device))
		return 0
	case unix.S_IFIFO, unix.S_IFSOCK:
		return 0
	}
	entries, depth, _ := v.tree(n)
	putExtents(b, entries, inlineExtents, depth)
	if n.rare.indexed {
		return flagExtents | flagIndex
	}
	return flagExtents
}

// putDevice writes a device number in the old form if it fits, else in the new one.
func putDevice(b []byte, major, minor uint32) {
	if major < 256 && minor < 256 {
		le.PutUint32(b, major<<8|minor)
		return
	}
	le.PutUint32(b[4:], minor&0xff|major<<8|minor&^0xff<<12)
}

// extentLimit is how many entries a block of an extent tree holds.
func (v *volume) extentLimit() int { return (v.blockSize - extentSize) / extentSize }

// treeBlocks is how many blocks an extent tree takes beside the inode.
func (n *node) treeBlocks(limit int) (sum int) {
	for count := len(n.extents); count > inlineExtents; {
		count = (count + limit - 1) / limit
		sum += count
	}
	return sum
}

// An extentEntry is one of an extent tree in the form of the disk.
type extentEntry [extentSize]byte

func (e extent) entry() (b extentEntry) {
	le.PutUint32(b[0:], e.logical)
	le.PutUint16(b[4:], uint16(e.length)) // 32768 is the most, and means itself
	le.PutUint16(b[6:], uint16(e.block>>32))
	le.PutUint32(b[8:], uint32(e.block))
	return b
}

// tree returns the entries of an extent tree that are in the inode, how many
// levels are below them, and the blocks of those levels, which go to n.rare.leaves.
func (v *volume) tree(n *node) (entries []extentEntry, depth int, blocks [][]byte) {
	for _, e := range n.extents {
		entries = append(entries, e.entry())
	}
	for ; len(entries) > inlineExtents; depth++ {
		var upper []extentEntry
		for part := range slices.Chunk(entries, v.extentLimit()) {
			at := n.rare.leaves[len(blocks)]
			b := make([]byte, v.blockSize)
			putExtents(b, part, v.extentLimit(), depth)
			v.sealExtents(n, b)
			blocks = append(blocks, b)
			var e extentEntry
			copy(e[:4], part[0][:4])
			le.PutUint32(e[4:], uint32(at))
			le.PutUint16(e[8:], uint16(at>>32))
			upper = append(upper, e)
		}
		entries = upper
	}
	return entries, depth, blocks
}

func (v *volume) sealExtents(n *node, b []byte) {
	if !v.checksums {
		return
	}
	tail := extentSize + v.extentLimit()*extentSize
	le.PutUint32(b[tail:], checksum(v.inodeSeed(n.inode), b[:tail]))
}

func putExtents(b []byte, entries []extentEntry, limit, depth int) {
	le.PutUint16(b[0:], extentMagic)
	le.PutUint16(b[2:], uint16(len(entries)))
	le.PutUint16(b[4:], uint16(limit))
	le.PutUint16(b[6:], uint16(depth))
	for i, e := range entries {
		copy(b[extentSize*(1+i):], e[:])
	}
}
