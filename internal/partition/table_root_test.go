package partition_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"github.com/dibgraph/dibgraph/internal/loop"
	"github.com/dibgraph/dibgraph/internal/partition"
	"github.com/dibgraph/dibgraph/internal/testroot"
)

const mib = 1 << 20

func must(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func output(t rapid.TB, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// attach returns a loop device on a new sparse file.
func attach(t testing.TB, size int64, sectorSize int) *loop.Device {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disk.raw")
	must(t, os.WriteFile(path, nil, 0o600), os.Truncate(path, size))
	device, err := loop.Attach(path, loop.Options{BlockSize: sectorSize})
	must(t, err)
	t.Cleanup(func() {
		if err := device.Close(); err != nil {
			t.Error(err)
		}
	})
	return device
}

func newGUID(n byte) partition.GUID {
	return partition.GUID{n, 1, 2, 3, 4, 5, 0x46, 7, 0x88, 9, 10, 11, 12, 13, 14, 15}
}

// Three independent readers of tables agree with ours, for both sector sizes.
func TestGPT(t *testing.T) {
	testroot.Require(t)
	for _, sectorSize := range []int{512, 4096} {
		t.Run(fmt.Sprint(sectorSize), func(t *testing.T) {
			device := attach(t, 64*mib, sectorSize)
			esp, err := partition.GPTType("EF00")
			must(t, err)
			linux, err := partition.GPTType("8300")
			must(t, err)
			table := partition.GPT{SectorSize: sectorSize, DiskSize: 64 * mib, DiskGUID: newGUID(1), Partitions: []partition.GPTPartition{
				{Number: 1, Start: mib, Length: 16 * mib, Type: esp, GUID: newGUID(2), Name: "ESP"},
				{Number: 2, Start: 17 * mib, Length: 45 * mib, Type: linux, GUID: newGUID(3), Name: "root ü"},
			}}
			must(t, table.Write(device.File()))

			if out := output(t, "sgdisk", "-v", device.Path); !strings.Contains(out, "No problems found") {
				t.Errorf("sgdisk -v:\n%s", out)
			}
			output(t, "sfdisk", "--verify", device.Path)
			// partx counts in 512 bytes, whatever the disk does.
			const sectors = 512
			got := output(t, "partx", "--raw", "--noheadings", "-o", "NR,START,SECTORS,UUID,TYPE", device.Path)
			want := fmt.Sprintf("1 %d %d 02010203-0405-4607-8809-0a0b0c0d0e0f c12a7328-f81f-11d2-ba4b-00a0c93ec93b\n"+
				"2 %d %d 03010203-0405-4607-8809-0a0b0c0d0e0f 0fc63daf-8483-4772-8e79-3d69d8477de4\n",
				mib/sectors, 16*mib/sectors, 17*mib/sectors, 45*mib/sectors)
			if got != want {
				t.Errorf("partx:\n%swant\n%s", got, want)
			}
			if out := output(t, "sgdisk", "-i", "2", device.Path); !strings.Contains(out, "Partition name: 'root ü'") {
				t.Errorf("sgdisk -i 2:\n%s", out)
			}
		})
	}
}

// Every code means to sgdisk what it means to us.
func TestGPTTypesAreThoseOfSgdisk(t *testing.T) {
	testroot.Require(t)
	device := attach(t, 64*mib, 512)
	pattern := regexp.MustCompile(`Partition GUID code: ([0-9A-F-]+)`)
	codes := partition.GPTCodes()
	// One call, for each sleeps a second after it has written.
	args := []string{"-o"}
	for i, code := range codes {
		args = append(args, "-n", fmt.Sprintf("%d:0:+1M", i+1), "-t", fmt.Sprintf("%d:%s", i+1, code))
	}
	output(t, "sgdisk", append(args, device.Path)...)
	for i, code := range codes {
		want, err := partition.GPTType(code)
		must(t, err)
		found := pattern.FindStringSubmatch(output(t, "sgdisk", "-i", fmt.Sprint(i+1), device.Path))
		if found == nil || found[1] != want.String() {
			t.Errorf("%s: sgdisk has %q, want %s", code, found, want)
		}
	}
}

// Any layout of primary and logical partitions is read back as it was meant,
// by sfdisk and by partx.
func TestMBRProperty(t *testing.T) {
	testroot.Require(t)
	devices := map[int]*loop.Device{512: attach(t, 256*mib, 512), 4096: attach(t, 256*mib, 4096)}
	rapid.Check(t, func(t *rapid.T) {
		sectorSize := rapid.SampledFrom([]int{512, 4096}).Draw(t, "sector size")
		device := devices[sectorSize]
		table := drawMBR(t, sectorSize)
		if _, err := device.File().WriteAt(make([]byte, 512), 0); err != nil {
			t.Fatal(err)
		}
		if err := table.Write(device.File()); err != nil {
			t.Fatal(err)
		}
		output(t, "sfdisk", "--verify", device.Path)
		got := map[int]string{}
		for line := range strings.Lines(output(t, "partx", "--raw", "--noheadings", "-o", "NR,START,SECTORS,TYPE,FLAGS", device.Path)) {
			var number, start, length int
			var kind, flags string
			// FLAGS is missing from the line when there are none.
			if n, err := fmt.Sscan(line, &number, &start, &length, &kind, &flags); n < 4 {
				t.Fatal(line, err)
			}
			if kind == "0xf" || kind == "0x5" {
				continue
			}
			got[number] = fmt.Sprint(int64(start), int64(length), kind, flags)
		}
		want := map[int]string{}
		for _, p := range table.Partitions {
			flags := "0x0"
			if p.Boot {
				flags = "0x80"
			}
			want[p.Number] = fmt.Sprint(p.Start/512, p.Length/512, fmt.Sprintf("%#x", p.Type), flags)
		}
		if !maps.Equal(got, want) {
			t.Fatalf("partx reads %v, want %v", got, want)
		}
		if id := output(t, "sfdisk", "--disk-id", device.Path); strings.TrimSpace(id) != fmt.Sprintf("%#08x", table.DiskID) {
			t.Fatalf("disk id %s, want %#08x", id, table.DiskID)
		}
	})
}

func drawMBR(t *rapid.T, sectorSize int) partition.MBR {
	table := partition.MBR{SectorSize: sectorSize, DiskSize: 256 * mib, DiskID: rapid.Uint32Min(1<<28).Draw(t, "id")}
	primaries := rapid.IntRange(0, 3).Draw(t, "primaries")
	logicals := rapid.IntRange(0, 5).Draw(t, "logicals")
	at := int64(mib)
	types := []byte{0x83, 0x82, 0x8e, 0x41, 0x0c}
	for i := range primaries + logicals {
		p := partition.MBRPartition{Number: i + 1, Type: rapid.SampledFrom(types).Draw(t, "type"), Boot: i == 0 && primaries > 0}
		if i >= primaries {
			p.Number, p.Record = 5+i-primaries, at
			at += mib
		}
		p.Start = at
		p.Length = int64(rapid.IntRange(1, 16*mib/sectorSize).Draw(t, "sectors") * sectorSize)
		at = (p.Start + p.Length + mib - 1) / mib * mib
		table.Partitions = append(table.Partitions, p)
	}
	return table
}

func TestKernelPartitions(t *testing.T) {
	testroot.Require(t)
	for _, sectorSize := range []int{512, 4096} {
		device := attach(t, 64*mib, sectorSize)
		path, err := partition.Add(device.File(), 2, 3*mib, 5*mib)
		must(t, err)
		node, err := os.OpenFile(path, os.O_RDWR, 0)
		must(t, err)
		end, err := node.Seek(0, 2)
		must(t, err)
		_, err = node.WriteAt([]byte("here"), 0)
		must(t, err)
		if end != 5*mib {
			t.Errorf("%s has %d bytes, want %d", path, end, 5*mib)
		}
		if err := partition.Delete(device.File(), 2); !errors.Is(err, unix.EBUSY) {
			t.Errorf("Delete of an open partition = %v, want EBUSY", err)
		}
		must(t, node.Close())
		content := make([]byte, 4)
		_, err = device.File().ReadAt(content, 3*mib)
		must(t, err)
		if string(content) != "here" {
			t.Errorf("the disk has %q where the partition begins", content)
		}
		if _, err := partition.Add(device.File(), 3, 4*mib, mib); !errors.Is(err, unix.EBUSY) {
			t.Errorf("Add of an overlapping partition = %v, want EBUSY", err)
		}
		_, err = partition.Add(device.File(), 7, 60*mib, mib)
		must(t, err, partition.DeleteAll(device.File()))
		left, err := filepath.Glob("/sys/block/" + filepath.Base(device.Path) + "/loop*p*")
		must(t, err)
		if len(left) != 0 {
			t.Errorf("left after DeleteAll: %q", left)
		}
	}
}

// Equal tables are equal bytes, wherever they are written.
func TestTablesAreReproducible(t *testing.T) {
	testroot.Require(t)
	table := partition.GPT{SectorSize: 512, DiskSize: 8 * mib, DiskGUID: newGUID(7)}
	var contents [2][]byte
	for i := range contents {
		device := attach(t, 8*mib, 512)
		must(t, table.Write(device.File()))
		contents[i] = make([]byte, 8*mib)
		_, err := device.File().ReadAt(contents[i], 0)
		must(t, err)
	}
	if !slices.Equal(contents[0], contents[1]) {
		t.Error("two disks with one table differ")
	}
}
