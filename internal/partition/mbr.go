package partition

import (
	"encoding/binary"
	"fmt"
	"io"
)

// An MBR is a PC partition table.
type MBR struct {
	// SectorSize is 512 or 4096. All positions must be multiples of it.
	SectorSize int
	// DiskSize is in bytes.
	DiskSize int64
	// DiskID is the 32-bit disk signature that PARTUUIDs begin with.
	DiskID uint32
	// Partitions lists the primary ones first, and the logical ones in the
	// order of their places on the disk.
	Partitions []MBRPartition
}

// An MBRPartition is a partition of an [MBR].
type MBRPartition struct {
	// Number is 1 to 4 for a primary partition, and 5, 6, … for logical ones.
	Number int
	// Start and Length are in bytes.
	Start, Length int64
	// Type is the system id, such as 0x83 for Linux.
	Type byte
	// Boot marks the partition as active.
	Boot bool
	// Record is where the extended boot record of a logical partition goes,
	// in bytes from the start of the disk, before Start. Primary partitions
	// have none.
	Record int64
}

const (
	// typeExtended is the extended partition (LBA), typeNext the entry by which one
	// extended boot record names the next.
	typeExtended = 0x0F
	typeNext     = 0x05

	// firstLogical is the number of the first logical partition on Linux.
	firstLogical = 5

	diskIDOffset  = 440
	entriesOffset = 446
	entrySize     = 16
)

// Write checks the table and writes it. Of the first sector it leaves bytes 0
// to 439, which belong to a boot loader, as they are.
func (t MBR) Write(disk io.WriterAt) error {
	if err := t.check(); err != nil {
		return fmt.Errorf("partition table mbr: %w", err)
	}
	var sector [512]byte
	binary.LittleEndian.PutUint32(sector[diskIDOffset:], t.DiskID)
	for _, p := range t.primaries() {
		t.entry(sector[entriesOffset+entrySize*(p.Number-1):], p, 0)
	}
	sector[510], sector[511] = 0x55, 0xAA
	if _, err := disk.WriteAt(sector[diskIDOffset:], diskIDOffset); err != nil {
		return fmt.Errorf("write partition table: %w", err)
	}
	return t.writeRecords(disk)
}

// primaries returns the entries of the first sector. The extended partition
// is one of them: from the first record to the end of the disk, under the lowest number
// after the primary ones.
func (t MBR) primaries() []MBRPartition {
	var all []MBRPartition
	last := 0
	for _, p := range t.Partitions {
		if p.Number >= firstLogical {
			return append(all, MBRPartition{
				Number: last + 1,
				Start:  p.Record,
				Length: t.DiskSize - p.Record,
				Type:   typeExtended,
			})
		}
		last = max(last, p.Number)
		all = append(all, p)
	}
	return all
}

func (t MBR) logicals() []MBRPartition {
	for i, p := range t.Partitions {
		if p.Number >= firstLogical {
			return t.Partitions[i:]
		}
	}
	return nil
}

// writeRecords writes the chain of extended boot records. A record names its
// partition relative to itself, and the next record relative to the first.
func (t MBR) writeRecords(disk io.WriterAt) error {
	logicals := t.logicals()
	for i, p := range logicals {
		var sector [512]byte
		t.entry(sector[entriesOffset:], p, p.Record)
		if i+1 < len(logicals) {
			next := logicals[i+1]
			t.entry(sector[entriesOffset+entrySize:], MBRPartition{
				Start:  next.Record,
				Length: next.Start + next.Length - next.Record,
				Type:   typeNext,
			}, logicals[0].Record)
		}
		sector[510], sector[511] = 0x55, 0xAA
		if _, err := disk.WriteAt(sector[:], p.Record); err != nil {
			return fmt.Errorf("write extended boot record of partition %d: %w", p.Number, err)
		}
	}
	return nil
}

// entry fills in one 16-byte entry, with its start relative to origin.
func (t MBR) entry(to []byte, p MBRPartition, origin int64) {
	sector := int64(t.SectorSize)
	if p.Boot {
		to[0] = 0x80
	}
	start := chs((p.Start - origin) / sector)
	copy(to[1:4], start[:])
	to[4] = p.Type
	// Of the sector after the last one, and in records relative like the start, as
	// diskimage-builder has it. Nothing that still runs reads it.
	end := chs((p.Start + p.Length - origin) / sector)
	copy(to[5:8], end[:])
	binary.LittleEndian.PutUint32(to[8:], uint32((p.Start-origin)/sector))
	binary.LittleEndian.PutUint32(to[12:], uint32(p.Length/sector))
}

// chs encodes a sector number as head, sector, cylinder on a disk of 254 heads
// and 63 sectors a track; what lies beyond the first sector of the last cylinder is
// the highest address there is.
//
// The two high bits of the cylinder belong into bits 6 and 7 of the sector.
// diskimage-builder ors a quarter of the whole cylinder in instead, and so
// does this: equal layouts give equal tables.
func chs(lba int64) [3]byte {
	const heads, sectors, maxCylinder = 254, 63, 1023
	cylinder := lba / (heads * sectors)
	head := lba / sectors % heads
	sector := lba%sectors + 1
	if lba > heads*sectors*maxCylinder {
		cylinder, head, sector = maxCylinder, heads, sectors
	}
	return [3]byte{byte(head), byte(sector | cylinder/4), byte(cylinder)}
}
