package loop

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// ownFlags make the device, and with it the partitions that package partition
// added, vanish with its last user. Without LO_FLAGS_PARTSCAN partitions
// outlive the detaching of their device (seen on Linux 6.18).
const ownFlags = unix.LO_FLAGS_AUTOCLEAR | unix.LO_FLAGS_PARTSCAN

// configure binds file to the open, free device in one call (Linux 5.8), or
// in two where the kernel has no such call.
func configure(device, file *os.File, options Options) error {
	info := unix.LoopInfo64{
		Offset:    uint64(options.Offset),
		Sizelimit: uint64(options.SizeLimit),
		Flags:     ownFlags,
	}
	// Only for losetup to show; the kernel cuts it off without harm.
	copy(info.File_name[:len(info.File_name)-1], file.Name())
	if options.ReadOnly {
		info.Flags |= unix.LO_FLAGS_READ_ONLY
	}
	if options.DirectIO {
		info.Flags |= unix.LO_FLAGS_DIRECT_IO
	}
	size := options.BlockSize
	if size == 0 {
		size = 512
	}
	config := unix.LoopConfig{Fd: uint32(file.Fd()), Size: uint32(size), Info: info}
	err := unix.IoctlLoopConfigure(int(device.Fd()), &config)
	// Kernels before 5.8 answer EINVAL or ENOTTY; so does a bad value, which
	// the older calls refuse as well.
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTTY) {
		return configureInSteps(device, file, info, size, options.DirectIO)
	}
	return err
}

// configureInSteps is the way of kernels before 5.8. Being killed between the
// first two calls leaves the device attached: autoclear is not yet set.
func configureInSteps(device, file *os.File, info unix.LoopInfo64, blockSize int, directIO bool) (err error) {
	fd := int(device.Fd())
	if err := unix.IoctlSetInt(fd, unix.LOOP_SET_FD, int(file.Fd())); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, unix.IoctlSetInt(fd, unix.LOOP_CLR_FD, 0))
		}
	}()
	// SET_STATUS64 refuses flags that it cannot set: read-only follows from
	// how the file was opened, direct I/O has a call of its own.
	info.Flags = ownFlags
	if err := setStatus(fd, &info); err != nil {
		return err
	}
	if blockSize != 512 {
		if err := unix.IoctlSetInt(fd, unix.LOOP_SET_BLOCK_SIZE, blockSize); err != nil {
			return err
		}
	}
	if directIO {
		// As with LOOP_CONFIGURE, a file that cannot do it is no error.
		_ = unix.IoctlSetInt(fd, unix.LOOP_SET_DIRECT_IO, 1)
	}
	return nil
}

// setStatus tries again while the kernel says EAGAIN, which it does when the
// page cache of the device could not be dropped at once.
func setStatus(fd int, info *unix.LoopInfo64) error {
	for range attempts {
		if err := unix.IoctlLoopSetStatus64(fd, info); !errors.Is(err, unix.EAGAIN) {
			return err
		}
	}
	return unix.EAGAIN
}
