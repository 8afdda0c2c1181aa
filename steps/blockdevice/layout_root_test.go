package blockdevice

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/internal/loop"
	"github.com/dibgraph/dibgraph/internal/partition"
	"github.com/dibgraph/dibgraph/internal/testroot"
	"github.com/dibgraph/dibgraph/internal/testtree"
)

func must(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func output(t testing.TB, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// tools runs host tools and shows what they say only when they fail.
func tools(ctx context.Context, name string, args ...string) error {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %q: %w\n%s", name, args, err, out)
	}
	return nil
}

// tinyTree is a root with a bit of everything that layouts put on filesystems of
// their own.
func tinyTree(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range map[string]string{
		"etc/hostname":                  "tiny\n",
		"boot/vmlinuz":                  strings.Repeat("kernel", 50_000),
		"boot/efi/EFI/BOOT/BOOTX64.EFI": strings.Repeat("efi", 100_000),
		"boot/efi/EFI/debian/a long name, with blanks.cfg": "x",
		"boot/efi/deep/1/2/3/4/5/6/7/8/9/a long ümlaut":    "deep",
		"boot/efi/empty file":                              "",
		"var/log/messages":                                 "",
		"usr/bin/tool":                                     strings.Repeat("t", 5000),
	} {
		path := filepath.Join(root, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644))
	}
	must(t, os.Mkdir(filepath.Join(root, "boot/efi/empty dir"), 0o755), os.Link(filepath.Join(root, "usr/bin/tool"), filepath.Join(root, "usr/bin/tool2")),
		os.Chmod(root, 0o755))
	return root
}

// A made disk.
type made struct {
	raw, fstab, devices string
}

// build makes the layout, copies a tiny tree into it, deletes something from it, and
// finishes it.
func build(t *testing.T, layout string, params Params) made {
	t.Helper()
	testroot.CheckMounts(t)
	dir := t.TempDir()
	params.ImageDir, params.MountBase, params.BuildDir = dir, filepath.Join(dir, "mnt"), dir
	if params.ImageSize == "" {
		params.ImageSize = "160MiB"
	}
	l, err := Parse([]byte(layout), "layout.yaml", params)
	must(t, err)
	root := tinyTree(t)
	must(t, l.WriteFstab(filepath.Join(root, "etc/fstab")))
	s, err := l.CreateFrom(t.Context(), tools, Tree{Dir: root, Say: t.Logf})
	must(t, err)
	defer func() { must(t, s.Close()) }()
	checkFilled(t, s, root)
	// A file that comes and goes, as caches do in the finalise phases.
	junk := filepath.Join(params.MountBase, "junk")
	must(t, os.WriteFile(junk, []byte(strings.Repeat("junk", 8<<20)), 0o644))
	unix.Sync()
	must(t, os.Remove(junk))

	result := made{raw: l.Value("image-path"), fstab: l.Fstab(), devices: s.Value("image-block-devices")}
	attachedDevices := s.disks
	must(t, s.Umount(t.Context()), s.FinishFilesystems(t.Context()))
	for name, d := range attachedDevices {
		if d.loop.Attached() {
			t.Errorf("disk %s is still attached to %s", name, d.loop.Path)
		}
	}
	return result
}

// checkFilled compares what is mounted with the tree, and whether our own hands
// filled what they can.
func checkFilled(t *testing.T, s *State, root string) {
	t.Helper()
	// There are more: each filesystem has its lost+found, and not all mount points are
	// in the tree.
	got := testtree.Describe(t, s.layout.params.MountBase)
	for _, line := range testtree.Describe(t, root) {
		if !slices.Contains(got, line) {
			t.Errorf("the copy lacks %s", line)
		}
	}
	for _, m := range s.mounted {
		if _, err := os.Stat(filepath.Join(root, m.point)); err == nil && m.filled != (m.filesystem.fstype == "ext4") {
			t.Errorf("filesystem %s of %s: filled %t", m.filesystem.fstype, m.point, m.filled)
		}
	}
}

