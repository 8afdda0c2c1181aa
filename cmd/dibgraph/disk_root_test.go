package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/internal/loop"
	"github.com/dibgraph/dibgraph/internal/mount"
	"github.com/dibgraph/dibgraph/internal/partition"
)

// varied makes files of every sort, and one that only finalise.d writes.
var varied = map[string]string{
	"elements/app/install.d/50-varied": `#!/bin/sh
set -e
mkdir -p /opt/app/deep/er /boot/efi/EFI/BOOT /var/lib/app
echo app > /opt/app/file
chown 12:34 /opt/app/file
chmod 4750 /opt/app/file
ln /opt/app/file /opt/app/deep/er/linked
ln -s ../file /opt/app/deep/link
ln -s /nowhere /opt/app/broken
mkfifo /opt/app/pipe
mknod -m 600 /opt/app/device c 1 3
mkdir -m 3775 /opt/app/shared
chown 1000:1000 /opt/app/shared
truncate -s 8M /opt/app/sparse
echo end >> /opt/app/sparse
: > "/opt/app/a name with blanks and ümläuts"
echo loader > /boot/efi/EFI/BOOT/BOOTX64.EFI
echo state > /var/lib/app/state
`,
	"elements/app/post-root.d/50-attribute": `#!/bin/sh
xattr "$TMP_MOUNT_PATH/opt/app/file" user.app value
`,
	"elements/app/finalise.d/50-finalise": `#!/bin/sh
grep ' / ' /proc/self/mounts > /etc/finalised-on
echo finalised > /opt/app/finalised
`,
}

// A partitionWant is what a partition of a finished image is to hold; number 0
// is the disk without partitions.
type partitionWant struct {
	number        int
	fstype, label string
	mountPoint    string // where it is in the tree; empty if it is not mounted
}

const swapLayout = `
- local_loop: {name: image0}
- partitioning:
    base: image0
    label: mbr
    partitions:
      - name: root
        flags: [boot, primary]
        size: 70%
        mkfs: {mount: {mount_point: /, fstab: {options: "noatime", fsck-passno: 1}}}
      - name: swap
        type: '0x82'
        size: 100%
        mkfs: {type: swap, label: pages, mount: {mount_point: swap, fstab: {}}}
`

const manyLayout = `
- local_loop: {name: image0}
- partitioning:
    base: image0
    label: gpt
    partitions:
      - {name: root, size: 60%, mkfs: {mount: {mount_point: /, fstab: {fsck-passno: 1}}}}
      - {name: opt, size: 100%, mkfs: {type: ext2, label: OPT, mount: {mount_point: /opt/app, fstab: {options: "nodev"}}}}
`

var diskTests = []struct {
	name     string
	elements []string
	env      []string
	want     []partitionWant
	fstab    string
}{
	{
		name:  "built-in",
		want:  []partitionWant{{0, "ext4", "cloudimg-rootfs", "/"}},
		fstab: "LABEL=cloudimg-rootfs / ext4 defaults 0 1\n",
	},
	{
		name:  "xfs",
		env:   []string{"FS_TYPE=xfs", "DIB_IMAGE_SIZE=0.4"}, // the least mkfs.xfs takes is 300 MiB
		want:  []partitionWant{{0, "xfs", "img-rootfs", "/"}},
		fstab: "LABEL=img-rootfs / xfs defaults 0 1\n",
	},
	{
		name:     "mbr",
		elements: []string{"block-device-mbr"},
		env:      []string{"ROOT_LABEL=mine"},
		want:     []partitionWant{{1, "ext4", "mine", "/"}},
		fstab:    "LABEL=mine / ext4 defaults 0 1\n",
	},
	{
		name:     "gpt",
		elements: []string{"block-device-gpt"},
		want:     []partitionWant{{2, "ext4", "cloudimg-rootfs", "/"}},
		fstab:    "LABEL=cloudimg-rootfs / ext4 defaults 0 1\n",
	},
	{
		name:     "efi",
		elements: []string{"block-device-efi"},
		env:      []string{"DIB_IMAGE_SIZE=0.1"}, // to which the partition for EFI is added
		want:     []partitionWant{{1, "vfat", "MKFS_ESP", "/boot/efi"}, {3, "ext4", "cloudimg-rootfs", "/"}},
		fstab:    "LABEL=cloudimg-rootfs / ext4 defaults 0 1\nLABEL=MKFS_ESP /boot/efi vfat defaults 0 2\n",
	},
	{
		name:  "inline layout with swap",
		env:   []string{"DIB_BLOCK_DEVICE_CONFIG=" + swapLayout, "DIB_IMAGE_SIZE=0.1"},
		want:  []partitionWant{{1, "ext4", "cloudimg-rootfs", "/"}, {5, "swap", "pages", ""}},
		fstab: "LABEL=cloudimg-rootfs / ext4 noatime 0 1\nLABEL=pages none swap sw 0 0\n",
	},
	{
		name:  "layout in a file",
		env:   []string{"DIB_BLOCK_DEVICE_CONFIG=file://layout.yaml", "DIB_IMAGE_SIZE=0.2"},
		want:  []partitionWant{{1, "ext4", "cloudimg-rootfs", "/"}, {2, "ext2", "OPT", "/opt/app"}},
		fstab: "LABEL=cloudimg-rootfs / ext4 defaults 0 1\nLABEL=OPT /opt/app ext2 nodev 0 2\n",
	},
}

