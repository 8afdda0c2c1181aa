package blockdevice

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// onDisk returns a layout with a root filesystem on the first of the partitions.
func onDisk(label, partitions string) string {
	return "- local_loop: {name: image0}\n- partitioning: {name: t, base: image0, label: " + label + ", partitions: [" + partitions + "]}\n" +
		"- mkfs: {name: mkfs_root, base: a, mount: {mount_point: /}}\n"
}

func TestPartitionTypes(t *testing.T) {
	for _, test := range []struct{ label, keys, want string }{
		{"mbr", "flags: [primary]", "1 0x83"},
		{"mbr", "", "5 0x83"},
		{"mbr", "flags: [boot, primary], type: '0x41'", "1 0x41 boot"},
		{"mbr", "flags: [boot], type: 0x0c", "5 0xc boot"},
		{"mbr", "type: 'EF'", "5 0xef"},
		{"gpt", "", "1 0FC63DAF-8483-4772-8E79-3D69D8477DE4 0"},
		{"gpt", "type: 8300", "1 0FC63DAF-8483-4772-8E79-3D69D8477DE4 0"},
		{"gpt", "flags: [boot], type: ef02", "1 21686148-6449-6E6F-744E-656564454649 0"},
		{"gpt", "type: '0x4100'", "1 9E1A2D38-C612-4316-AA26-8B49521E5A8B 0"},
		{"gpt", "type: C12A7328-F81F-11D2-BA4B-00A0C93EC93B", "1 C12A7328-F81F-11D2-BA4B-00A0C93EC93B 0"},
	} {
		l := parse(t, onDisk(test.label, "{name: a, size: 100%, "+test.keys+"}"), Params{})
		table := l.tables[0]
		places, err := table.places(100*mib, 512)
		if err != nil {
			t.Fatal(err)
		}
		var got string
		if test.label == "gpt" {
			p := table.guidTable(places, 100*mib, 512, Params{}).Partitions[0]
			got = fmt.Sprintf("%d %s %d", p.Number, p.Type, p.Attributes)
		} else {
			p := table.mbr(places, 100*mib, 512, Params{}).Partitions[0]
			if got = fmt.Sprintf("%d %#x", p.Number, p.Type); p.Boot {
				got += " boot"
			}
		}
		if got != test.want {
			t.Errorf("%s {%s}: %s, want %s", test.label, test.keys, got, test.want)
		}
	}
}

// A node is made after its base, a partition after the one before it in the table,
// a mount after all whose points come before its own.
func TestOrder(t *testing.T) {
	l := parse(t, `
- mount: {name: m-log, base: f-log, mount_point: /var/log}
- mount: {name: m-var, base: f-var, mount_point: /var}
- mount: {name: m-root, base: f-root, mount_point: /}
- mkfs: {name: f-log, base: one, type: ext4}
- mkfs: {name: f-var, base: two, type: ext4}
- mkfs: {name: f-root, base: three, type: ext4}
- partitioning: {base: image0, label: gpt, partitions: [{name: three, size: 30%}, {name: two, size: 30%}, {name: one, size: 30%}]}
- local_loop: {name: image0}
`, Params{})
	if got, want := names(l), "image0 three two one f-log f-var f-root m-root m-var m-log"; got != want {
		t.Errorf("nodes %s, want %s", got, want)
	}
	if got, want := l.Value("mount-points"), "/var/log|/var|/"; got != want {
		t.Errorf("mount points %s, want %s", got, want)
	}
}

// All physical volumes are there before the first group.
func TestOrderOfVolumes(t *testing.T) {
	l := parse(t, `
- lvm:
    name: lvm
    lvs: [{name: l1, base: v1, extents: 100%VG}, {name: l2, base: v2, extents: 100%VG}]
    vgs: [{name: v1, base: p1}, {name: v2, base: p2}]
    pvs: [{name: p1, base: image0}, {name: p2, base: data}]
- mkfs: {name: mkfs_root, base: l1, mount: {mount_point: /}}
- local_loop: {name: data}
- local_loop: {name: image0}
`, Params{})
	if got, want := names(l), "lvm image0 p1 data p2 v1 l1 v2 l2 mkfs_root mount_mkfs_root"; got != want {
		t.Errorf("nodes %s, want %s", got, want)
	}
}

