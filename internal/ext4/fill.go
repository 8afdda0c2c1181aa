package ext4

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Options say what [Fill] writes, and where.
type Options struct {
	// Offset is where in the file the filesystem begins, in bytes.
	Offset int64
	// Source is the directory of which the entries, and the attributes, become those
	// of the root of the filesystem. Nothing may change in it meanwhile.
	Source string
	// Skip says of which directories, by their names relative to Source, only the
	// attributes are taken, and no entries. Nil is for none.
	Skip func(name string) bool
	// Rank orders files: one of a lower rank gets an earlier inode and place. Nil gives
	// all the same rank.
	Rank func(name string) int
	// Workers is how many files are read at the same time; 0 means 4.
	Workers int
}

// Fill writes a tree into a filesystem that mke2fs has just made in file and that
// is not mounted. The file is open for reading and writing, not O_APPEND, and nobody else
// writes to it. Needs root, to read all attributes.
//
// The times of access and change of what it makes are those of the last
// modification. When it fails or is cancelled, the filesystem is as good as lost, unless
// the error wraps [ErrUnsupported]. It does not sync.
func Fill(ctx context.Context, file *os.File, o Options) error {
	if err := fill(ctx, file, o); err != nil {
		return fmt.Errorf("write %q into the filesystem: %w", o.Source, err)
	}
	return nil
}

func fill(ctx context.Context, file *os.File, o Options) error {
	v, err := open(file, o.Offset)
	if err != nil {
		return err
	}
	// 64 KiB is the kernel's limit for names and values of attributes.
	l := lister{Options: o, blockSize: int64(v.blockSize), links: map[[2]uint64]*node{}, buffer: make([]byte, 64<<10)}
	if _, err := l.list(ctx); err != nil {
		return err
	}
	if err := v.check(l.all); err != nil {
		return err
	}
	if err := v.releaseRoot(); err != nil {
		return err
	}
	if err := v.number(l.all); err != nil {
		return err
	}
	for _, n := range l.all {
		if content := v.content(n); len(content) > 0 {
			n.own().length = len(content)
		}
	}
	if err := v.place(l.all); err != nil {
		return err
	}
	if err := v.writeData(ctx, o, l.all); err != nil {
		return err
	}
	if err := v.writeMetadata(l.all); err != nil {
		return err
	}
	if err := v.writeInodes(l.all); err != nil {
		return err
	}
	return v.flush()
}

// check refuses what the format cannot hold in the form that this package writes.
func (v *volume) check(all []*node) error {
	for _, n := range all {
		switch {
		case n.kind() != unix.S_IFDIR && n.names >= maxLinks:
			return unsupported("a file with %d names", n.names)
		case len(n.rare.attrs) > 0 && v.features.compat&compatExtAttr == 0:
			return unsupported("a filesystem without extended attributes")
		case attrHeader+attrSize(n.rare.attrs) > v.blockSize:
			return unsupported("extended attributes of %d bytes", attrSize(n.rare.attrs))
		case n.kind() == unix.S_IFREG && n.size >= int64(v.blockSize)<<32,
			n.kind() == unix.S_IFLNK && len(n.rare.target) >= v.blockSize:
			return unsupported("a file of %d bytes", n.size)
		case n.rare.subdirs+3 >= maxLinks && v.features.ro&roDirNlink == 0:
			return unsupported("a directory with %d directories", n.rare.subdirs)
		}
	}
	return nil
}

// content returns what a node has in blocks that is no data of a file. It is made twice,
// first to see how long it is: all of them together would be most of the memory.
func (v *volume) content(n *node) (content []byte) {
	switch {
	case n.kind() == unix.S_IFDIR:
		content, n.own().indexed = v.directory(n)
	case n.kind() == unix.S_IFLNK && len(n.rare.target) >= inlineLink:
		content = []byte(n.rare.target)
	}
	return content
}

// releaseRoot gives up the block of the root directory as mke2fs made it: it is
// made anew.
func (v *volume) releaseRoot() error {
	b := make([]byte, inodeSize)
	at := v.at(v.inodeTable(0)) + (rootInode-1)*inodeSize
	if _, err := v.file.ReadAt(b, at); err != nil {
		return fmt.Errorf("read the inode of the root: %w", err)
	}
	if tree := b[0x28:]; le.Uint32(b[0x20:])&flagExtents == 0 || le.Uint16(tree[2:]) != 1 || le.Uint16(tree[6:]) != 0 || le.Uint16(tree[16:]) != 1 {
		return unsupported("a root directory of more than a block")
	}
	block := uint64(le.Uint32(b[0x28+20:])) | uint64(le.Uint16(b[0x28+18:]))<<32
	if block <= v.first || block >= v.blocks || !v.used.has(block-v.first) {
		return unsupported("a root directory in block %d", block)
	}
	v.used.clear(block - v.first)
	return nil
}

// writeMetadata writes the blocks that no inode table has.
func (v *volume) writeMetadata(all []*node) error {
	for _, n := range all {
		var rest []byte
		if n.rare.length > 0 {
			rest = v.content(n)
		}
		if n.kind() == unix.S_IFDIR {
			v.sealDirectory(n, rest)
		}
		for _, e := range n.extents {
			if len(rest) == 0 {
				break
			}
			size := min(len(rest), int(e.length)*v.blockSize)
			if err := v.writeBlocks(e.block, rest[:size]); err != nil {
				return err
			}
			rest = rest[size:]
		}
		_, _, blocks := v.tree(n)
		for i, b := range blocks {
			if err := v.write(n.rare.leaves[i], b); err != nil {
				return err
			}
		}
		if n.rare.attrAt != 0 {
			if err := v.write(n.rare.attrAt, v.attrBlock(n.rare.attrAt, n.rare.attrs)); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeBlocks writes data, with zeros up to the end of its last block.
func (v *volume) writeBlocks(block uint64, data []byte) error {
	if rest := len(data) % v.blockSize; rest > 0 {
		data = append(data[:len(data):len(data)], make([]byte, v.blockSize-rest)...)
	}
	return v.write(block, data)
}

// writeInodes writes the inode tables, as far as inodes are in use. Nodes are in the
// order of their inodes.
func (v *volume) writeInodes(all []*node) error {
	group := func(n *node) int { return int(uint64(n.inode-1) / v.inodesPerGroup) }
	for nodes := range chunksBy(all, group) {
		g := group(nodes[0])
		table, err := v.table(g)
		if err != nil {
			return err
		}
		for _, n := range nodes {
			at := uint64(n.inode-1) % v.inodesPerGroup * inodeSize
			b := table[at : at+inodeSize]
			clear(b)
			v.putInode(b, n)
		}
		if err := v.write(v.inodeTable(g), table); err != nil {
			return err
		}
	}
	return nil
}

// table returns the blocks of an inode table up to the last inode that is in use, with
// the inodes that mke2fs has made.
func (v *volume) table(g int) ([]byte, error) {
	first := uint64(g) * v.inodesPerGroup
	last := v.inodesPerGroup
	for !v.inodes.has(first + last - 1) {
		last--
	}
	table := make([]byte, up(int64(last*inodeSize), int64(v.blockSize)))
	if g > 0 {
		return table, nil
	}
	return table, v.read(v.inodeTable(0), table[:min(int64(len(table)), up(lostFound*inodeSize, int64(v.blockSize)))])
}
