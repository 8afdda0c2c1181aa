package partition

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const mib = 1 << 20

func must(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// blank returns an open sparse file that tools take for a disk.
func blank(t testing.TB, size int64) *os.File {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "disk.raw"))
	must(t, err, file.Truncate(size))
	t.Cleanup(func() { file.Close() })
	return file
}

func guid(t testing.TB, text string) GUID {
	t.Helper()
	g, err := ParseGUID(text)
	must(t, err)
	return g
}

func TestCHS(t *testing.T) {
	for _, test := range []struct {
		lba  int64
		want [3]byte
	}{
		{0, [3]byte{0, 1, 0}},
		{2048, [3]byte{32, 33, 0}},           // 32·63 + 32
		{254 * 63, [3]byte{0, 1, 1}},         // the first sector of cylinder 1
		{8 * 254 * 63, [3]byte{0, 1 | 2, 8}}, // cylinder 8: a quarter of it lands on the sector
		{1023 * 254 * 63, [3]byte{0, 255, 255}},
		{1023*254*63 + 1, [3]byte{254, 255, 255}},
		{1024 * 254 * 63, [3]byte{254, 255, 255}},
		{1 << 40, [3]byte{254, 255, 255}},
	} {
		if got := chs(test.lba); got != test.want {
			t.Errorf("chs(%d) = %v, want %v", test.lba, got, test.want)
		}
	}
}

func TestGUID(t *testing.T) {
	const text = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
	g := guid(t, strings.ToLower(text))
	if g.String() != text {
		t.Errorf("String() = %s, want %s", g, text)
	}
	// UEFI 2.10 §5.3.3 and every ESP in the world.
	want := [16]byte{0x28, 0x73, 0x2A, 0xC1, 0x1F, 0xF8, 0xD2, 0x11, 0xBA, 0x4B, 0x00, 0xA0, 0xC9, 0x3E, 0xC9, 0x3B}
	if g.disk() != want {
		t.Errorf("on disk % x, want % x", g.disk(), want)
	}
	for _, bad := range []string{"", "C12A7328F81F11D2BA4B00A0C93EC93B", "C12A7328-F81F-11D2-BA4B00-A0C93EC93B", "G12A7328-F81F-11D2-BA4B-00A0C93EC93B"} {
		if g, err := ParseGUID(bad); err == nil {
			t.Errorf("ParseGUID(%q) = %v, want an error", bad, g)
		}
	}
}

func TestGPTType(t *testing.T) {
	for _, name := range []string{"EF00", "ef00", "0xEF00", "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"} {
		if g, err := GPTType(name); err != nil || g.String() != "C12A7328-F81F-11D2-BA4B-00A0C93EC93B" {
			t.Errorf("GPTType(%q) = %v, %v", name, g, err)
		}
	}
	for _, bad := range []string{"", "8", "83", "ZZZZ", "0x", "linux"} {
		if g, err := GPTType(bad); err == nil {
			t.Errorf("GPTType(%q) = %v, want an error", bad, g)
		}
	}
}

func TestMBRKeepsBootCode(t *testing.T) {
	disk := blank(t, 8*mib)
	_, err := disk.WriteAt([]byte(strings.Repeat("B", 512)), 0)
	must(t, err)
	table := MBR{SectorSize: 512, DiskSize: 8 * mib, DiskID: 0x11223344, Partitions: []MBRPartition{
		{Number: 1, Start: mib, Length: 6 * mib, Type: 0x83, Boot: true},
	}}
	must(t, table.Write(disk))
	sector := make([]byte, 512)
	_, err = disk.ReadAt(sector, 0)
	must(t, err)
	want := strings.Repeat("B", 440) + "\x44\x33\x22\x11\x00\x00" +
		"\x80\x20\x21\x00\x83\xe3\x24\x00\x00\x08\x00\x00\x00\x30\x00\x00" + strings.Repeat("\x00", 48) + "\x55\xaa"
	if string(sector) != want {
		t.Errorf("first sector\n%q, want\n%q", sector[440:], want[440:])
	}
}

// Tables with logical partitions are, byte for byte, those that diskimage-builder
// writes for the same places.
func TestMBRRecords(t *testing.T) {
	disk := blank(t, 100*mib)
	table := MBR{SectorSize: 512, DiskSize: 100 * mib, DiskID: 1, Partitions: []MBRPartition{
		{Number: 1, Start: mib, Length: 10 * mib, Type: 0x83, Boot: true},
		{Number: 5, Record: 11 * mib, Start: 12 * mib, Length: 10 * mib, Type: 0x82},
		{Number: 6, Record: 22 * mib, Start: 23 * mib, Length: 20 * mib, Type: 0x83},
		{Number: 7, Record: 43 * mib, Start: 44 * mib, Length: 56 * mib, Type: 0x83},
	}}
	must(t, table.Write(disk))
	for at, want := range map[int64]string{
		0: "80 20 21 00 83 67 26 01 00 08 00 00 00 50 00 00" + // the first partition
			" 00 67 26 01 0f ca 33 0c 00 58 00 00 00 c8 02 00", // the extended one: 11 MiB to the end
		11 * mib: "00 20 21 00 82 67 26 01 00 08 00 00 00 50 00 00" + // 1 MiB after the record
			" 00 67 26 01 05 18 11 04 00 58 00 00 00 a8 00 00", // the next record, 11 MiB after this one
		22 * mib: "00 20 21 00 83 ae 2b 02 00 08 00 00 00 a0 00 00" +
			" 00 18 11 04 05 63 0e 0b 00 00 01 00 00 c8 01 00", // the next, 32 MiB after the first
		43 * mib: "00 20 21 00 83 4a 3d 07 00 08 00 00 00 c0 01 00" + strings.Repeat(" 00", 16),
	} {
		sector := make([]byte, 512)
		_, err := disk.ReadAt(sector, at)
		must(t, err)
		want += strings.Repeat(" 00", 32) + " 55 aa"
		if got := fmt.Sprintf("% x", sector[446:]); got != want {
			t.Errorf("entries at %d MiB\n%s, want\n%s", at/mib, got, want)
		}
	}
}

