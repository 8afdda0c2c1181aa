package ext4

import (
	"cmp"
	"slices"

	"golang.org/x/sys/unix"
)

// tailSize is what the end of a block of a directory has for its checksum.
const tailSize = 12

var fileTypes = map[uint32]byte{
	unix.S_IFREG: 1, unix.S_IFDIR: 2, unix.S_IFCHR: 3, unix.S_IFBLK: 4, unix.S_IFIFO: 5, unix.S_IFSOCK: 6, unix.S_IFLNK: 7,
}

// A name is an entry of a directory in the form of the disk.
type dirName struct {
	name  string
	inode uint32
	kind  byte
	hash  uint32
}

func (d dirName) size() int { return pad(8 + len(d.name)) }

// namesOf returns what a directory lists beside itself and its parent.
func namesOf(n *node) []dirName {
	names := make([]dirName, 0, len(n.rare.entries)+1)
	for _, e := range n.rare.entries {
		names = append(names, dirName{name: e.name, inode: e.node.inode, kind: fileTypes[e.node.kind()]})
	}
	if n.inode == rootInode {
		names = append(names, dirName{name: "lost+found", inode: lostFound, kind: fileTypes[unix.S_IFDIR]})
	}
	return names
}

// directory returns the content of a directory, without checksums: a list in one block,
// or more of them behind an index by the hashes of names.
func (v *volume) directory(n *node) (content []byte, indexed bool) {
	names := namesOf(n)
	dots := []dirName{{name: ".", inode: n.inode, kind: 2}, {name: "..", inode: n.parent.inode, kind: 2}}
	if blocks := v.pack(append(dots, names...), 0); len(blocks) == 1 || !v.indexes() {
		return slices.Concat(blocks...), false
	}
	return v.index(dots, names), true
}

// indexes reports whether directories of several blocks get an index.
func (v *volume) indexes() bool {
	const halfMD4 = 1
	return v.features.compat&compatDirIndex != 0 && v.super[0xFC] == halfMD4
}

// room is what a block has for entries.
func (v *volume) room() int {
	if v.checksums {
		return v.blockSize - tailSize
	}
	return v.blockSize
}

// pack fills blocks with names in their order, and leaves spare bytes in each.
func (v *volume) pack(names []dirName, spare int) (blocks [][]byte) {
	for rest := names; len(rest) > 0 || len(blocks) == 0; {
		size, n := 0, 0
		for n < len(rest) && size+rest[n].size() <= v.room()-spare {
			size += rest[n].size()
			n++
		}
		blocks = append(blocks, v.block(rest[:n]))
		rest = rest[n:]
	}
	return blocks
}

// block returns one with names that fit. The last one takes the space that is left.
func (v *volume) block(names []dirName) []byte {
	b := make([]byte, v.blockSize)
	at := 0
	for i, d := range names {
		size := d.size()
		if i == len(names)-1 {
			size = v.room() - at
		}
		putName(b[at:], d, size)
		at += size
	}
	if v.checksums {
		tail := b[v.room():]
		le.PutUint16(tail[4:], tailSize)
		tail[7] = 0xDE // as if it were a type of file
	}
	return b
}

func putName(b []byte, d dirName, size int) {
	le.PutUint32(b, d.inode)
	le.PutUint16(b[4:], uint16(size))
	b[6], b[7] = byte(len(d.name)), d.kind
	copy(b[8:], d.name)
}

// Where entries of the index begin, in its root and in other blocks of it.
const (
	rootEntries = 0x20
	nodeEntries = 0x8
)

// An indexEntry says from which hash on a block has the names.
type indexEntry struct {
	hash  uint32
	block uint32
}