// open attaches a finished disk and returns the device of each partition by
// number, 0 being the disk, from what partx reads.
func open(t *testing.T, raw string, blockSize int) map[int]string {
	t.Helper()
	device, err := loop.Attach(raw, loop.Options{ReadOnly: false, BlockSize: blockSize})
	must(t, err)
	t.Cleanup(func() { must(t, device.Close()) })
	devices := map[int]string{0: device.Path}
	out, err := exec.Command("partx", "--raw", "--noheadings", "-o", "NR,START,SECTORS,TYPE", device.Path).Output()
	if err != nil {
		return devices // no table
	}
	for line := range strings.Lines(string(out)) {
		var number int
		var start, length int64
		var kind string
		_, err := fmt.Sscan(line, &number, &start, &length, &kind)
		must(t, err)
		if kind == "0xf" {
			continue
		}
		path, err := partition.Add(device.File(), number, start*512, length*512)
		must(t, err)
		devices[number] = path
	}
	return devices
}

// wants is what blkid says of a filesystem.
type wants struct{ fstype, label string }

// check checks every filesystem of a disk with its own tool.
func check(t *testing.T, devices map[int]string, want map[int]wants) {
	t.Helper()
	for number, w := range want {
		device := devices[number]
		if device == "" {
			t.Errorf("no partition %d: %v", number, devices)
			continue
		}
		for key, value := range map[string]string{"TYPE": w.fstype, "LABEL": w.label} {
			if got := strings.TrimSpace(output(t, "blkid", "-p", "-s", key, "-o", "value", device)); got != value {
				t.Errorf("partition %d: %s %q, want %q", number, key, got, value)
			}
		}
		switch w.fstype {
		case "ext2", "ext3", "ext4":
			output(t, "e2fsck", "-fn", device)
		case "xfs":
			output(t, "xfs_repair", "-n", device)
		case "vfat":
			output(t, "fsck.vfat", "-n", device)
		}
	}
}

const mountRoot = `
        mkfs:
          mount:
            mount_point: /
            fstab: {options: "defaults", fsck-passno: 1}
`

var layouts = []struct {
	name      string
	layout    string
	params    Params
	blockSize int
	want      map[int]wants
	fstab     string
	gpt       bool
}{
	{
		name:   "default",
		layout: builtin,
		want:   map[int]wants{0: {"ext4", "cloudimg-rootfs"}},
		fstab:  "LABEL=cloudimg-rootfs / ext4 defaults 0 1\n",
	},
	{
		name: "mbr",
		layout: `
- local_loop: {name: image0}
- partitioning:
    base: image0
    label: mbr
    partitions:
      - name: root
        flags: [boot, primary]
        size: 100%` + mountRoot,
		params: Params{RootLabel: "myroot", RootFSOpts: "-E resize=1000000 -O ^metadata_csum -i 4096 -J size=8"},
		want:   map[int]wants{1: {"ext4", "myroot"}},
		fstab:  "LABEL=myroot / ext4 defaults 0 1\n",
	},
	{
		name: "mbr xfs",
		layout: `
- local_loop: {name: image0, size: 400MiB}
- partitioning:
    base: image0
    label: mbr
    partitions:
      - name: root
        flags: [boot, primary]
        size: 100%` + mountRoot,
		params: Params{RootFSType: "xfs"},
		want:   map[int]wants{1: {"xfs", "img-rootfs"}},
		fstab:  "LABEL=img-rootfs / xfs defaults 0 1\n",
	},
	{
		name: "mbr logical swap",
		layout: `
- local_loop: {name: image0}
- partitioning:
    base: image0
    label: mbr
    partitions:
      - name: boot
        flags: [boot, primary]
        size: 20MiB
      - name: root
        flags: [primary]
        size: 40%
      - {name: swap, size: 10M, type: 0x82}
      - {name: var, size: 50%}
      - {name: home, size: 100%}
- mkfs: {name: boot_fs, base: boot, type: ext2, label: BOOT}
- mkfs: {name: mkfs_root, base: root, type: ext3}
- mkfs: {base: swap, type: swap, label: SWAP}
- mkfs: {base: var, type: ext4, opts: "-m 0 -J size=4"}
- mkfs: {base: home, type: ext4, opts: "-O ^has_journal"}
- mount: {name: m_boot, base: boot_fs, mount_point: /boot}
- mount: {name: m_root, base: mkfs_root, mount_point: /}
- mount: {name: m_var, base: mkfs_var, mount_point: /var}
- mount: {name: m_home, base: mkfs_home, mount_point: /var/home dir}
- mount: {name: m_swap, base: mkfs_swap, mount_point: swap}
- fstab: {base: m_root, fsck-passno: 1}
- fstab: {base: m_boot, options: "ro,noatime", dump-freq: 1}
- fstab: {base: m_var}
- fstab: {base: m_home}
- fstab: {base: m_swap}
`,
		want: map[int]wants{1: {"ext2", "BOOT"}, 2: {"ext3", "cloudimg-rootfs"}, 5: {"swap", "SWAP"}, 6: {"ext4", "mkfs_var"}, 7: {"ext4", "mkfs_home"}},
		fstab: "LABEL=cloudimg-rootfs / ext3 defaults 0 1\nLABEL=BOOT /boot ext2 ro,noatime 1 2\nLABEL=mkfs_var /var ext4 defaults 0 2\n" +
			"LABEL=mkfs_home /var/home\\040dir ext4 defaults 0 2\nLABEL=SWAP none swap sw 0 0\n",
	},
	{
		name: "gpt",
		layout: `
- local_loop: {name: image0}
- partitioning:
    base: image0
    label: gpt
    partitions:
      - {name: BSP, type: EF02, size: 8MiB}
      - name: root
        size: 100%
        mkfs:
          type: ext4
          mount: {mount_point: /, fstab: {options: defaults, fsck-passno: 1}}
`,
		params: Params{RootFSType: "xfs"}, // the layout wins
		want:   map[int]wants{2: {"ext4", "cloudimg-rootfs"}},
		fstab:  "LABEL=cloudimg-rootfs / ext4 defaults 0 1\n",
		gpt:    true,
	},
	{name: "efi", layout: efi("512", "33MiB"), want: efiWants, fstab: efiFstab, gpt: true},
	// mkfs.vfat makes FAT16 of it with 4096-byte sectors.
	{name: "efi 4k", layout: efi("4096", "64MiB"), params: Params{ImageSize: "256MiB"}, blockSize: 4096, want: efiWants, fstab: efiFstab, gpt: true},
	{name: "efi fat32", layout: strings.Replace(efi("512", "60MiB"), "type: vfat", "type: vfat\n          opts: -F 32 -s 1", 1), want: efiWants, fstab: efiFstab, gpt: true},
}

