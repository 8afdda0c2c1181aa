package blockdevice

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// parse fails the test when the layout has problems.
func parse(t *testing.T, layout string, params Params) *Layout {
	t.Helper()
	l, err := Parse([]byte(layout), "layout.yaml", params)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func names(l *Layout) string {
	var all []string
	for _, n := range l.Nodes() {
		all = append(all, n.Name)
	}
	return strings.Join(all, " ")
}

func TestParseNotations(t *testing.T) {
	const want = "image0 root mkfs_root mount_mkfs_root fstab_mount_mkfs_root"
	for name, layout := range map[string]string{
		"tree": `
- local_loop:
    name: image0
    partitioning:
      label: mbr
      partitions:
        - name: root
          size: 100%
          flags: [boot, primary]
          mkfs:
            mount:
              mount_point: /
              fstab:
`,
		"flat, backwards": `
- fstab: {base: mount_mkfs_root}
- mount: {base: mkfs_root, mount_point: /}
- mkfs: {base: root}
- partitioning: {base: image0, label: mbr, partitions: [{name: root, size: 100%, flags: [boot, primary]}]}
- local_loop: {name: image0}
`,
		"mixed, with anchors": `
- local_loop: {name: image0}
- partitioning:
    base: image0
    label: mbr
    partitions:
      - &common {name: root, size: 100%, flags: [boot, primary]}
- mkfs:
    base: root
    mount:
      <<: {mount_point: /}
      fstab: {options: defaults}
`,
		"nested, with other bases": `
- local_loop:
    name: image0
    mount:                    # not on the disk
      base: mkfs_root
      mount_point: /
      fstab:
    partitioning:
      label: mbr
      name: root              # of the table, which is no node
      partitions:
        - {name: root, base: nothing, size: 100%, flags: [boot, primary]}
    mkfs: {name: mkfs_root, base: root}
`,
	} {
		l := parse(t, layout, Params{RootFSType: "ext4"})
		if got := names(l); got != want {
			t.Errorf("%s: nodes %s, want %s", name, got, want)
		}
		if got, want := l.Fstab(), "LABEL=cloudimg-rootfs / ext4 defaults 0 2\n"; got != want {
			t.Errorf("%s: fstab %q, want %q", name, got, want)
		}
	}
}

func TestValues(t *testing.T) {
	layout := strings.Replace(efi("512", "550MiB"), "- {name: BSP", "- {name: boot, size: 1GiB, mkfs: {type: ext4, mount: {mount_point: /boot}}}\n      - {name: BSP", 1)
	for _, test := range []struct {
		layout string
		params Params
		want   map[string]string
	}{
		{builtin, Params{ImageDir: "/images"}, map[string]string{
			"root-label": "cloudimg-rootfs", "root-fstype": "ext4", "boot-label": "", "mount-points": "/",
			"image-path": "/images/image0.raw", "image-block-device": "", "nonsense": "",
		}},
		{builtin, Params{RootFSType: "xfs"}, map[string]string{"root-label": "img-rootfs", "root-fstype": "xfs"}},
		{builtin, Params{RootFSType: "xfs", RootLabel: "mine"}, map[string]string{"root-label": "mine"}},
		// What the layout says wins, and only what is missing there is filled in.
		{strings.Replace(builtin, "name: mkfs_root", "name: mkfs_root\n      label: its", 1), Params{RootFSType: "xfs", RootLabel: "mine"}, map[string]string{"root-label": "its", "root-fstype": "xfs"}},
		{strings.Replace(builtin, "name: mkfs_root", "name: mkfs_root\n      type: xfs", 1), Params{}, map[string]string{"root-label": "img-rootfs", "root-fstype": "xfs"}},
		// A filesystem of another name gets nothing of the parameters.
		{strings.Replace(builtin, "name: mkfs_root", "name: other\n      type: ext3", 1), Params{RootFSType: "xfs", RootLabel: "mine"}, map[string]string{"root-label": "other", "root-fstype": "ext3"}},
		{"- local_loop: {name: swap, mkfs: {type: swap, mount: {mount_point: none}}}\n" + builtin, Params{}, map[string]string{"mount-points": "/"}},
		{"- local_loop: {name: boot, mkfs: {type: vfat, label: esp, mount: {mount_point: /boot/}}}\n" + builtin, Params{}, map[string]string{"mount-points": "/boot|/", "boot-label": "ESP"}},
		{layout, Params{RootFSType: "xfs"}, map[string]string{
			"root-label": "cloudimg-rootfs", "root-fstype": "ext4", "boot-label": "mkfs_boot", "mount-points": "/boot/efi|/boot|/",
		}},
	} {
		l := parse(t, test.layout, test.params)
		for key, want := range test.want {
			if got := l.Value(key); got != want {
				t.Errorf("%+v: Value(%q) = %q, want %q", test.params, key, got, want)
			}
		}
	}
}

func TestParseProblems(t *testing.T) {
	const loop = "- local_loop: {name: image0}\n"
	const root = "- mkfs: {name: mkfs_root, base: image0}\n- mount: {base: mkfs_root, mount_point: /}\n"
	table := func(label, partitions string) string {
		return loop + "- partitioning: {base: image0, label: " + label + ", partitions: [" + partitions + "]}\n- mkfs: {name: mkfs_root, base: p1}\n- mount: {base: mkfs_root, mount_point: /}\n"
	}
	for _, test := range []struct {
		layout string
		want   []string // every problem, in order
	}{
		{"", []string{"layout.yaml: the layout is empty"}},
		{"a: b", []string{"layout.yaml:1: the layout must be a list, and is a map"}},
		{"- local_loop\n- {a: 1, b: 2}\n- 5: {}\n", []string{"layout.yaml:1: an item of the layout must be a map, and is the value local_loop", "layout.yaml:1: an item of the layout must have one key", "layout.yaml:2: an item of the layout must have one key, the name of a module, and has 2", `layout.yaml:3: unknown module "5"`}},
		{"- local_loop: {size: 1GiB}\n", []string{"layout.yaml:1: local_loop has neither a name nor a base"}},
		{loop, []string{"layout.yaml: the layout mounts nothing on /"}},
		{"- local_loop: {name: disk, mkfs: {name: mkfs_root, mount: {mount_point: /}}}", []string{`the layout has no local_loop named "image0"`}},
		{loop + loop + root, []string{`layout.yaml:2: duplicate name "image0"; line 1 has it already`}},
		{loop + root + "- mkfs: {base: nothing, type: ext4}\n- mkfs: {name: b, base: mkfs_root, type: ../ext4}\n", []string{`layout.yaml:4: mkfs "mkfs_nothing": base "nothing" does not exist`, `layout.yaml:5: mkfs "b": type "../ext4" is not the name of a filesystem`, `base "mkfs_root" is a mkfs; it must be a local_loop or a partition or a lv`}},
		{loop + root + "- mkfs: {base: nothing, type: ext4}\n- mount: {base: image0, mount_point: /x}\n", []string{`layout.yaml:4: mkfs "mkfs_nothing": base "nothing" does not exist`, `layout.yaml:5: mount "mount_image0": base "image0" is a local_loop; it must be a mkfs`}},
		{loop + root + "- mkfs: {name: two, base: image0, type: xfs}\n", []string{`layout.yaml:4: mkfs "two": "image0" is already used by "mkfs_root"`}},
		{"- local_loop: {name: image0, size: 5}\n" + root, []string{`layout.yaml:1: local_loop "image0": size 5 is a number to YAML; put it in quotes`}},
		{"- local_loop: {name: image0, size: 5%}\n" + root, []string{`size cannot be a percentage`}},
		{"- local_loop: {name: image0, size: 5 parsec, block_size: 513}\n" + root, []string{`unknown unit "parsec"`, "block size 513 is neither"}},
		{"- local_loop: {name: image0, size: 5MB}\n- partitioning: {base: image0, label: mbr, align: 2048, partitions: [{name: a, size: 10}]}\n- mkfs: {name: mkfs_root, base: a, mount: {mount_point: /}}\n",
			[]string{"align 2048 is a number to YAML; put it in quotes", "size 10 is a number to YAML"}},
		{"- local_loop: {name: image0}\n- partitioning: {base: image0, label: mbr, align: 10%, partitions: [{name: a, size: 1.5}]}\n- mkfs: {name: mkfs_root, base: a, mount: {mount_point: /}}\n",
			[]string{"align cannot be a percentage", "size 1.5 is a number to YAML"}},
		{loop + "- partitioning: {base: image0, label: gpt}\n- partitioning: {label: gpt, partitions: []}\n" + root, []string{`layout.yaml:2: partitioning "partitioning_image0": the key "partitions" is missing`, "layout.yaml:3: partitioning has neither a name nor a base"}},
		{loop + root + "- partitioning: {base: mkfs_root, label: gpt, partitions: [{name: a, size: 1MiB}]}\n", []string{`"mkfs_root" is already used by "partitioning_mkfs_root"`, `partitioning "partitioning_mkfs_root": base "mkfs_root" is not a local_loop`, `partition "a": base "mkfs_root" is a mkfs`}},
		{loop + root + "- partitioning: {base: image0, name: t, partitions: [{name: a, size: 1MiB}]}\n- lvm: {pvs: [], vgs: [], lvs: []}\n", []string{`partitioning "t": the key "label" is missing`, "a lvm needs a name"}},
		{loop + root + "- lvm: {name: l}\n", []string{`lvm "l": the key "pvs" is missing`, `lvm "l": the key "vgs" is missing`, `lvm "l": the key "lvs" is missing`}},
		{loop + "- lvm: {name: l, pvs: [{name: p}], vgs: [{name: v}], lvs: [{name: a, base: v, size: 5%}, {name: b, base: v, type: thin}, {base: v, size: 1G}]}\n" + strings.ReplaceAll(root, "image0", "a"),
			[]string{"a lv needs a name", `pv "p": needs one base, and has 0`, `lv "a": size cannot be a percentage`, `lv "b": give size or extents`, "a thin volume needs a thin-pool"}},
		{loop + "- lvm: {name: l, pvs: [{name: p, base: image0}], vgs: [{name: v, base: image0}], lvs: [{name: a, base: p, size: 1G}]}\n" + strings.ReplaceAll(root, "image0", "a"),
			[]string{`vg "v": base "image0" is a local_loop; it must be a pv`, `lv "a": base "p" is a pv; it must be a vg`}},
		{table("msdos", "{name: p1, size: 1MiB}"), []string{`label "msdos" is neither mbr nor gpt`}},
		{table("gpt", "{name: p1, size: 1MiB, flags: [primary]}"), []string{`gpt has no primary partitions`}},
		{table("mbr", "{name: p1, size: 1MiB, flags: [bot]}, {name: p2}, {size: 5%}"), []string{"a partition needs a name", `unknown flag "bot"`, `partition "p2": the key "size" is missing`}},
		{table("mbr", "{name: p1, size: 1MiB}, {name: p2, size: 1MiB, flags: [primary]}"), []string{`partition "p2": primary partitions come before logical ones`}},
		{table("mbr", strings.Repeat("{name: pX, size: 1MiB, flags: [primary]}, ", 3)+"{name: p1, size: 1MiB}"), []string{`duplicate name "pX"`, `duplicate name "pX"`}},
		{table("gpt", "{name: p1, size: 1MiB, type: ZZ}"), []string{`partition type "ZZ": not a known code`}},
		{table("gpt", "{name: p1, size: 1MiB}, {name: abcdefghijklmnopqrstuvwxyz0123456789X, size: 1MiB}"), []string{"names of 36 characters at most"}},
		{table("mbr", "{name: p1, size: 1MiB, type: '0x100'}"), []string{`partition type "0x100"`}},
		{loop + "- mkfs: {name: mkfs_root, base: image0, label: abcdefghijklmnopq}\n- mount: {base: mkfs_root}\n", []string{"label \"abcdefghijklmnopq\" has 17 characters; ext4 takes 16", `layout.yaml:3: mount "mount_mkfs_root": the key "mount_point" is missing`}},
		{loop + root + "- local_loop: {name: disk, mkfs: {type: ext4, label: cloudimg-rootfs}}\n", []string{`mkfs "mkfs_disk": label "cloudimg-rootfs" is already that of "mkfs_root"`}},
		{loop + root + "- local_loop: {name: a, mkfs: {type: vfat, label: esp}}\n- local_loop: {name: b, mkfs: {type: fat, label: ESP}}\n", []string{`label "ESP" is already that of "mkfs_a"`}},
		{loop + root + "- local_loop: {name: a, mkfs: {type: xfs, label: thirteen-long}}\n- local_loop: {name: a-long-name, mkfs: {type: vfat}}\n- local_loop: {name: c, mkfs: {type: swap, label: seventeen--letter}}\n",
			[]string{`label "thirteen-long" has 13 characters; xfs takes 12`, `label "MKFS_A-LONG-NAME" has 16 characters; vfat takes 11`, `label "seventeen--letter" has 17 characters; swap takes 16`}},
		{loop + "- mkfs: {name: other, base: image0, label: x}\n- mount: {base: other, mount_point: /}\n", []string{`layout.yaml:2: mkfs "other": the key "type" is missing`}},
		{loop + root + "- local_loop: {name: d, mkfs: {type: ext4, mount: {mount_point: /}}}\n", []string{`mount "mount_mkfs_d": "/" is already the mount point of "mount_mkfs_root"`}},
		{loop + root + "- mount: {mount_point: /x}\n- mkfs: {type: ext4}\n- fstab: {}\n", []string{"mount has neither a name nor a base", "mkfs has neither a name nor a base", "fstab has neither a name nor a base"}},
		{loop + root + "- mount: {name: m, mount_point: /x}\n- mkfs: {name: f, type: ext4}\n- fstab: {name: t}\n", []string{`mount "m": needs one base, and has 0`, `mkfs "f": needs one base`, `fstab "t": needs one base`}},
		{loop + "- mkfs: {name: mkfs_root, base: image0, uuid: nope, lable: x}\n- mount: {base: mkfs_root, mount_point: /}\n", []string{`uuid: guid "nope"`}},
		{loop + root + "- mount: {name: again, base: mkfs_root, mount_point: usr/../bin}\n", []string{`"mkfs_root" is already used by "mount_mkfs_root"`, `mount point "usr/../bin" is not a plain absolute path`}},
		{"- local_loop: {name: image0, mkfs: {name: mkfs_root, mountt: {mount_point: /}}}\n", []string{`layout.yaml:1: mkfs "mkfs_root": unknown module "mountt"`}},
		{loop + root + "- fstab: {base: mount_mkfs_root, options: 'a b', fsck-passno: x}\n", []string{"fsck-passno must be a whole number, and is the value x", "options \"a b\" must be words joined by commas"}},
		{loop + root + "- mkfs: {name: a, base: b, type: ext4}\n- mkfs: {name: b, base: a, type: ext4}\n", []string{`base "b" is a mkfs`, `base "a" is a mkfs`}},
		{"- local_loop: {name: image0, name: image1}\n" + root, []string{`local_loop has the key "name" twice`}},
	} {
		_, err := Parse([]byte(test.layout), "layout.yaml", Params{})
		if err == nil {
			t.Errorf("%s\nhas no problems; want %q", test.layout, test.want)
			continue
		}
		lines := strings.Split(err.Error(), "\n")
		if len(lines) != len(test.want) {
			t.Errorf("%s\n%d problems, want %d:\n%v", test.layout, len(lines), len(test.want), err)
			continue
		}
		for i, want := range test.want {
			if !strings.Contains(lines[i], want) {
				t.Errorf("%s\nproblem %q, want %q", test.layout, lines[i], want)
			}
		}
		var problem *Problem
		if !errors.As(err, &problem) || problem.File != "layout.yaml" {
			t.Errorf("%v is not a Problem with a file", err)
		}
	}
}

func TestNotices(t *testing.T) {
	l := parse(t, strings.Replace(builtin, "mount_point: /", "mount_point: /\n        colour: blue", 1)+`
- local_loop: {name: d, directory: /srv}
- partitioning: {base: d, label: mbr, partitions: [{name: p, base: d, size: 100%}]}
- mkfs: {base: p, type: btrfs, label: a-label-of-any-length-which-may-be-too-long}
`, Params{})
	want := []string{
		`layout.yaml:7: mount "mount_mkfs_root": the key "colour" means nothing`,
		`layout.yaml:12: local_loop "d": the directory "/srv" is not used: the file is a result of the build, and kept where these are`,
		`layout.yaml:13: partition "p": the key "base" means nothing`,
		`layout.yaml:14: mkfs "mkfs_p": how long a label btrfs takes is not known; "a-label-of-any-length-which-may-be-too-long" is taken as it is`,
	}
	if !slices.Equal(l.Notices, want) {
		t.Errorf("notices\n%s\nwant\n%s", strings.Join(l.Notices, "\n"), strings.Join(want, "\n"))
	}
}

func TestLVM(t *testing.T) {
	l := parse(t, `
- local_loop: {name: image0}
- lvm:
    name: lvm
    base: [root]
    pvs: [{name: pv, base: root, options: [--force, -y]}, {name: pv2, base: more}]
    vgs: [{name: v-g, base: [pv, pv2], options: [-s, 8M]}]
    lvs:
      - {name: lv_root, base: v-g, extents: 28%VG}
      - {name: pool, base: v-g, size: 9MiB, type: thin-pool}
      - {name: thin, base: v-g, size: 1027MiB, type: thin, thin-pool: pool}
      - {name: both, base: v-g, size: 8M, extents: 1%VG, options: [--wipesignatures, y]}
- partitioning: {base: image0, label: gpt, partitions: [{name: root, size: 50%}, {name: more, size: 100%}]}
- mkfs: {name: mkfs_root, base: lv_root, type: xfs, label: img-rootfs, mount: {mount_point: /}}
`, Params{})
	if got, want := names(l), "image0 lvm root pv more pv2 v-g lv_root pool thin both mkfs_root mount_mkfs_root"; got != want {
		t.Errorf("nodes %s, want %s", got, want)
	}
	var ran []string
	s := &State{layout: l, devices: []device{{"root", "/dev/loop0p1"}, {"more", "/dev/loop0p2"}}}
	s.run = func(_ context.Context, name string, args ...string) error {
		ran = append(ran, name+" "+strings.Join(args, " "))
		return nil
	}
	for _, name := range []string{"pv", "pv2", "v-g"} {
		if err := l.byName[name].create(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if want := []string{"pvcreate /dev/loop0p1 --force -y", "pvcreate /dev/loop0p2", "vgcreate v-g /dev/loop0p1 /dev/loop0p2 -s 8M", "vgchange -an v-g"}; !slices.Equal(ran, want) {
		t.Errorf("ran %q, want %q", ran, want)
	}
	for name, want := range map[string]string{
		"lv_root": "--name lv_root --yes --wipesignatures n -l 28%VG v-g",
		"pool":    "--name pool --yes --wipesignatures n --type thin-pool -L 8388608B v-g",
		"thin":    "--name thin --yes --wipesignatures n --type thin --thin-pool pool -V 1073741824B v-g", // 1,024 MiB
		"both":    "--name both --yes --wipesignatures n -L 4194304B --wipesignatures y v-g",              // 8,000,000 bytes
	} {
		if got := strings.Join(l.byName[name].(*logical).command(), " "); got != want {
			t.Errorf("lvcreate %s, want %s", got, want)
		}
	}
	if got := mapperPath("v-g", "lv_root"); got != "/dev/mapper/v--g-lv_root" {
		t.Errorf("mapperPath = %s", got)
	}
}

func TestMkfs(t *testing.T) {
	p := Params{}
	const env = "env SOURCE_DATE_EPOCH=946684800 "
	for _, test := range []struct{ mkfs, want string }{
		{"{type: ext4, uuid: 01020304-0506-4708-890a-0b0c0d0e0f10, opts: '-E resize=9 -O ^metadata_csum -i 4096 -J size=64 -E stride=2'}",
			env + "E2FSPROGS_FAKE_TIME=946684800 mkfs.ext4 -O ^metadata_csum,^has_journal,^orphan_file -E resize=9,stride=2,hash_seed=SEED -i 4096 -L f -U 01020304-0506-4708-890a-0b0c0d0e0f10 -q DEV"},
		{"{type: ext4, opts: '-J size=65', uuid: 01020304-0506-4708-890a-0b0c0d0e0f10}",
			env + "E2FSPROGS_FAKE_TIME=946684800 mkfs.ext4 -J size=65 -E hash_seed=SEED -L f -U 01020304-0506-4708-890a-0b0c0d0e0f10 -q DEV"},
		{"{type: ext4, opts: '-O has_journal -J size=4', uuid: 01020304-0506-4708-890A-0b0c0d0e0f10}",
			env + "E2FSPROGS_FAKE_TIME=946684800 mkfs.ext4 -O has_journal -J size=4 -E hash_seed=SEED -L f -U 01020304-0506-4708-890a-0b0c0d0e0f10 -q DEV"},
		{"{type: ext3, opts: '-Jsize=4', uuid: 01020304-0506-4708-890a-0b0c0d0e0f10}",
			env + "E2FSPROGS_FAKE_TIME=946684800 mkfs.ext3 -J size=4 -E hash_seed=SEED -L f -U 01020304-0506-4708-890a-0b0c0d0e0f10 -q DEV"},
		{"{type: xfs, opts: '-b  size=4096', uuid: 01020304-0506-4708-890a-0b0c0d0e0f10}",
			env + "mkfs.xfs -b size=4096 -L f -m uuid=01020304-0506-4708-890a-0b0c0d0e0f10 -q DEV"},
		{"{type: vfat, opts: '-F 32', uuid: 01020304-0506-4708-890a-0b0c0d0e0f10}", env + "mkfs.vfat -F 32 -n F -i 01020304 DEV"},
		{"{type: fat, label: Boot, uuid: 01020304-0506-4708-890a-0b0c0d0e0f10}", env + "mkfs.vfat -n BOOT -i 01020304 DEV"},
		{"{type: btrfs, opts: '-M -n 4096', uuid: 01020304-0506-4708-890a-0b0c0d0e0f10}", env + "mkfs.btrfs -M -n 4096 -L f DEV"},
		{"{type: swap, opts: '-x', uuid: 01020304-0506-4708-890a-0b0c0d0e0f10}", env + "mkswap -L f -U 01020304-0506-4708-890a-0b0c0d0e0f10 DEV"},
	} {
		l := parse(t, builtin+"- local_loop: {name: other}\n- mkfs: "+strings.Replace(test.mkfs, "{", "{name: f, base: other, ", 1), p)
		f := l.byName["f"].(*filesystem)
		got := strings.Join(f.mkfs("DEV", 256*mib, p), " ")
		got = strings.ReplaceAll(got, strings.ToLower(p.guid("hash seed", "f").String()), "SEED")
		if !defaultsToOrphanFile("/etc/mke2fs.conf") {
			test.want = strings.Replace(test.want, ",^orphan_file", "", 1)
		}
		if got != test.want {
			t.Errorf("%s:\n%s, want\n%s", test.mkfs, got, test.want)
		}
	}
}

func TestDefaultsToOrphanFile(t *testing.T) {
	for content, want := range map[string]bool{
		"[defaults]\n\tbase_features = sparse_super,large_file\n":                                                          false,
		"[fs_types]\n\text4 = {\n\t\tfeatures = has_journal,extent,metadata_csum_seed,orphan_file\n\t}\n":                  true,
		"[fs_types]\n\text4 = {\n\t\tfeatures = has_journal # orphan_file comes later\n\t#\tfeatures = orphan_file\n\t}\n": false,
	} {
		path := filepath.Join(t.TempDir(), "mke2fs.conf")
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := defaultsToOrphanFile(path); got != want {
			t.Errorf("%q: %t, want %t", content, got, want)
		}
	}
	if defaultsToOrphanFile("/nonexistent") {
		t.Error("without a file: true, want false")
	}
}

func TestChoose(t *testing.T) {
	dir := t.TempDir()
	named := filepath.Join(dir, "$HOME.yaml") // no variable
	if err := os.WriteFile(named, []byte("named"), 0o644); err != nil {
		t.Fatal(err)
	}
	has := func(files ...string) Lookup {
		return func(name string) ([]byte, string, error) {
			if slices.Contains(files, name) {
				return []byte(name), "element/" + name, nil
			}
			return nil, "", fs.ErrNotExist
		}
	}
	both := has("block-device-amd64.yaml", "block-device-default.yaml", "block-device-ppc64el.yaml")
	for _, test := range []struct {
		config, arch   string
		elements       []Lookup
		content, where string
	}{
		{"file://" + named, "amd64", []Lookup{both}, "named", named},
		{"- inline", "amd64", []Lookup{both}, "- inline", "DIB_BLOCK_DEVICE_CONFIG"},
		{"", "amd64", []Lookup{has(), both}, "block-device-amd64.yaml", "element/block-device-amd64.yaml"},
		{"", "arm64", []Lookup{both}, "block-device-default.yaml", "element/block-device-default.yaml"},
		{"", "ppc64le", []Lookup{both}, "block-device-ppc64el.yaml", "element/block-device-ppc64el.yaml"},
		{"", "ppc64", []Lookup{both}, "block-device-ppc64el.yaml", "element/block-device-ppc64el.yaml"},
		{"", "amd64", []Lookup{has("block-device-default.yaml"), both}, "block-device-default.yaml", "element/block-device-default.yaml"},
		{"", "amd64", nil, builtin, "built-in layout"},
	} {
		content, where, err := Choose(test.config, test.arch, test.elements)
		if err != nil || string(content) != test.content || where != test.where {
			t.Errorf("Choose(%q, %q) = %q, %q, %v; want %q, %q", test.config, test.arch, content, where, err, test.content, test.where)
		}
	}
	if _, _, err := Choose("file:///nonexistent", "amd64", nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Choose of a missing file = %v, want ErrNotExist", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(builtin)
	f.Add(efi("512", "550MiB"))
	for _, test := range layouts {
		f.Add(test.layout)
	}
	f.Add("- &a {mkfs: *a}")
	f.Add("- local_loop: &l {name: image0, <<: *l}")
	f.Fuzz(func(t *testing.T, text string) {
		l, err := Parse([]byte(text), "fuzz", Params{ImageSize: "100MiB"})
		if err != nil {
			return
		}
		// What was accepted can be shown and laid out.
		l.Fstab()
		l.Value("image-path")
		if len(l.Nodes()) == 0 || l.at("/").fstype == "" {
			t.Errorf("accepted without a root filesystem: %q", text)
		}
		for _, table := range l.tables {
			places, err := table.places(100*mib, 512)
			if err != nil {
				continue
			}
			check := table.mbr(places, 100*mib, 512, l.params).Write
			if table.gpt {
				check = table.guidTable(places, 100*mib, 512, l.params).Write
			}
			if err := check(discard{}); err != nil {
				t.Errorf("accepted, and cannot be written: %v\n%q", err, text)
			}
		}
	})
}

// discard takes writes anywhere.
type discard struct{}

func (discard) WriteAt(b []byte, _ int64) (int, error) { return len(b), nil }