// index returns the blocks of a directory with an index: its root, then perhaps
// blocks of a second level, then those with names in the order of hashes.
func (v *volume) index(dots, names []dirName) []byte {
	for i := range names {
		names[i].hash = v.hash(names[i].name)
	}
	slices.SortFunc(names, func(a, b dirName) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.name, b.name))
	})
	// An eighth of each block stays free, so that a few new names split none.
	leaves := v.pack(names, v.blockSize/8)
	entries := make([]indexEntry, len(leaves))
	next := 0
	for i, leaf := range leaves {
		entries[i] = indexEntry{hash: names[next].hash}
		if i > 0 && names[next].hash == names[next-1].hash {
			entries[i].hash |= 1 // the block before has some of this hash too
		}
		next += namesIn(leaf[:v.room()])
	}
	var nodes [][]byte
	level := byte(0)
	if most := v.indexLimit(nodeEntries); len(entries) > v.indexLimit(rootEntries) {
		level = 1
		count := (len(entries) + most - 1) / most
		number(entries, 1+count)
		var upper []indexEntry
		for part := range slices.Chunk(entries, most) {
			upper = append(upper, indexEntry{part[0].hash, uint32(1 + len(nodes))})
			nodes = append(nodes, v.indexNode(part))
		}
		entries = upper
	} else {
		number(entries, 1)
	}
	root := v.indexRoot(dots, entries, level)
	return slices.Concat(append(append([][]byte{root}, nodes...), leaves...)...)
}

// number sets the blocks of entries, from first on.
func number(entries []indexEntry, first int) {
	for i := range entries {
		entries[i].block = uint32(first + i)
	}
}

func namesIn(block []byte) (n int) {
	for ; len(block) > 0; block = block[le.Uint16(block[4:]):] {
		n++
	}
	return n
}

// indexLimit is how many entries fit into a block of the index.
func (v *volume) indexLimit(from int) int {
	size := v.blockSize - from
	if v.checksums {
		size -= 8
	}
	return size / 8
}

func (v *volume) indexRoot(dots []dirName, entries []indexEntry, level byte) []byte {
	b := make([]byte, v.blockSize)
	putName(b, dots[0], 12)
	putName(b[12:], dots[1], v.blockSize-12)
	b[0x1C], b[0x1D], b[0x1E] = v.super[0xFC], 8, level
	v.putIndex(b, rootEntries, entries)
	return b
}

func (v *volume) indexNode(entries []indexEntry) []byte {
	b := make([]byte, v.blockSize)
	putName(b, dirName{}, v.blockSize)
	v.putIndex(b, nodeEntries, entries)
	return b
}

// putIndex writes entries; of the first one, limit and number take the place of the hash.
func (v *volume) putIndex(b []byte, from int, entries []indexEntry) {
	for i, e := range entries {
		le.PutUint32(b[from+8*i:], e.hash)
		le.PutUint32(b[from+8*i+4:], e.block)
	}
	le.PutUint16(b[from:], uint16(v.indexLimit(from)))
	le.PutUint16(b[from+2:], uint16(len(entries)))
}

// sealDirectory sets the checksums of the blocks that are the content of a directory.
func (v *volume) sealDirectory(n *node, content []byte) {
	if !v.checksums {
		return
	}
	seed := v.inodeSeed(n.inode)
	for b := range slices.Chunk(content, v.blockSize) {
		switch {
		case b[v.room()+7] == 0xDE && le.Uint16(b[v.room()+4:]) == tailSize && le.Uint32(b[v.room():]) == 0:
			le.PutUint32(b[v.room()+8:], checksum(seed, b[:v.room()]))
		case le.Uint32(b) == 0:
			v.sealIndex(seed, b, nodeEntries)
		default:
			v.sealIndex(seed, b, rootEntries)
		}
	}
}

// sealIndex sets the checksum of a block of the index: over what is in use of it, and
// the tail with the checksum being 0.
func (v *volume) sealIndex(seed uint32, b []byte, from int) {
	count := int(le.Uint16(b[from+2:]))
	tail := b[from+8*v.indexLimit(from):]
	sum := checksum(seed, b[:from+8*count])
	sum = checksum(sum, tail[:4])
	le.PutUint32(tail[4:], checksum(sum, make([]byte, 4)))
}