func TestDisks(t *testing.T) {
	p := newProgram(t)
	for name, text := range varied {
		p.write(name, text)
	}
	p.write("layout.yaml", manyLayout)
	for _, test := range diskTests {
		t.Run(test.name, func(t *testing.T) {
			one := &program{t: t, dir: p.dir, env: append(append([]string{}, p.env...), test.env...)}
			image := filepath.Join(t.TempDir(), "image")
			args := append([]string{"build", "-n", "-t", "raw,qcow2,tar", "-o", image, "tiny", "app"}, test.elements...)
			stdout, _ := one.run(args...)
			if want := image + ".raw\n" + image + ".qcow2\n" + image + ".tar\n"; stdout != want {
				t.Errorf("delivered %q, want %q", stdout, want)
			}
			one.tool("qemu-img", "compare", image+".raw", image+".qcow2")
			tree := openImage(t, image+".raw", test.want)
			checkVaried(t, tree, test.fstab)
			want := describeTar(one, t.TempDir(), image+".tar")
			for _, w := range test.want {
				if w.fstype == "vfat" {
					dropBelow(want, w.mountPoint)
				}
			}
			compareTrees(t, describeTree(t, tree), want)
			if _, stderr := one.run(args...); !strings.Contains(stderr, "nothing ran") {
				t.Errorf("a second build ran something:\n%s", stderr)
			}
		})
	}
}

// dropBelow takes what is below a mount point out of a description.
func dropBelow(tree map[string]string, mountPoint string) {
	maps.DeleteFunc(tree, func(name, _ string) bool { return strings.HasPrefix("/"+name, mountPoint+"/") })
}

// checkVaried checks what the hooks made on a mounted image.
func checkVaried(t *testing.T, root, fstab string) {
	t.Helper()
	tree := describeTree(t, root)
	wantFile(t, tree, "opt/app/file", "urwxr-x--- 12:34 one of 2 with opt/app/deep/er/linked 4 bytes", "app=value")
	wantFile(t, tree, "opt/app/deep/er/linked", "urwxr-x--- 12:34 one of 2 with opt/app/deep/er/linked", "app=value")
	wantFile(t, tree, "opt/app/deep/link", "Lrwxrwxrwx 0:0", "-> ../file")
	wantFile(t, tree, "opt/app/broken", "L", "-> /nowhere")
	wantFile(t, tree, "opt/app/pipe", "prw-r--r-- 0:0", "")
	wantFile(t, tree, "opt/app/device", "Dcrw------- 0:0", "1:3")
	wantFile(t, tree, "opt/app/shared", "dgtrwxrwxr-x 1000:1000", "")
	wantFile(t, tree, "opt/app/a name with blanks and ümläuts", "-rw-r--r-- 0:0 0 bytes", "")
	wantFile(t, tree, "opt/app/finalised", "-", "")
	wantFile(t, tree, "var/lib/app/state", "-rw-r--r-- 0:0 6 bytes", "")
	if got, err := os.ReadFile(filepath.Join(root, "etc/fstab")); err != nil || string(got) != fstab {
		t.Errorf("fstab %q, %v, want %q", got, err, fstab)
	}
	info, err := os.Stat(filepath.Join(root, "opt/app/sparse"))
	if err != nil {
		t.Fatal(err)
	}
	// The end is one block, and a filesystem may add a little to find it.
	if used := info.Sys().(*syscall.Stat_t).Blocks * 512; used > 64<<10 {
		t.Errorf("a sparse file takes %d bytes of the image", used)
	}
}

