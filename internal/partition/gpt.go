package partition

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"unicode/utf16"
)

// A GPT is a GUID partition table.
type GPT struct {
	// SectorSize is 512 or 4096. All positions must be multiples of it.
	SectorSize int
	// DiskSize is in bytes.
	DiskSize int64
	// DiskGUID identifies the disk.
	DiskGUID GUID
	// Partitions are in the order of their places on the disk.
	Partitions []GPTPartition
}

// A GPTPartition is a partition of a [GPT].
type GPTPartition struct {
	// Number is 1 to 128.
	Number int
	// Start and Length are in bytes.
	Start, Length int64
	// Type says what is in the partition, see [GPTType].
	Type GUID
	// GUID identifies the partition: its PARTUUID.
	GUID GUID
	// Name is at most 36 UTF-16 code units.
	Name string
	// Attributes are the bits of UEFI 2.10 §5.3.3.
	Attributes uint64
}

// The numbers of UEFI 2.10 §5.3: every tool writes 128 entries of 128 bytes.
const (
	gptEntries    = 128
	gptEntrySize  = 128
	gptHeaderSize = 92
	gptRevision   = 0x00010000
	gptNameUnits  = 36
)

// Write checks the table and writes the protective MBR, the table, and its
// backup at the end of the disk. Of the first sector it leaves bytes 0 to 439, which
// belong to a boot loader, as they are.
func (t GPT) Write(disk io.WriterAt) error {
	if err := t.check(); err != nil {
		return fmt.Errorf("partition table gpt: %w", err)
	}
	sector := int64(t.SectorSize)
	last := t.DiskSize/sector - 1
	entries := t.entries()
	entrySectors := int64(len(entries)) / sector
	parts := []struct {
		sector int64
		bytes  []byte
	}{
		{last - entrySectors, entries},
		{last, t.header(last, 1, last-entrySectors, entries)},
		{2, entries},
		{1, t.header(1, last, 2, entries)},
	}
	for _, p := range parts {
		if _, err := disk.WriteAt(p.bytes, p.sector*sector); err != nil {
			return fmt.Errorf("write partition table: %w", err)
		}
	}
	if _, err := disk.WriteAt(t.protectiveMBR(), diskIDOffset); err != nil {
		return fmt.Errorf("write protective mbr: %w", err)
	}
	return nil
}

// Usable returns the first byte that a partition can have, and the byte after the
// last one.
func (t GPT) Usable() (first, end int64) {
	entries := int64(gptEntries * gptEntrySize)
	return 2*int64(t.SectorSize) + entries, t.DiskSize - int64(t.SectorSize) - entries
}

func (t GPT) check() error {
	if err := checkSectorSize(t.SectorSize, t.DiskSize); err != nil {
		return err
	}
	var errs []error
	var spans []span
	for _, p := range t.Partitions {
		if p.Number < 1 || p.Number > gptEntries {
			errs = append(errs, fmt.Errorf("partition %d: numbers are 1 to %d", p.Number, gptEntries))
		}
		if units := len(utf16.Encode([]rune(p.Name))); units > gptNameUnits {
			errs = append(errs, fmt.Errorf("partition %d: name %q has %d characters, more than %d", p.Number, p.Name, units, gptNameUnits))
		}
		if p.Type == (GUID{}) || p.GUID == (GUID{}) {
			errs = append(errs, fmt.Errorf("partition %d: type and guid must not be zero", p.Number))
		}
		spans = append(spans, span{p.Number, p.Start, p.Length})
	}
	first, end := t.Usable()
	if first > end {
		return fmt.Errorf("disk size %d: too small for the table", t.DiskSize)
	}
	return errors.Join(append(errs, checkSpans(spans, t.SectorSize, first, end))...)
}

// entries returns the entry array.
func (t GPT) entries() []byte {
	array := make([]byte, gptEntries*gptEntrySize)
	sector := int64(t.SectorSize)
	for _, p := range t.Partitions {
		entry := array[(p.Number-1)*gptEntrySize:][:gptEntrySize]
		kind, id := p.Type.disk(), p.GUID.disk()
		copy(entry[0:], kind[:])
		copy(entry[16:], id[:])
		binary.LittleEndian.PutUint64(entry[32:], uint64(p.Start/sector))
		binary.LittleEndian.PutUint64(entry[40:], uint64((p.Start+p.Length)/sector-1))
		binary.LittleEndian.PutUint64(entry[48:], p.Attributes)
		for i, unit := range utf16.Encode([]rune(p.Name)) {
			binary.LittleEndian.PutUint16(entry[56+2*i:], unit)
		}
	}
	return array
}

// header returns the header sector that lies at sector own, whose twin is at
// sector other and whose entries begin at sector entriesAt.
func (t GPT) header(own, other, entriesAt int64, entries []byte) []byte {
	h := make([]byte, t.SectorSize)
	le := binary.LittleEndian
	id := t.DiskGUID.disk()
	first, end := t.Usable()
	copy(h, "EFI PART")
	le.PutUint32(h[8:], gptRevision)
	le.PutUint32(h[12:], gptHeaderSize)
	le.PutUint64(h[24:], uint64(own))
	le.PutUint64(h[32:], uint64(other))
	le.PutUint64(h[40:], uint64(first/int64(t.SectorSize)))
	le.PutUint64(h[48:], uint64(end/int64(t.SectorSize)-1))
	copy(h[56:], id[:])
	le.PutUint64(h[72:], uint64(entriesAt))
	le.PutUint32(h[80:], gptEntries)
	le.PutUint32(h[84:], gptEntrySize)
	le.PutUint32(h[88:], crc32.ChecksumIEEE(entries))
	// The header's own sum is taken with its field zero.
	le.PutUint32(h[16:], crc32.ChecksumIEEE(h[:gptHeaderSize]))
	return h
}

// protectiveMBR returns bytes 440 to 511 of the first sector: one partition of type
// 0xEE over the whole disk, or as much of it as 32 bits can say.
func (t GPT) protectiveMBR() []byte {
	var sector [512]byte
	entry := sector[entriesOffset:]
	copy(entry[1:4], []byte{0x00, 0x02, 0x00})
	entry[4] = 0xEE
	copy(entry[5:8], []byte{0xFF, 0xFF, 0xFF})
	binary.LittleEndian.PutUint32(entry[8:], 1)
	binary.LittleEndian.PutUint32(entry[12:], uint32(min(t.DiskSize/int64(t.SectorSize)-1, math.MaxUint32)))
	sector[510], sector[511] = 0x55, 0xAA
	return sector[diskIDOffset:]
}
