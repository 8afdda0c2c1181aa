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
// if it has no partition table. It reads tables as Write makes them: GPT by the
// first header, whose checksums are not checked, and MBR without logical
// partitions.
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
	return readMBR(start[:512])
}

func readGPT(disk io.ReaderAt, header []byte, sector int64) ([]Extent, error) {
	first := int64(binary.LittleEndian.Uint64(header[72:]))
	count, size := binary.LittleEndian.Uint32(header[80:]), binary.LittleEndian.Uint32(header[84:])
	if count != gptEntries || size != gptEntrySize || first < 2 || first > 1<<32 {
		return nil, ErrNotRead
	}
	entries := make([]byte, gptEntries*gptEntrySize)
	if _, err := disk.ReadAt(entries, first*sector); err != nil {
		return nil, fmt.Errorf("read partition table: %w", err)
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

func readMBR(sector []byte) ([]Extent, error) {
	var all []Extent
	for i := range 4 {
		e := sector[entriesOffset+i*entrySize:][:entrySize]
		switch e[4] {
		case 0:
			continue
		case typeExtended, typeNext, 0xEE:
			return nil, ErrNotRead
		}
		start, length := binary.LittleEndian.Uint32(e[8:]), binary.LittleEndian.Uint32(e[12:])
		all = append(all, Extent{i + 1, int64(start) * 512, int64(length) * 512})
	}
	return all, nil
}
