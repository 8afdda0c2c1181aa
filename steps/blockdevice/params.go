package blockdevice

// Params is what the image, not the layout, says about its disk.
type Params struct {
	// RootFSType, RootLabel and RootFSOpts are the type, label and mkfs
	// options of the filesystem named mkfs_root, where the layout does not
	// give them. Empty values mean ext4, the default label of the type, and
	// no options.
	RootFSType, RootLabel, RootFSOpts string

	// ImageSize is the size of a disk whose local_loop gives none, such as
	// "1234KiB". It may be empty until Create.
	ImageSize string

	// ImageDir is where the raw files are made. MountBase is where the filesystem
	// of the mount point / is mounted. BuildDir is for scratch files.
	ImageDir, MountBase, BuildDir string

	// BlockSize is the logical sector size in bytes of disks; it wins over
	// the layout's. 0 leaves it to the layout.
	BlockSize int

	// Seed is the source of all identifiers on the disk. Two disks with one
	// seed cannot be told apart by their identifiers.
	Seed [32]byte
}

func (p Params) rootFSType() string {
	if p.RootFSType == "" {
		return "ext4"
	}
	return p.RootFSType
}

// rootLabel returns the label of a root filesystem of the given type.
func (p Params) rootLabel(fstype string) string {
	switch {
	case p.RootLabel != "":
		return p.RootLabel
	case fstype == "xfs":
		return "img-rootfs" // xfs has labels of 12 characters at most
	default:
		return "cloudimg-rootfs"
	}
}
