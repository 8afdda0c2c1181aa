package steps

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/dibgraph/dibgraph/internal/partition"
	"github.com/dibgraph/dibgraph/internal/testroot"
)

// makeDisk makes a disk with a filesystem that has one file, and a partition of
// which nobody knows what is in it.
func makeDisk(t *testing.T, file, unknown string) string {
	t.Helper()
	const mib = 1 << 20
	disk, tree := filepath.Join(t.TempDir(), "disk.raw"), t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Mkdir(filepath.Join(tree, "etc"), 0o755))
	must(os.WriteFile(filepath.Join(tree, "etc/file"), []byte(file), 0o644))
	must(os.WriteFile(disk, nil, 0o600))
	must(os.Truncate(disk, 16*mib))
	mkfs := exec.Command("mkfs.ext4", "-q", "-F", "-d", tree, "-E", "offset=1048576", disk, "8M")
	if out, err := mkfs.CombinedOutput(); err != nil {
		t.Fatalf("mkfs.ext4: %v\n%s", err, out)
	}
	f, err := os.OpenFile(disk, os.O_RDWR, 0)
	must(err)
	defer f.Close()
	must(partition.MBR{SectorSize: 512, DiskSize: 16 * mib, DiskID: 1, Partitions: []partition.MBRPartition{
		{Number: 1, Start: mib, Length: 8 * mib, Type: 0x83}, {Number: 2, Start: 10 * mib, Length: mib, Type: 0x83},
	}}.Write(f))
	_, err = f.WriteAt([]byte(unknown), 10*mib)
	must(err)
	return disk
}

// What cannot be looked into does not hide what can.
func TestCompareImages(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	before := makeDisk(t, "one", "one")
	for _, test := range []struct {
		name, file, unknown string
		able                bool
		path                string
	}{
		{"the same", "one", "one", true, ""},
		{"a file", "two", "one", true, "mnt/etc/file"},
		{"what is unknown", "one", "two", false, ""},
		{"both", "two", "two", true, "mnt/etc/file"},
	} {
		c, able, err := new(Disk).CompareOutput(t.Context(), RawOutput, before, makeDisk(t, test.file, test.unknown), t.TempDir())
		var path string
		for _, d := range c.Differences {
			path += d.Path
		}
		if err != nil || able != test.able || path != test.path {
			t.Errorf("%s differs: able %t, %q, %v; want %t, %q", test.name, able, path, err, test.able, test.path)
		}
	}
}