func TestBlockSize(t *testing.T) {
	for _, test := range []struct {
		keys   string
		params Params
		want   int
	}{
		{"", Params{}, 512},
		{", block_size: 4096", Params{}, 4096},
		{", block_size: '4096'", Params{}, 4096},
		{", block_size: 512", Params{BlockSize: 4096}, 4096},
	} {
		l := parse(t, "- local_loop: {name: image0"+test.keys+", mkfs: {name: mkfs_root, mount: {mount_point: /}}}", test.params)
		if got := l.byName["image0"].(*disk).blockSize; got != test.want {
			t.Errorf("{%s}, parameter %d: sectors of %d bytes, want %d", test.keys, test.params.BlockSize, got, test.want)
		}
	}
	if _, err := Parse([]byte(builtin), "layout.yaml", Params{BlockSize: 1024}); err == nil || !strings.Contains(err.Error(), "block size 1024 is neither 512 nor 4096") {
		t.Errorf("sectors of 1024 bytes: %v", err)
	}
}

func TestRootOptions(t *testing.T) {
	for _, test := range []struct{ keys, want string }{
		{"name: mkfs_root", "-i 4096 -m 0"},
		{"name: mkfs_root, type: ext4", "-i 4096 -m 0"},
		{"name: mkfs_root, opts: '-N 99'", "-N 99"},
		{"name: other, type: ext4", ""},
	} {
		l := parse(t, "- local_loop: {name: image0, mkfs: {"+test.keys+", mount: {mount_point: /}}}", Params{RootFSOpts: " -i 4096  -m 0"})
		f := l.at("/")
		if got := strings.Join(f.opts, " "); got != test.want {
			t.Errorf("{%s}: options %q, want %q", test.keys, got, test.want)
		}
	}
}

func TestFstab(t *testing.T) {
	l := parse(t, `
- local_loop: {name: image0, mkfs: {name: mkfs_root, mount: {mount_point: /, fstab: {fsck-passno: "1"}}}}
- local_loop: {name: d1, mkfs: {type: xfs, mount: {mount_point: /srv}}}
- local_loop: {name: d2, mkfs: {type: vfat, mount: {mount_point: /boot/efi, fstab: {options: "umask=0077,nofail", dump-freq: 1, fsck-passno: 0}}}}
- local_loop: {name: d3, mkfs: {type: swap, mount: {mount_point: none, fstab: {options: pri=5}}}}
`, Params{})
	const want = "LABEL=cloudimg-rootfs / ext4 defaults 0 1\nLABEL=MKFS_D2 /boot/efi vfat umask=0077,nofail 1 0\nLABEL=mkfs_d3 none swap sw 0 0\n"
	root := t.TempDir()
	path := filepath.Join(root, "etc/fstab")
	wantFile := func(want string) {
		t.Helper()
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("fstab\n%s%v, want\n%s", got, err, want)
		}
	}
	if err := l.WriteFstab(path); err != nil {
		t.Fatal(err)
	}
	wantFile(want)

	// What is there goes, and where a link leads is left alone.
	outside := filepath.Join(root, "outside")
	if err := errors.Join(os.WriteFile(outside, []byte("mine"), 0o644), os.Remove(path), os.Symlink(outside, path)); err != nil {
		t.Fatal(err)
	}
	if err := parse(t, "- local_loop: {name: image0, mkfs: {name: mkfs_root, mount: {mount_point: /}}}", Params{}).WriteFstab(path); err != nil {
		t.Fatal(err)
	}
	wantFile("")
	if got, err := os.ReadFile(outside); err != nil || string(got) != "mine" {
		t.Errorf("the file that fstab was a link to has %q, %v", got, err)
	}
}

