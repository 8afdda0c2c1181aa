package loop

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/internal/partition"
)

// Options are the properties of a device. The zero value attaches the whole
// file, writable, with 512-byte sectors, through the page cache.
type Options struct {
	// BlockSize is the logical sector size in bytes: a power of two from 512
	// to the page size. 0 means 512.
	BlockSize int

	// ReadOnly makes a device that refuses writes; the file is opened for
	// reading only.
	ReadOnly bool

	// DirectIO lets the device bypass the page cache of the file. The
	// filesystem of the file must be able to do so at BlockSize; if it is
	// not, the kernel falls back to the page cache silently.
	DirectIO bool

	// Offset and SizeLimit choose a window of the file, in bytes; multiples
	// of 512. A SizeLimit of 0 means up to the end of the file.
	Offset, SizeLimit int64
}

// A Device is an attached loop device. It stays attached as long as it is
// open here or anywhere else, or mounted. A Device may be used by several
// goroutines, but closed once only.
type Device struct {
	// Path is the name of the device, /dev/loopN.
	Path string
	// Number is the N of Path.
	Number int

	file *os.File
}

// attempts bounds how often Attach asks for a free device. Each loss of the
// race means that another process got one, so this is ample even when
// hundreds start at once.
const attempts = 200

// Attach opens the file path and attaches it to a free loop device. The
// caller closes the device.
func Attach(path string, options Options) (*Device, error) {
	flags := os.O_RDWR
	if options.ReadOnly {
		flags = os.O_RDONLY
	}
	file, err := os.OpenFile(path, flags, 0)
	if err != nil {
		return nil, fmt.Errorf("attach loop device: %w", err)
	}
	// The device keeps its own reference to the open file.
	defer file.Close()
	return AttachFile(file, options)
}

// AttachFile attaches an open file to a free loop device. The device does not
// need file afterwards: the caller may close it at once.
func AttachFile(file *os.File, options Options) (*Device, error) {
	if err := options.check(); err != nil {
		return nil, fmt.Errorf("attach %q: %w", file.Name(), err)
	}
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("attach %q: open the loop driver (is module loop loaded?): %w", file.Name(), err)
	}
	defer control.Close()

	for attempt := range attempts {
		device, err := attachFree(control, file, options)
		if err == nil {
			return device, nil
		}
		// Between asking for a free device and taking it, another process
		// may take it (EBUSY), or remove it from the driver (ENXIO, ENODEV).
		if !errors.Is(err, unix.EBUSY) && !errors.Is(err, unix.ENXIO) && !errors.Is(err, unix.ENODEV) {
			return nil, fmt.Errorf("attach %q: %w", file.Name(), err)
		}
		time.Sleep(time.Duration(attempt) * 100 * time.Microsecond)
	}
	return nil, fmt.Errorf("attach %q: every free loop device was taken by others, %d times in a row", file.Name(), attempts)
}

func (o Options) check() error {
	switch size := o.BlockSize; {
	case size != 0 && (size < 512 || size > os.Getpagesize() || size&(size-1) != 0):
		return fmt.Errorf("block size %d: not a power of two from 512 to %d", size, os.Getpagesize())
	case o.Offset < 0 || o.Offset%512 != 0:
		return fmt.Errorf("offset %d: not a multiple of 512", o.Offset)
	case o.SizeLimit < 0 || o.SizeLimit%512 != 0:
		return fmt.Errorf("size limit %d: not a multiple of 512", o.SizeLimit)
	}
	return nil
}

func attachFree(control, file *os.File, options Options) (_ *Device, err error) {
	number, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
	if err != nil {
		return nil, fmt.Errorf("ask for a free loop device: %w", err)
	}
	path := fmt.Sprintf("/dev/loop%d", number)
	device, err := openNode(path, number, options.ReadOnly)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			device.Close()
		}
	}()
	if err := configure(device, file, options); err != nil {
		return nil, fmt.Errorf("set up %s: %w", path, err)
	}
	if err := claim(device); err != nil {
		return nil, err
	}
	return &Device{Path: path, Number: number, file: device}, nil
}

// loopMajor is the block device number of the loop driver, fixed by Linux.
const loopMajor = 7

// openNode opens /dev/loopN, creating it first where /dev is not devtmpfs and
// came with fewer nodes than the driver has devices.
func openNode(path string, number int, readOnly bool) (*os.File, error) {
	flags := os.O_RDWR
	if readOnly {
		flags = os.O_RDONLY
	}
	// Without O_EXCL: an exclusive open would refuse mkfs its own.
	file, err := os.OpenFile(path, flags, 0)
	if !errors.Is(err, os.ErrNotExist) {
		return file, err
	}
	node := int(unix.Mkdev(loopMajor, uint32(number)))
	if err := unix.Mknod(path, unix.S_IFBLK|0o660, node); err != nil && !errors.Is(err, unix.EEXIST) {
		return nil, fmt.Errorf("create the device node %s: %w", path, err)
	}
	return os.OpenFile(path, flags, 0)
}

// File returns the open device, for ioctls and reading. It belongs to the
// Device and is closed with it.
func (d *Device) File() *os.File { return d.file }

// Close makes the kernel forget the partitions of the device, writes what it
// holds in memory to the file behind it, and lets go of it; the kernel detaches
// it when nobody else has it open or mounted. Close does not wait for the disk
// under the file. With a partition still in use it fails with EBUSY, and the
// device is closed all the same.
func (d *Device) Close() error {
	forget := partition.DeleteAll(d.file)
	// The kernel flushes at the *last* close. That may be somebody else's,
	// and then comes after the caller has begun to read the file.
	flush := unix.IoctlSetInt(int(d.file.Fd()), unix.BLKFLSBUF, 0)
	if flush != nil {
		flush = fmt.Errorf("flush %s: %w", d.Path, flush)
	}
	return errors.Join(forget, flush, d.file.Close())
}

// Attached reports whether the device is still attached to a file, by its
// present state in sysfs. It needs no open device.
func (d *Device) Attached() bool {
	_, err := os.Stat(filepath.Join("/sys/block", filepath.Base(d.Path), "loop/backing_file"))
	return err == nil
}
