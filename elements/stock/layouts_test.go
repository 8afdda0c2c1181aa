package stock_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dibgraph/dibgraph/steps/blockdevice"
)

// The layouts have the partitions, filesystems and lines of fstab that those of
// diskimage-builder have under these names.
func TestLayouts(t *testing.T) {
	for _, test := range []struct {
		file  string
		nodes string
		fstab string
		has   string // sizes and types, which the nodes do not say
	}{
		{"block-device-mbr/block-device-default.yaml", "image0 root(mbr) mkfs_root(xfs label) mount_mkfs_root(/) fstab_mount_mkfs_root(defaults)", "LABEL=label / xfs defaults 0 1\n", "[boot, primary] 100%"},
		{"block-device-mbr/block-device-ppc64el.yaml", "image0 boot(mbr) root(mbr) mkfs_root(xfs label) mount_mkfs_root(/) fstab_mount_mkfs_root(defaults)", "LABEL=label / xfs defaults 0 1\n", "0x41 8MiB [primary] 100%"},
		{"block-device-gpt/block-device-default.yaml", "image0 BSP(gpt) root(gpt) mkfs_root(ext4 label) mount_mkfs_root(/) fstab_mount_mkfs_root(defaults)", "LABEL=label / ext4 defaults 0 1\n", "EF02 8MiB 100%"},
		{"block-device-gpt/block-device-ppc64el.yaml", "image0 boot(gpt) root(gpt) mkfs_root(ext4 label) mount_mkfs_root(/) fstab_mount_mkfs_root(defaults)", "LABEL=label / ext4 defaults 0 1\n", "0x4100 8MiB 100%"},
		{"block-device-efi/block-device-default.yaml",
			"image0 ESP(gpt) mkfs_ESP(vfat MKFS_ESP) BSP(gpt) root(gpt) mkfs_root(ext4 label) mount_mkfs_root(/) mount_mkfs_ESP(/boot/efi) fstab_mount_mkfs_ESP(defaults) fstab_mount_mkfs_root(defaults)",
			"LABEL=label / ext4 defaults 0 1\nLABEL=MKFS_ESP /boot/efi vfat defaults 0 2\n", "EF00 550MiB EF02 8MiB 8300 100%"},
	} {
		text, err := os.ReadFile(filepath.FromSlash(test.file))
		if err != nil {
			t.Fatal(err)
		}
		l, err := blockdevice.Parse(text, test.file, blockdevice.Params{RootFSType: "xfs", RootLabel: "label"})
		if err != nil {
			t.Error(err)
			continue
		}
		var nodes []string
		for _, n := range l.Nodes() {
			name := n.Name
			if n.Detail != "" {
				name += "(" + n.Detail + ")"
			}
			nodes = append(nodes, name)
		}
		if got := strings.Join(nodes, " "); got != test.nodes {
			t.Errorf("%s: nodes\n%s, want\n%s", test.file, got, test.nodes)
		}
		if got := l.Fstab(); got != test.fstab {
			t.Errorf("%s: fstab\n%swant\n%s", test.file, got, test.fstab)
		}
		rest := string(text)
		for word := range strings.FieldsSeq(test.has) {
			_, after, found := strings.Cut(rest, word)
			if !found {
				t.Errorf("%s lacks %q, or has it in another place", test.file, word)
			}
			rest = after
		}
	}
}
