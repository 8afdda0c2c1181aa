package partition

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// blkpgPartition is struct blkpg_partition of linux/blkpg.h.
type blkpgPartition struct {
	start, length int64
	number        int32
	_             [64]byte // names, which the kernel does not read
	_             [64]byte
}

// Add tells the kernel of partition number of the open block device disk:
// start and length are bytes, multiples of the sector size of the device. It
// writes nothing to the disk. It returns the path of the partition's device
// node, which it creates where /dev is not devtmpfs.
//
// The kernel forgets the partition when the device is detached, or by [Delete].
func Add(disk *os.File, number int, start, length int64) (string, error) {
	arg := blkpgPartition{start: start, length: length, number: int32(number)}
	if err := blkpg(disk, unix.BLKPG_ADD_PARTITION, &arg); err != nil {
		return "", fmt.Errorf("add partition %d of %s to the kernel: %w", number, disk.Name(), err)
	}
	path := Path(disk.Name(), number)
	if err := ensureNode(path); err != nil {
		return "", errors.Join(fmt.Errorf("add partition %d of %s: %w", number, disk.Name(), err), Delete(disk, number))
	}
	return path, nil
}

// Delete makes the kernel forget partition number of the open block device
// disk. It fails with EBUSY while the partition is open or mounted.
func Delete(disk *os.File, number int) error {
	arg := blkpgPartition{number: int32(number)}
	if err := blkpg(disk, unix.BLKPG_DEL_PARTITION, &arg); err != nil {
		return fmt.Errorf("remove partition %d of %s from the kernel: %w", number, disk.Name(), err)
	}
	return nil
}

// DeleteAll makes the kernel forget every partition of the open block device
// disk, such as those that a killed process left behind.
func DeleteAll(disk *os.File) error {
	numbers, err := known(disk.Name())
	if err != nil {
		return fmt.Errorf("list the partitions of %s: %w", disk.Name(), err)
	}
	var errs []error
	for _, number := range numbers {
		errs = append(errs, Delete(disk, number))
	}
	return errors.Join(errs...)
}

// Path returns the kernel's name for partition number of the disk device:
// /dev/loop0p1, but /dev/sda1.
func Path(disk string, number int) string {
	if last := disk[len(disk)-1]; last >= '0' && last <= '9' {
		return disk + "p" + strconv.Itoa(number)
	}
	return disk + strconv.Itoa(number)
}

func blkpg(disk *os.File, op int32, partition *blkpgPartition) error {
	arg := unix.BlkpgIoctlArg{
		Op:      op,
		Datalen: int32(unsafe.Sizeof(*partition)),
		Data:    (*byte)(unsafe.Pointer(partition)),
	}
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, disk.Fd(), unix.BLKPG, uintptr(unsafe.Pointer(&arg)))
	if errno != 0 {
		return errno
	}
	return nil
}

// known lists the partition numbers of the disk device by sysfs, where each
// partition is a directory of the disk with a file "partition".
func known(disk string) ([]int, error) {
	files, err := filepath.Glob(filepath.Join("/sys/block", filepath.Base(disk), "*", "partition"))
	if err != nil {
		return nil, err
	}
	var numbers []int
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		number, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		numbers = append(numbers, number)
	}
	return numbers, nil
}

// ensureNode makes path a device node for what sysfs says of the partition,
// unless it already is one. A node of the same name with another number is of
// an earlier partition and goes.
func ensureNode(path string) error {
	text, err := os.ReadFile(filepath.Join("/sys/class/block", filepath.Base(path), "dev"))
	if err != nil {
		return err
	}
	var major, minor uint32
	if _, err := fmt.Sscanf(string(text), "%d:%d", &major, &minor); err != nil {
		return fmt.Errorf("device number %q of %s: %w", text, path, err)
	}
	want := unix.Mkdev(major, minor)
	var stat unix.Stat_t
	err = unix.Stat(path, &stat)
	switch {
	case err == nil && stat.Mode&unix.S_IFMT == unix.S_IFBLK && stat.Rdev == want:
		return nil
	case err == nil:
		if err := os.Remove(path); err != nil {
			return err
		}
	case !errors.Is(err, unix.ENOENT):
		return &os.PathError{Op: "stat", Path: path, Err: err}
	}
	if err := unix.Mknod(path, unix.S_IFBLK|0o660, int(want)); err != nil {
		return &os.PathError{Op: "mknod", Path: path, Err: err}
	}
	return nil
}
