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

// mbrPlaces begins every partition at a multiple of the alignment. A relative size is
// a share of what is left after one more alignment: a logical partition begins
// that much after its record.
func (t *table) mbrPlaces(diskSize, sectorSize int64) ([]place, error) {
	align := up(t.align, sectorSize)
	next := align
	var places []place
	for _, p := range t.parts {
		start := up(next, align)
		at := place{part: p}
		if !p.primary {
			at.record = start
			start += align
		}
		at.start = start
		at.length = down(p.size.of(diskSize-next-align), sectorSize)
		if p.size.relative {
			// Where the partition before is not aligned, the share can reach beyond
			// the end by less than an alignment.
			at.length = min(at.length, down(diskSize-start, sectorSize))
		}
		if err := at.check(diskSize - start); err != nil {
			return nil, err
		}
		places = append(places, at)
		next = at.start + at.length
	}
	return places, nil
}

// gptPlaces begins at 1 MiB, and cuts every size down to whole MiB. 2 MiB of the
// disk are for that, and for the backup of the table at its end.
func (t *table) gptPlaces(diskSize int64) ([]place, error) {
	left := diskSize - 2*mib
	next := int64(mib)
	var places []place
	for _, p := range t.parts {
		at := place{part: p, start: next, length: down(p.size.of(left), mib)}
		if err := at.check(left); err != nil {
			return nil, err
		}
		places = append(places, at)
		next += at.length
		left -= at.length
	}
	return places, nil
}

func (at place) check(left int64) error {
	switch {
	case at.length <= 0:
		return fmt.Errorf("partition %q: no space is left for it on the disk", at.part.name)
	case at.length > left:
		return fmt.Errorf("partition %q: needs %d KiB, and the disk has %d KiB left; give a bigger image size", at.part.name, at.length>>10, max(left, 0)>>10)
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
