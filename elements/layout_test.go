package elements

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// layoutImage is an image whose elements bring a layout of their own, if it is
// not empty.
func layoutImage(t *testing.T, layout string, change func(*Definition)) (*Image, error) {
	t.Helper()
	d := Definition{Name: "web", OutputDir: t.TempDir(), Arch: "amd64", Elements: []string{"os"}, SkipBase: true, Home: "/home/me", Environment: map[string]string{}}
	change(&d)
	files := map[string]string{"os/element-provides": operatingSystem, "os/element-deps": "disk", "disk/README.md": "", "my-block-device-efi-too/README.md": ""}
	if layout != "" {
		files["disk/block-device-default.yaml"] = layout
	}
	return Load(d, stockOf(files))
}

const twoPartitions = `- local_loop: {name: image0}
- partitioning:
    base: image0
    label: gpt
    partitions:
      - {name: boot, size: 1GiB, mkfs: {type: ext2, mount: {mount_point: /boot}}}
      - {name: root, size: 100%, mkfs: {mount: {mount_point: /}}}
      - {name: swap, size: 100%, mkfs: {type: swap, mount: {mount_point: none}}}
`

func TestRootOptions(t *testing.T) {
	for _, test := range []struct {
		name   string
		layout string
		change func(*Definition)
		want   string
	}{
		{"ext4", "", func(*Definition) {}, "-i 4096 -J size=64"},
		{"all", "", func(d *Definition) {
			d.MaxOnlineResize, d.MkfsOptions = "9", "-m 0 -N 5"
			d.Environment["DIB_RELEASE"], d.Environment["DIB_JOURNAL_SIZE"] = "trusty", "8"
		}, "-E resize=9 -O ^metadata_csum -i 4096 -J size=8 -m 0 -N 5"},
		{"xfs", "", func(d *Definition) {
			d.MkfsOptions, d.Environment["FS_TYPE"], d.Environment["DIB_RELEASE"] = "-b size=4096", "xfs", "trusty"
		}, "-b size=4096"},
		{"xfs of the layout", strings.Replace(twoPartitions, "100%, mkfs: {mount", "100%, mkfs: {type: xfs, mount", 1), func(*Definition) {}, ""},
		{"a release of the future", "", func(d *Definition) { d.Environment["DIB_RELEASE"] = "trixie" }, "-i 4096 -J size=64"},
	} {
		img, err := layoutImage(t, test.layout, test.change)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		} else if got := img.layout.params.RootFSOpts; got != test.want {
			t.Errorf("%s: options %q, want %q", test.name, got, test.want)
		}
	}
}

func TestLayoutNumbers(t *testing.T) {
	img, err := layoutImage(t, twoPartitions, func(d *Definition) {
		d.Elements = append(d.Elements, "my-block-device-efi-too")
		d.ImageSize, d.ImageExtraSize, d.RootLabel = "2.5", "7", "mine"
		d.Environment["DIB_BLOCK_SIZE"], d.Environment["DIB_JOURNAL_SIZE"], d.Environment["FS_TYPE"] = "4096", "16", "ext3"
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := img.layout.size.String(), `image "2.5" GiB, extra "7" MiB, root "ext3", journal 16 MiB, efi true`; got != want {
		t.Errorf("size: %s, want %s", got, want)
	}
	if p := img.layout.params; p.BlockSize != 4096 || p.RootLabel != "mine" || p.RootFSType != "ext3" {
		t.Errorf("parameters %+v", p)
	}
}

// What hooks are told of a layout, and what the user is told.
func TestLayoutVariables(t *testing.T) {
	img, err := layoutImage(t, strings.Replace(twoPartitions, "label: gpt", "label: gpt\n    colour: blue", 1), func(d *Definition) { d.Environment["FS_TYPE"] = "xfs" })
	if err != nil {
		t.Fatal(err)
	}
	want := `embedded:disk/block-device-default.yaml:5: partitioning "partitioning_image0": the key "colour" means nothing`
	if !slices.Contains(img.Notices, want) {
		t.Errorf("notices %q, want %q", img.Notices, want)
	}
	values := NewPlanner(img, nil, nil, "").variables(phaseNamed("root")).values
	for name, want := range map[string]string{
		"DIB_ROOT_LABEL": "img-rootfs", "DIB_ROOT_FSTYPE": "xfs", "DIB_BOOT_LABEL": "mkfs_boot", "DIB_MOUNTPOINTS": "/boot|/",
	} {
		if got := values[name]; got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
}

// Where a layout comes from, and that a bad one is refused with its place.
func TestLayoutRefused(t *testing.T) {
	config := func(text string) func(*Definition) {
		return func(d *Definition) { d.Environment["DIB_BLOCK_DEVICE_CONFIG"] = text }
	}
	for _, test := range []struct {
		layout string
		change func(*Definition)
		want   Problem
	}{
		{"\n\n- mkfs: {}\n", func(*Definition) {}, Problem{File: "embedded:disk/block-device-default.yaml", Line: 3, Message: "mkfs has neither a name nor a base"}},
		{"- mkfs: {}\n", config("- lvm: {}"), Problem{File: "DIB_BLOCK_DEVICE_CONFIG", Line: 1, Message: "a lvm needs a name"}},
		{"", config("file:///nonexistent/layout"), Problem{Message: "read the layout that DIB_BLOCK_DEVICE_CONFIG names: open /nonexistent/layout: no such file or directory"}},
		{"", func(d *Definition) { d.Environment["DIB_BLOCK_SIZE"] = "-1" }, Problem{Message: `DIB_BLOCK_SIZE "-1" is not a whole number of bytes`}},
	} {
		_, err := layoutImage(t, test.layout, test.change)
		var got *Problem
		if !errors.As(err, &got) {
			t.Errorf("%q: %v is no problem of the definition", test.layout, err)
		} else if filepath.ToSlash(got.File) != test.want.File || got.Line != test.want.Line || got.Message != test.want.Message {
			t.Errorf("%q: %+v, want %+v", test.layout, *got, test.want)
		}
	}
}
