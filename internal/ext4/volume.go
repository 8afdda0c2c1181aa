package ext4

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
)

// ErrUnsupported is wrapped by errors about what the kernel knows and this
// package does not. The filesystem is as it was.
var ErrUnsupported = errors.New("not supported")

func unsupported(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrUnsupported)
}

var le = binary.LittleEndian

// Features that a filesystem may have (Documentation/filesystems/ext4).
const (
	incompatFiletype = 0x2
	incompatExtents  = 0x40
	incompat64bit    = 0x80
	incompatFlexBG   = 0x200
	incompatCsumSeed = 0x2000

	roSparseSuper  = 0x1
	roLargeFile    = 0x2
	roHugeFile     = 0x8
	roDirNlink     = 0x20
	roExtraIsize   = 0x40
	roMetadataCsum = 0x400

	compatJournal     = 0x4
	compatExtAttr     = 0x8
	compatResizeInode = 0x10
	compatDirIndex    = 0x20

	// A new journal is empty: nothing in it is older than what is written behind its
	// back. One that has to be replayed is a feature of its own.
	knownCompat   = compatJournal | compatExtAttr | compatResizeInode | compatDirIndex
	knownIncompat = incompatFiletype | incompatExtents | incompat64bit | incompatFlexBG | incompatCsumSeed
	knownRO       = roSparseSuper | roLargeFile | roHugeFile | roDirNlink | roExtraIsize | roMetadataCsum
	needIncompat  = incompatFiletype | incompatExtents
	needRO        = roSparseSuper | roLargeFile | roExtraIsize
)

const (
	superOffset = 1024
	superSize   = 1024
	superMagic  = 0xEF53
	// rootInode and lostFound are where mke2fs makes the two directories of a
	// new filesystem.
	rootInode  = 2
	lostFound  = 11
	inodeSize  = 256
	extraISize = 32
)

// A volume is a filesystem: its superblock and group descriptors in the form
// of the disk, and which blocks and inodes are in use.
type volume struct {
	file   *os.File
	offset int64

	super []byte
	descs []byte

	blockSize      int
	blocks         uint64
	first          uint64 // block of the superblock
	blocksPerGroup uint64
	inodesPerGroup uint64
	groups         int
	descSize       int
	features       struct{ compat, incompat, ro uint32 }
	checksums      bool
	seed           uint32

	used   bitmap // of blocks, from first on
	inodes bitmap // from inode 1 on
	dirs   []int  // directories that were made, by group
}

// open reads the filesystem, and makes sure that it is a new one of which everything
// is known.
func open(file *os.File, offset int64) (*volume, error) {
	v := &volume{file: file, offset: offset, super: make([]byte, superSize)}
	if _, err := file.ReadAt(v.super, offset+superOffset); err != nil {
		return nil, fmt.Errorf("read the superblock: %w", err)
	}
	if le.Uint16(v.super[0x38:]) != superMagic {
		return nil, errors.New("no superblock of ext4 is there")
	}
	if err := v.readSuper(); err != nil {
		return nil, err
	}
	v.descs = make([]byte, v.groups*v.descSize)
	if err := v.read(v.first+1, v.descs); err != nil {
		return nil, err
	}
	if err := v.readBitmaps(); err != nil {
		return nil, err
	}
	v.dirs = make([]int, v.groups)
	return v, nil
}

