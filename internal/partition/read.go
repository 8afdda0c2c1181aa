package partition

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// An Extent is where a partition is, in bytes.
type Extent struct {
	Number        int
	Start, Length int64
}

// ErrNotRead says that there is a partition table of a kind that Read does not
// read.
var ErrNotRead = errors.New("a partition table that cannot be read")

// Read returns the partitions of a disk in the order of their numbers, and none
// if it has no partition table. It reads tables as Write makes them; of a GPT the
// first header, without looking at its checksums.
func Read(disk io.ReaderAt) ([]Extent, error) {
	var start [2 * 4096]byte
	n, err := disk.ReadAt(start[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read partition table: %w", err)
	}
	if n < len(start) || start[510] != 0x55 || start[511] != 0xAA {
		return nil, nil
	}
	for _, sector := range []int64{512, 4096} {
		if header := start[sector:]; bytes.HasPrefix(header, []byte("EFI PART")) {
			return readGPT(disk, header, sector)
		}
	}
	return readMBR(disk, start[:512])
}

func readGPT(disk io.ReaderAt, header []byte, sector int64) ([]Extent, error) {
	first := int64(binary.LittleEndian.Uint64(header[72:]))
	count, size := binary.LittleEndian.Uint32(header[80:]), binary.LittleEndian.Uint32(header[84:])
	if count != gptEntries || size != gptEntrySize || first < 2 || first > 1<<32 {
		return nil, ErrNotRead
	}
	entries := make([]byte, gptEntries*gptEntrySize)
	if err := readAt(disk, entries, first*sector); err != nil {
		return nil, err
	}
	var all []Extent
	for i := range gptEntries {
		e := entries[i*gptEntrySize:][:gptEntrySize]
		if bytes.Equal(e[:16], make([]byte, 16)) {
			continue
		}
		start, end := int64(binary.LittleEndian.Uint64(e[32:])), int64(binary.LittleEndian.Uint64(e[40:]))
		if start < 0 || end < start || end > 1<<50 {
			return nil, ErrNotRead
		}
		all = append(all, Extent{i + 1, start * sector, (end - start + 1) * sector})
	}
	return all, nil
}

func readMBR(disk io.ReaderAt, sector []byte) ([]Extent, error) {
	var all, logical []Extent
	for i := range 4 {
		e := readEntry(sector, i)
		switch e.kind {
		case 0:
			continue
		case typeExtended, typeNext:
			var err error
			if logical, err = readRecords(disk, e.start); err != nil {
				return nil, err
			}
			continue
		case 0xEE: // protects a GPT, which is not there
			return nil, ErrNotRead
		}
		all = append(all, Extent{i + 1, e.start, e.length})
	}
	return append(all, logical...), nil
}

// maxLogical bounds the chain of records, which could be a circle.
const maxLogical = 128

// readRecords follows the chain of the records of logical partitions. The
// partition is counted from its record, the next record from the first.
func readRecords(disk io.ReaderAt, first int64) ([]Extent, error) {
	var all []Extent
	for at := first; len(all) < maxLogical; {
		var sector [512]byte
		if err := readAt(disk, sector[:], at); err != nil {
			return nil, err
		}
		e, next := readEntry(sector[:], 0), readEntry(sector[:], 1)
		if e.kind != 0 {
			all = append(all, Extent{firstLogical + len(all), at + e.start, e.length})
		}
		if next.kind == 0 {
			return all, nil
		}
		if e.kind == 0 {
			break
		}
		at = first + next.start
	}
	return nil, ErrNotRead
}

// readAt reads a part of a table, which must be there.
func readAt(disk io.ReaderAt, p []byte, at int64) error {
	_, err := disk.ReadAt(p, at)
	if errors.Is(err, io.EOF) {
		return ErrNotRead
	}
	if err != nil {
		return fmt.Errorf("read partition table: %w", err)
	}
	return nil
}

// A tableEntry is one of a sector; start is in bytes from what it is counted from.
type tableEntry struct {
	kind          byte
	start, length int64
}

func readEntry(sector []byte, i int) tableEntry {
	e := sector[entriesOffset+i*entrySize:][:entrySize]
	return tableEntry{e[4], int64(binary.LittleEndian.Uint32(e[8:])) * 512, int64(binary.LittleEndian.Uint32(e[12:])) * 512}
}