const efiFstab = "LABEL=cloudimg-rootfs / ext4 defaults 0 1\nLABEL=MKFS_ESP /boot/efi vfat defaults 0 2\n"

var efiWants = map[int]wants{1: {"vfat", "MKFS_ESP"}, 3: {"ext4", "cloudimg-rootfs"}}

func efi(blockSize, esp string) string {
	return `
- local_loop: {name: image0, block_size: ` + blockSize + `}
- partitioning:
    base: image0
    label: gpt
    partitions:
      - name: ESP
        type: EF00
        size: ` + esp + `
        mkfs:
          type: vfat
          mount: {mount_point: /boot/efi, fstab: {options: defaults, fsck-passno: 2}}
      - {name: BSP, type: EF02, size: 8MiB}
      - name: root
        type: '8300'
        size: 100%
        mkfs:
          type: ext4
          mount: {mount_point: /, fstab: {options: defaults, fsck-passno: 1}}
`
}

func TestLayouts(t *testing.T) {
	testroot.Require(t)
	for _, test := range layouts {
		t.Run(test.name, func(t *testing.T) {
			first := build(t, test.layout, test.params)
			if first.fstab != test.fstab {
				t.Errorf("fstab\n%swant\n%s", first.fstab, test.fstab)
			}
			blockSize := max(test.blockSize, 512)
			devices := open(t, first.raw, blockSize)
			check(t, devices, test.want)
			checkTree(t, devices, test.want)
			if test.gpt {
				if out := output(t, "sgdisk", "-v", devices[0]); !strings.Contains(out, "No problems found") {
					t.Errorf("sgdisk -v:\n%s", out)
				}
			}
			if len(devices) > 1 {
				output(t, "sfdisk", "--verify", devices[0])
			}
			checkSparse(t, first.raw, test.params.RootFSType == "xfs" && !test.gpt)

			// The same seed again: the same table and identifiers.
			second := open(t, build(t, test.layout, test.params).raw, blockSize)
			if a, b := identifiers(t, devices), identifiers(t, second); a != b {
				t.Errorf("two disks of one seed:\n%s\n%s", a, b)
			}
			test.params.Seed = [32]byte{1}
			third := open(t, build(t, test.layout, test.params).raw, blockSize)
			if a, b := identifiers(t, devices), identifiers(t, third); a == b {
				t.Errorf("two disks of different seeds have the same identifiers:\n%s", a)
			}
		})
	}
}