func (v *volume) readSuper() error {
	s := v.super
	v.features.compat, v.features.incompat, v.features.ro = le.Uint32(s[0x5C:]), le.Uint32(s[0x60:]), le.Uint32(s[0x64:])
	switch {
	case v.features.compat&^knownCompat != 0:
		return unsupported("feature bits %#x", v.features.compat&^knownCompat)
	case v.features.incompat&^knownIncompat != 0 || v.features.incompat&needIncompat != needIncompat:
		return unsupported("incompatible feature bits %#x", v.features.incompat)
	case v.features.ro&^knownRO != 0 || v.features.ro&needRO != needRO:
		return unsupported("feature bits %#x of writers", v.features.ro)
	case le.Uint16(s[0x58:]) != inodeSize || le.Uint16(s[0x15E:]) > extraISize:
		return unsupported("inodes of %d bytes", le.Uint16(s[0x58:]))
	case le.Uint32(s[0x54:]) != lostFound:
		return unsupported("the first inode is %d", le.Uint32(s[0x54:]))
	case le.Uint32(s[0x18:]) > 2:
		return unsupported("blocks of more than 4 KiB")
	}
	v.blockSize = 1024 << le.Uint32(s[0x18:])
	v.blocks = uint64(le.Uint32(s[0x4:]))
	v.descSize = 32
	if v.features.incompat&incompat64bit != 0 {
		v.blocks |= uint64(le.Uint32(s[0x150:])) << 32
		v.descSize = int(le.Uint16(s[0xFE:]))
	}
	if v.descSize != 32 && v.descSize != 64 || v.blocks >= 1<<32 {
		return unsupported("descriptors of %d bytes, %d blocks", v.descSize, v.blocks)
	}
	v.first = uint64(le.Uint32(s[0x14:]))
	v.blocksPerGroup, v.inodesPerGroup = uint64(le.Uint32(s[0x20:])), uint64(le.Uint32(s[0x28:]))
	most := uint64(v.blockSize) * 8
	if v.blocksPerGroup == 0 || v.blocksPerGroup > most || v.inodesPerGroup == 0 || v.inodesPerGroup > most ||
		v.blocksPerGroup%8 != 0 || v.inodesPerGroup%uint64(v.blockSize/inodeSize) != 0 || v.blocks <= v.first {
		return unsupported("groups of %d blocks and %d inodes", v.blocksPerGroup, v.inodesPerGroup)
	}
	v.groups = int((v.blocks - v.first + v.blocksPerGroup - 1) / v.blocksPerGroup)
	if uint64(le.Uint32(s[0:])) != uint64(v.groups)*v.inodesPerGroup {
		return unsupported("%d inodes in %d groups", le.Uint32(s[0:]), v.groups)
	}
	v.checksums = v.features.ro&roMetadataCsum != 0
	v.seed = checksum(^uint32(0), s[0x68:0x78])
	if v.features.incompat&incompatCsumSeed != 0 {
		v.seed = le.Uint32(s[0x270:])
	}
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum is that of the format: CRC-32C that is inverted neither before nor after.
func checksum(seed uint32, data []byte) uint32 { return ^crc32.Update(^seed, castagnoli, data) }

// inodeSeed is where the checksums of an inode and of its blocks begin. All
// generations are 0.
func (v *volume) inodeSeed(inode uint32) uint32 {
	var b [8]byte
	le.PutUint32(b[:], inode)
	return checksum(v.seed, b[:])
}

// at is where a block begins in the file.
func (v *volume) at(block uint64) int64 { return v.offset + int64(block)*int64(v.blockSize) }

func (v *volume) read(block uint64, to []byte) error {
	if _, err := v.file.ReadAt(to, v.at(block)); err != nil {
		return fmt.Errorf("read block %d of the filesystem: %w", block, err)
	}
	return nil
}

func (v *volume) write(block uint64, data []byte) error {
	if _, err := v.file.WriteAt(data, v.at(block)); err != nil {
		return fmt.Errorf("write block %d of the filesystem: %w", block, err)
	}
	return nil
}

// flush writes bitmaps, group descriptors and the superblock, in this order.
func (v *volume) flush() error {
	freeBlocks, freeInodes := uint64(0), uint64(0)
	for g := range v.groups {
		blocks, inodes, err := v.flushGroup(g)
		if err != nil {
			return err
		}
		freeBlocks, freeInodes = freeBlocks+blocks, freeInodes+inodes
	}
	if err := v.write(v.first+1, v.descs); err != nil {
		return err
	}
	le.PutUint32(v.super[0xC:], uint32(freeBlocks))
	le.PutUint32(v.super[0x10:], uint32(freeInodes))
	if v.checksums {
		le.PutUint32(v.super[0x3FC:], checksum(^uint32(0), v.super[:0x3FC]))
	}
	if _, err := v.file.WriteAt(v.super, v.offset+superOffset); err != nil {
		return fmt.Errorf("write the superblock: %w", err)
	}
	return nil
}
