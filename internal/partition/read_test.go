package partition

import (
	"errors"
	"slices"
	"testing"
)

func TestReadMBR(t *testing.T) {
	disk := blank(t, 64*mib)
	got, err := Read(disk)
	if err != nil || len(got) != 0 {
		t.Errorf("a blank disk: %v, %v; want no partitions", got, err)
	}
	table := MBR{SectorSize: 512, DiskSize: 64 * mib, DiskID: 1, Partitions: []MBRPartition{
		{Number: 1, Start: mib, Length: 8 * mib, Type: 0x83}, {Number: 3, Start: 16 * mib, Length: 32 * mib, Type: 0x83},
	}}
	must(t, table.Write(disk))
	got, err = Read(disk)
	if want := []Extent{{1, mib, 8 * mib}, {3, 16 * mib, 32 * mib}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("Read = %v, %v; want %v", got, err, want)
	}
	table.Partitions = append(table.Partitions,
		MBRPartition{Number: 5, Start: 50 * mib, Length: 2 * mib, Type: 0x83, Record: 49 * mib},
		MBRPartition{Number: 6, Start: 54 * mib, Length: 8 * mib, Type: 0x83, Record: 53 * mib})
	must(t, table.Write(disk))
	got, err = Read(disk)
	want := []Extent{{1, mib, 8 * mib}, {3, 16 * mib, 32 * mib}, {5, 50 * mib, 2 * mib}, {6, 54 * mib, 8 * mib}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("Read = %v, %v; want %v", got, err, want)
	}
	// A chain of records that never ends.
	circle := []byte{0, 0, 0, 0, typeNext, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0}
	_, err = disk.WriteAt(circle, 49*mib+entriesOffset+entrySize)
	must(t, err)
	if _, err := Read(disk); !errors.Is(err, ErrNotRead) {
		t.Errorf("a circle: %v, want ErrNotRead", err)
	}
}

func TestReadGPT(t *testing.T) {
	linux, err := GPTType("8300")
	must(t, err)
	for _, sector := range []int{512, 4096} {
		disk := blank(t, 64*mib)
		table := GPT{SectorSize: sector, DiskSize: 64 * mib, DiskGUID: linux, Partitions: []GPTPartition{
			{Number: 2, Start: mib, Length: 8 * mib, Type: linux, GUID: linux}, {Number: 1, Start: 16 * mib, Length: 32 * mib, Type: linux, GUID: linux},
		}}
		must(t, table.Write(disk))
		got, err := Read(disk)
		if want := []Extent{{1, 16 * mib, 32 * mib}, {2, mib, 8 * mib}}; err != nil || !slices.Equal(got, want) {
			t.Errorf("sectors of %d: Read = %v, %v; want %v", sector, got, err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("EFI PART"), int64(512))
	f.Fuzz(func(t *testing.T, data []byte, at int64) {
		disk := blank(t, 1<<16)
		must(t, disk.Truncate(1<<16))
		if _, err := disk.WriteAt([]byte{0x55, 0xAA}, 510); err != nil {
			t.Fatal(err)
		}
		if at >= 0 && at < 1<<15 && len(data) < 1<<15 {
			if _, err := disk.WriteAt(data, at); err != nil {
				t.Fatal(err)
			}
		}
		extents, err := Read(disk)
		for _, e := range extents {
			if err == nil && (e.Start < 0 || e.Length < 0) {
				t.Errorf("partition %+v", e)
			}
		}
	})
}