// openImage checks the filesystems of a raw image and mounts them, read-only,
// as fstab has them. It returns where.
func openImage(t *testing.T, raw string, want []partitionWant) string {
	t.Helper()
	device, err := loop.Attach(raw, loop.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// A sandbox that another test began meanwhile has copies of the mounts
		// below, and lets go of the device when it ends.
		if err := device.Close(); err != nil && !errors.Is(err, unix.EBUSY) {
			t.Error(err)
		}
	})
	devices := partitions(t, device)
	for _, w := range want {
		checkFilesystem(t, devices[w.number], w)
	}
	root := t.TempDir()
	for _, top := range []bool{true, false} {
		for _, w := range want {
			if w.mountPoint != "" && w.mountPoint == "/" == top {
				mountPartition(t, devices[w.number], filepath.Join(root, w.mountPoint), w.fstype)
			}
		}
	}
	return root
}

// partitions returns the devices of the partitions by number; 0 is the disk.
func partitions(t *testing.T, device *loop.Device) map[int]string {
	t.Helper()
	devices := map[int]string{0: device.Path}
	out, err := exec.Command("partx", "--raw", "--noheadings", "-o", "NR,START,SECTORS,TYPE", device.Path).Output()
	if err != nil {
		return devices // a disk without partitions
	}
	for line := range strings.Lines(string(out)) {
		var number int
		var start, sectors int64
		var kind string
		if _, err := fmt.Sscan(line, &number, &start, &sectors, &kind); err != nil {
			t.Fatalf("partx says %q: %v", line, err)
		}
		if kind == "0xf" {
			continue // what holds the logical ones
		}
		if devices[number], err = partition.Add(device.File(), number, start*512, sectors*512); err != nil {
			t.Fatal(err)
		}
	}
	return devices
}

// checkFilesystem checks a filesystem with its own tool.
func checkFilesystem(t *testing.T, device string, want partitionWant) {
	t.Helper()
	if device == "" {
		t.Fatalf("there is no partition %d", want.number)
	}
	for key, value := range map[string]string{"TYPE": want.fstype, "LABEL": want.label} {
		out, err := exec.Command("blkid", "-p", "-s", key, "-o", "value", device).Output()
		if got := strings.TrimSpace(string(out)); err != nil || got != value {
			t.Errorf("%s of partition %d is %q, %v, want %q", key, want.number, got, err, value)
		}
	}
	for fstype, command := range map[string][]string{
		"ext2": {"e2fsck", "-fn"}, "ext4": {"e2fsck", "-fn"}, "xfs": {"xfs_repair", "-n"}, "vfat": {"fsck.vfat", "-n"},
	} {
		if fstype != want.fstype {
			continue
		}
		if out, err := exec.Command(command[0], command[1], device).CombinedOutput(); err != nil {
			t.Errorf("%s finds faults in partition %d: %v\n%s", command[0], want.number, err, out)
		}
	}
}

// mountPartition mounts a partition at a place until the end of the test. One
// that the kernel may not know, the FAT of EFI, is only read.
func mountPartition(t *testing.T, device, at, fstype string) {
	t.Helper()
	if fstype == "vfat" {
		out, err := exec.Command("mtype", "-i", device, "::/EFI/BOOT/BOOTX64.EFI").Output()
		if err != nil || string(out) != "loader\n" {
			t.Errorf("the boot loader on the FAT is %q, %v", out, err)
		}
		return
	}
	options := ""
	if fstype == "xfs" {
		options = "nouuid"
	}
	if err := mount.Type(fstype, device, at, unix.MS_RDONLY, options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := mount.Unmount(at); err != nil {
			t.Error(err)
		}
	})
}

// describeTar describes the tree in a tar file, unpacked into dir.
func describeTar(p *program, dir, name string) map[string]string {
	p.t.Helper()
	p.tool("tar", "-C", dir, "--xattrs", "--xattrs-include=*", "--numeric-owner", "-xpf", name)
	return describeTree(p.t, dir)
}