// identifiers returns the table and what blkid says of each device.
func identifiers(t *testing.T, devices map[int]string) string {
	t.Helper()
	var text strings.Builder
	if len(devices) > 1 {
		dump := output(t, "sfdisk", "--dump", devices[0])
		text.WriteString(strings.ReplaceAll(dump, devices[0], "DISK"))
	}
	for _, number := range slices.Sorted(func(yield func(int) bool) {
		for n := range devices {
			if !yield(n) {
				return
			}
		}
	}) {
		out, err := exec.Command("blkid", "-p", "-o", "export", devices[number]).Output()
		if err != nil {
			continue // BIOS boot: nothing on it
		}
		for line := range strings.Lines(string(out)) {
			// Which loop device it is differs, of course.
			if !strings.HasPrefix(line, "DEVNAME=") && !strings.HasPrefix(line, "PART_ENTRY_DISK=") {
				text.WriteString(line)
			}
		}
		if hash, err := exec.Command("dumpe2fs", "-h", devices[number]).Output(); err == nil {
			text.WriteString(regexp.MustCompile(`Directory Hash Seed:.*`).FindString(string(hash)))
		}
	}
	return text.String()
}

// checkTree looks into the finished filesystems for the tiny tree.
func checkTree(t *testing.T, devices map[int]string, want map[int]wants) {
	t.Helper()
	for number, w := range want {
		if w.fstype != "vfat" {
			continue
		}
		image := devices[number]
		listing := output(t, "env", "MTOOLS_SKIP_CHECK=1", "LC_ALL=C.UTF-8", "mdir", "-i", image, "-/", "-b", "::")
		for _, name := range []string{"::/EFI/BOOT/BOOTX64.EFI", "::/EFI/debian/a long name, with blanks.cfg", "::/deep/1/2/3/4/5/6/7/8/9/a long ümlaut", "::/empty file", "::/empty dir/"} {
			if !strings.Contains(listing, name+"\n") {
				t.Errorf("the vfat lacks %s:\n%s", name, listing)
			}
		}
		// Output, not CombinedOutput: mtools wonders about the device's geometry.
		content, err := exec.Command("env", "MTOOLS_SKIP_CHECK=1", "mtype", "-i", image, "::/EFI/BOOT/BOOTX64.EFI").Output()
		if err != nil || string(content) != strings.Repeat("efi", 100_000) {
			t.Errorf("BOOTX64.EFI has %d bytes of other content: %v", len(content), err)
		}
	}
	for number, w := range want {
		if w.label != "cloudimg-rootfs" && w.label != "myroot" || w.fstype == "xfs" {
			continue
		}
		if content := output(t, "debugfs", "-R", "cat /etc/hostname", devices[number]); !strings.HasSuffix(content, "tiny\n") {
			t.Errorf("/etc/hostname on the disk is %q", content)
		}
		features := output(t, "dumpe2fs", "-h", devices[number])
		if !strings.Contains(features, "has_journal") {
			t.Errorf("the root filesystem has no journal:\n%s", features)
		}
	}
}

// checkSparse checks that deleted files and empty tables take no room.
func checkSparse(t *testing.T, raw string, xfs bool) {
	t.Helper()
	var stat unix.Stat_t
	must(t, unix.Stat(raw, &stat))
	// Of the layouts above the biggest takes 19 MiB, but the log of xfs alone has 64
	// MiB, which mkfs writes as zeros; the deleted file had 32.
	most := int64(40 << 20)
	if xfs {
		most = 80 << 20
	}
	if used := stat.Blocks * 512; used > most {
		t.Errorf("the raw file takes %d of %d bytes, want %d at most", used, stat.Size, most)
	}
}