func TestGPTSums(t *testing.T) {
	for _, sectorSize := range []int{512, 4096} {
		disk := blank(t, 8*mib)
		table := GPT{SectorSize: sectorSize, DiskSize: 8 * mib, DiskGUID: GUID{1}, Partitions: []GPTPartition{
			{Number: 1, Start: mib, Length: mib, Type: GUID{2}, GUID: GUID{3}, Name: "rööt"},
		}}
		must(t, table.Write(disk))
		content, err := os.ReadFile(disk.Name())
		must(t, err)
		le := binary.LittleEndian
		for _, at := range []int{sectorSize, 8*mib - sectorSize} {
			header := append([]byte(nil), content[at:at+92]...)
			sum := le.Uint32(header[16:])
			clear(header[16:20])
			entries := int(le.Uint64(header[72:])) * sectorSize
			if string(header[:8]) != "EFI PART" || crc32.ChecksumIEEE(header) != sum ||
				crc32.ChecksumIEEE(content[entries:entries+128*128]) != le.Uint32(header[88:]) ||
				int(le.Uint64(header[24:]))*sectorSize != at {
				t.Errorf("sectors of %d: the header at byte %d is damaged", sectorSize, at)
			}
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	mbr := func(parts ...MBRPartition) MBR {
		return MBR{SectorSize: 512, DiskSize: 16 * mib, Partitions: parts}
	}
	gpt := func(parts ...GPTPartition) GPT {
		return GPT{SectorSize: 512, DiskSize: 16 * mib, DiskGUID: GUID{9}, Partitions: parts}
	}
	one, two := GUID{1}, GUID{2}
	for _, test := range []struct {
		name  string
		table interface{ check() error }
		want  string
	}{
		{"sector size", MBR{SectorSize: 1024, DiskSize: mib}, "neither 512 nor 4096"},
		{"disk size", MBR{SectorSize: 512, DiskSize: mib + 1}, "not a whole number of sectors"},
		{"huge mbr", MBR{SectorSize: 512, DiskSize: 3 << 40}, "use gpt"},
		{"overlap", mbr(MBRPartition{Number: 1, Start: mib, Length: 2 * mib}, MBRPartition{Number: 2, Start: 2 * mib, Length: mib}), "before byte 3145728"},
		{"beyond", mbr(MBRPartition{Number: 1, Start: mib, Length: 16 * mib}), "beyond byte 16777216"},
		{"empty", mbr(MBRPartition{Number: 1, Start: mib}), "at least one sector"},
		{"on the table", mbr(MBRPartition{Number: 1, Length: mib}), "before byte 512"},
		{"twice", mbr(MBRPartition{Number: 1, Start: mib, Length: mib}, MBRPartition{Number: 1, Start: 2 * mib, Length: mib}), "used twice"},
		{"odd", mbr(MBRPartition{Number: 1, Start: mib, Length: 700}), "not whole sectors"},
		{"primary late", mbr(MBRPartition{Number: 5, Record: mib, Start: 2 * mib, Length: mib}, MBRPartition{Number: 1, Start: 4 * mib, Length: mib}), "after a logical one"},
		{"logical gap", mbr(MBRPartition{Number: 6, Record: mib, Start: 2 * mib, Length: mib}), "the next number is 5"},
		{"no record", mbr(MBRPartition{Number: 5, Record: 2 * mib, Start: 2 * mib, Length: mib}), "its record"},
		{"five primaries", mbr(MBRPartition{Number: 1, Start: mib, Length: mib}, MBRPartition{Number: 2, Start: 2 * mib, Length: mib},
			MBRPartition{Number: 3, Start: 3 * mib, Length: mib}, MBRPartition{Number: 4, Start: 4 * mib, Length: mib},
			MBRPartition{Number: 5, Record: 5 * mib, Start: 6 * mib, Length: mib}), "four primary"},
		{"gpt on the table", gpt(GPTPartition{Number: 1, Start: 33 * 512, Length: mib, Type: one, GUID: two}), "before byte 17408"},
		{"gpt on the backup", gpt(GPTPartition{Number: 1, Start: mib, Length: 15 * mib, Type: one, GUID: two}), "beyond byte"},
		{"gpt number", gpt(GPTPartition{Number: 129, Start: mib, Length: mib, Type: one, GUID: two}), "numbers are 1 to 128"},
		{"gpt name", gpt(GPTPartition{Number: 1, Start: mib, Length: mib, Type: one, GUID: two, Name: strings.Repeat("😀", 19)}), "38 characters"},
		{"gpt guid", gpt(GPTPartition{Number: 1, Start: mib, Length: mib, Type: one}), "must not be zero"},
		{"gpt small", GPT{SectorSize: 512, DiskSize: 16 << 10}, "too small"},
	} {
		if err := test.table.check(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}
