package blockdevice

import (
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// SizeInput is what the size of an image follows from.
type SizeInput struct {
	// Tree is the directory that goes into the image.
	Tree string
	// ImageSize is DIB_IMAGE_SIZE as given, in GiB, decimals allowed; "" when
	// the size follows from the tree.
	ImageSize string
	// ExtraSize is DIB_IMAGE_EXTRA_SIZE, in MiB; "" for room in proportion to
	// the tree.
	ExtraSize string
	// RootFSType is the type of the root filesystem.
	RootFSType string
	// JournalMiB is the size of its journal, DIB_JOURNAL_SIZE.
	JournalMiB int
	// EFI says that an element with "block-device-efi" in its name is used.
	EFI bool
}

// String describes all but the tree, in one line.
func (in SizeInput) String() string {
	return fmt.Sprintf("image %q GiB, extra %q MiB, root %q, journal %d MiB, efi %t",
		in.ImageSize, in.ExtraSize, in.RootFSType, in.JournalMiB, in.EFI)
}

const (
	kibPerMiB = 1 << 10
	kibPerGiB = 1 << 20

	// efiKiB is what EFI adds, to a fixed size too. The partitions of the efi
	// layout take 33 MiB more than this.
	efiKiB = 525 * kibPerMiB

	// sizeStep is what sizes are rounded up to, in KiB.
	sizeStep = 64
)

// ImageSizeKiB returns the size of the image in KiB: as given; or of the tree
// with the extra space; or of the tree as 60 % of the image. To a size that follows
// from the tree an ext4 root adds its journal, and EFI adds its
// partition to every size. The result is rounded up to 64 KiB.
func ImageSizeKiB(in SizeInput) (int64, error) {
	base, err := in.base()
	if err != nil {
		return 0, err
	}
	if in.RootFSType == "ext4" && in.ImageSize == "" {
		base += int64(in.JournalMiB) * kibPerMiB
	}
	if in.EFI {
		base += efiKiB
	}
	return up(base, sizeStep), nil
}

func (in SizeInput) base() (int64, error) {
	if in.ImageSize != "" {
		return scaled("image size", in.ImageSize, kibPerGiB)
	}
	tree, err := TreeSizeKiB(in.Tree)
	if err != nil {
		return 0, fmt.Errorf("measure the tree: %w", err)
	}
	if in.ExtraSize != "" {
		extra, err := scaled("image extra size", in.ExtraSize, kibPerMiB)
		return tree + extra, err
	}
	return tree * 10 / 6, nil
}

// maxKiB is what still fits into int64 as bytes.
const maxKiB = 1 << 50

// scaled reads a decimal number, and returns it times factor without the
// fraction.
func scaled(what, text string, factor int64) (int64, error) {
	number, ok := new(big.Rat).SetString(text)
	// Rat also reads fractions, exponents and other bases.
	if !ok || strings.Trim(text, "0123456789.") != "" {
		return 0, fmt.Errorf("%s %q: not a decimal number", what, text)
	}
	number.Mul(number, new(big.Rat).SetInt64(factor))
	whole := new(big.Int).Quo(number.Num(), number.Denom())
	if whole.Cmp(big.NewInt(maxKiB)) > 0 {
		return 0, fmt.Errorf("%s %q: too big", what, text)
	}
	return whole.Int64(), nil
}

// blockSize is that of nearly all filesystems, in bytes.
const blockSize = 4096

// TreeSizeKiB returns how many KiB a tree takes on a filesystem with blocks of
// 4 KiB. It is what du would count there, but from lengths of files and names
// only, so that one tree has one size on every host (see
// docs/decisions/0005-image-size.md). Other filesystems mounted in the tree do not count.
func TreeSizeKiB(root string) (int64, error) {
	top, err := os.Lstat(root)
	if err != nil {
		return 0, err
	}
	device := top.Sys().(*syscall.Stat_t).Dev
	seen := map[[2]uint64]bool{}
	blocks := int64(0)
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		stat := info.Sys().(*syscall.Stat_t)
		// Only of a directory: in an overlay, files can have the device
		// number of the layer that they are in.
		if entry.IsDir() && stat.Dev != device {
			return fs.SkipDir
		}
		if !entry.IsDir() && stat.Nlink > 1 {
			id := [2]uint64{stat.Dev, stat.Ino}
			if seen[id] {
				return nil
			}
			seen[id] = true
		}
		n, err := blocksOf(path, info)
		blocks += n
		return err
	})
	return blocks * (blockSize >> 10), err
}

// blocksOf returns how many blocks one entry takes.
func blocksOf(path string, info fs.FileInfo) (int64, error) {
	switch info.Mode().Type() {
	case 0:
		return up(info.Size(), blockSize) / blockSize, nil
	case fs.ModeSymlink:
		// ext4 keeps a link of up to 59 bytes in its inode.
		if info.Size() < 60 {
			return 0, nil
		}
		return 1, nil
	case fs.ModeDir:
		names, err := readNames(path)
		if err != nil {
			return 0, err
		}
		// An ext4 entry has 8 bytes and the name, in whole words; 12 each are
		// for "." and "..".
		bytes := int64(24)
		for _, name := range names {
			bytes += up(8+int64(len(name)), 4)
		}
		return up(bytes, blockSize) / blockSize, nil
	}
	return 0, nil
}

func readNames(path string) ([]string, error) {
	dir, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.Readdirnames(-1)
}
