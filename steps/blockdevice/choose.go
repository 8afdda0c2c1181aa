package blockdevice

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// ConfigVariable is the variable that can hold a layout, or name the file of one. It is
// the place of what is wrong with one that it holds.
const ConfigVariable = "DIB_BLOCK_DEVICE_CONFIG"

// builtin is the layout of an image that has none: one filesystem on the
// whole disk, without a partition table.
const builtin = `- local_loop:
    name: image0
    mkfs:
      name: mkfs_root
      mount:
        mount_point: /
        fstab:
          options: defaults
          fsck-passno: 1
`

// A Lookup reads a file of one element by its name, and says where it is from.
// A file that is not there is an error that wraps fs.ErrNotExist.
type Lookup func(name string) (content []byte, file string, err error)

// Choose finds the layout of an image. Config is DIB_BLOCK_DEVICE_CONFIG: a
// layout, or file:// and the name of one; it wins when it is not empty. Then
// the first of the elements wins that brings one for the architecture or a
// default one. Without any it is the built-in layout: one filesystem on the
// whole disk.
//
// It returns the layout's text, and the name to give to [Parse].
func Choose(config, arch string, elements []Lookup) (content []byte, file string, err error) {
	if path, ok := strings.CutPrefix(config, "file://"); ok {
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, "", fmt.Errorf("read the layout that DIB_BLOCK_DEVICE_CONFIG names: %w", err)
		}
		return content, path, nil
	}
	if config != "" {
		return []byte(config), ConfigVariable, nil
	}
	for _, lookup := range elements {
		for _, name := range fileNames(arch) {
			content, file, err := lookup(name)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			return content, file, err
		}
	}
	return []byte(builtin), "built-in layout", nil
}

// fileNames are the names a layout can have in an element, best first. Every
// architecture that is part of "ppc64le ppc64el" goes by the one name ppc64el, as in
// diskimage-builder.
func fileNames(arch string) []string {
	if arch != "" && strings.Contains("ppc64le ppc64el", arch) {
		arch = "ppc64el"
	}
	return []string{"block-device-" + arch + ".yaml", "block-device-default.yaml"}
}
