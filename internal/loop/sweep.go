package loop

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/internal/partition"
)

// claim locks the attached device as ours, and makes the kernel forget the
// partitions of an earlier owner: without LO_FLAGS_PARTSCAN they outlive the
// detaching of their device (seen on Linux 6.18), and would be in the way of
// partitions with the same numbers.
//
// The lock also tells udev to keep away (systemd's "Locking Block Device
// Access"): no probe of it holds the device open at the wrong moment.
func claim(device *os.File) error {
	if err := flock(device, unix.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", device.Name(), err)
	}
	return partition.DeleteAll(device)
}

// Sweep makes the kernel forget the partitions of loop devices that are
// attached to nothing: what is left of a process that was killed. Devices in
// use, or locked by whoever is about to use them, are left alone. It is safe at any
// time, beside any number of builds.
func Sweep() error {
	leftovers, err := filepath.Glob("/sys/block/loop*/loop*/partition")
	if err != nil {
		return err
	}
	var errs []error
	done := map[string]bool{}
	for _, leftover := range leftovers {
		name := filepath.Base(filepath.Dir(filepath.Dir(leftover)))
		if done[name] {
			continue
		}
		done[name] = true
		if err := sweep("/dev/" + name); err != nil {
			errs = append(errs, fmt.Errorf("sweep %s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

func sweep(path string) error {
	// O_NONBLOCK would not help and O_EXCL would disturb: a plain open of a
	// device that is attached to nothing has no side effect.
	device, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer device.Close()
	err = flock(device, unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil
	}
	if err != nil {
		return err
	}
	// Checked under the lock: an owner adds partitions only once it has it.
	if (&Device{Path: path}).Attached() {
		return nil
	}
	return partition.DeleteAll(device)
}

func flock(file *os.File, how int) error {
	for {
		if err := unix.Flock(int(file.Fd()), how); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
