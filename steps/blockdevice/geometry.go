package blockdevice

import (
	"fmt"

	"github.com/dibgraph/dibgraph/internal/partition"
)

// A place is where a partition lies, in bytes.
type place struct {
	part          *part
	start, length int64
	record        int64 // of a logical partition: its extended boot record
}

const mib = 1 << 20

// places lays the partitions out on a disk.
func (t *table) places(diskSize, sectorSize int64) ([]place, error) {
	if t.gpt {
		return t.gptPlaces(diskSize)
	}
	return t.mbrPlaces(diskSize, sectorSize)
}

// mbrPlaces begins every partition, and the record before a logical one, at a multiple
// of the alignment. A relative size is a share of what is left from there on, less one
// more alignment, which a logical partition has between its record and its start.
func (t *table) mbrPlaces(diskSize, sectorSize int64) ([]place, error) {
	align := max(down(t.align, sectorSize), sectorSize)
	next := align
	var places []place
	for _, p := range t.parts {
		start := next
		at := place{part: p}
		if !p.primary {
			at.record = start
			start += align
		}
		at.start = start
		at.length = down(p.size.of(diskSize-next-align), sectorSize)
		if err := at.check(at.length, diskSize-start); err != nil {
			return nil, err
		}
		places = append(places, at)
		next = up(at.start+at.length, align)
	}
	return places, nil
}

// gptPlaces begins at 1 MiB, and cuts every size down to whole MiB. 2 MiB of the
// disk are for that, and for the backup of the table at its end. What is cut off is
// not left for the partitions that follow, as in diskimage-builder.
func (t *table) gptPlaces(diskSize int64) ([]place, error) {
	left := diskSize - 2*mib
	next := int64(mib)
	var places []place
	for _, p := range t.parts {
		size := p.size.of(left)
		at := place{part: p, start: next, length: down(size, mib)}
		if err := at.check(size, left); err != nil {
			return nil, err
		}
		places = append(places, at)
		next += at.length
		left -= size
	}
	return places, nil
}

// check reports a partition that needs more than is left of the disk, or nothing.
func (at place) check(needs, left int64) error {
	switch {
	case at.length <= 0:
		return fmt.Errorf("partition %q: no space is left for it on the disk", at.part.name)
	case needs > left:
		return fmt.Errorf("partition %q: needs %d KiB, and the disk has %d KiB left; give a bigger image size", at.part.name, needs>>10, max(left, 0)>>10)
	}
	return nil
}

func up(n, multiple int64) int64   { return (n + multiple - 1) / multiple * multiple }
func down(n, multiple int64) int64 { return n / multiple * multiple }

// mbr returns the table to write.
func (t *table) mbr(places []place, diskSize int64, sectorSize int, p Params) partition.MBR {
	table := partition.MBR{SectorSize: sectorSize, DiskSize: diskSize, DiskID: p.uint32("disk id", t.name)}
	for _, at := range places {
		table.Partitions = append(table.Partitions, partition.MBRPartition{
			Number: at.part.number, Start: at.start, Length: at.length,
			Type: at.part.mbrType, Boot: at.part.boot, Record: at.record,
		})
	}
	return table
}

// guidTable returns the table to write.
func (t *table) guidTable(places []place, diskSize int64, sectorSize int, p Params) partition.GPT {
	table := partition.GPT{SectorSize: sectorSize, DiskSize: diskSize, DiskGUID: p.guid("disk guid", t.name)}
	for _, at := range places {
		table.Partitions = append(table.Partitions, partition.GPTPartition{
			Number: at.part.number, Start: at.start, Length: at.length,
			Type: at.part.gptType, GUID: p.guid("partition guid", at.part.name), Name: at.part.name,
		})
	}
	return table
}