func TestStateValues(t *testing.T) {
	s := &State{layout: parse(t, builtin, Params{ImageDir: "/out"}), devices: []device{{"image0", "/dev/loop7"}, {"root", "/dev/loop7p1"}}}
	for key, want := range map[string]string{
		"image-block-device":  "/dev/loop7",
		"image-block-devices": " [image0]=/dev/loop7  [root]=/dev/loop7p1 ",
		"image-path":          "/out/image0.raw",
		"root-fstype":         "ext4",
		"nonsense":            "",
	} {
		if got := s.Value(key); got != want {
			t.Errorf("Value(%q) = %q, want %q", key, got, want)
		}
	}
}

func TestPrograms(t *testing.T) {
	for layout, want := range map[string]string{
		builtin:             "mkfs.ext4 tune2fs",
		efi("512", "33MiB"): "mkfs.ext4 mkfs.vfat tune2fs",
		builtin + "- local_loop: {name: d1, mkfs: {type: swap}}\n- local_loop: {name: d2, mkfs: {type: fat}}\n- local_loop: {name: d3, mkfs: {type: btrfs}}\n": "mkfs.btrfs mkfs.ext4 mkfs.vfat mkswap tune2fs",
		"- local_loop: {name: image0}\n- lvm: {name: l, pvs: [{name: p, base: image0}], vgs: [{name: v, base: [p]}], lvs: [{name: a, base: v, extents: 100%VG}]}\n" +
			"- mkfs: {name: mkfs_root, base: a, type: xfs, mount: {mount_point: /}}": "lvchange lvcreate mkfs.xfs pvcreate vgchange vgcreate",
	} {
		if got := strings.Join(parse(t, layout, Params{}).Programs(), " "); got != want {
			t.Errorf("%s\nprograms %s, want %s", layout, got, want)
		}
	}
}

// A layout as that of the element block-device-efi-lvm.
func TestVolumesForEFI(t *testing.T) {
	mkfs := func(name, point, options string) string {
		return "- mkfs: {name: fs_" + name + ", base: lv_" + name + ", type: xfs, label: " + name + ", mount: {mount_point: " + point + ", fstab: {options: '" + options + "'}}}\n"
	}
	l := parse(t, `
- local_loop: {name: image0}
- partitioning:
    base: image0
    label: gpt
    partitions:
      - {name: ESP, type: EF00, size: 550MiB, mkfs: {type: vfat, mount: {mount_point: /boot/efi, fstab: {}}}}
      - {name: BSP, type: EF02, size: 8MiB}
      - {name: root, flags: [boot], size: 40G}
- lvm:
    name: lvm
    base: [root]
    pvs: [{name: pv, base: root, options: [--force]}]
    vgs: [{name: vg, base: [pv], options: [--force]}]
    lvs: [{name: lv_root, base: vg, extents: 23%VG}, {name: lv_var, base: vg, extents: 57%VG}, {name: lv_home, base: vg, extents: 20%VG}]
`+mkfs("root", "/", "rw,relatime")+mkfs("var", "/var", "rw,relatime")+mkfs("home", "/home", "rw,nodev,relatime"), Params{})
	want := "LABEL=root / xfs rw,relatime 0 2\nLABEL=MKFS_ESP /boot/efi vfat defaults 0 2\nLABEL=home /home xfs rw,nodev,relatime 0 2\nLABEL=var /var xfs rw,relatime 0 2\n"
	if got := l.Fstab(); got != want {
		t.Errorf("fstab\n%swant\n%s", got, want)
	}
	if l.Notices != nil {
		t.Errorf("notices %q", l.Notices)
	}
	if got, want := l.Value("mount-points"), "/boot/efi|/|/var|/home"; got != want {
		t.Errorf("mount points %s, want %s", got, want)
	}
	if got := strings.Join(l.byName["lv_var"].(*logical).command(), " "); !strings.HasSuffix(got, " -l 57%VG vg") {
		t.Errorf("lvcreate %s", got)
	}
	const gib = 1 << 30
	if places, err := l.tables[0].places(38*gib, 512); err != nil || places[2].length != 38146*mib {
		t.Errorf("on 38 GiB: %+v, %v", places, err)
	}
	if _, err := l.tables[0].places(37*gib, 512); err == nil {
		t.Error("40 GB fit on 37 GiB")
	}
}
