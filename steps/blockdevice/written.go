package blockdevice

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// checkWritten waits until what was written to the devices is in the raw files,
// and returns an error if some of it could not be: a tool that fills a device
// has its writes in the memory of the kernel only when it ends, and closing the
// device loses the error of a full filesystem below the raw file.
//
// It does not ask the disk below to have it all, as fsync would: the raw files
// are synced with the rest of the store.
func (s *State) checkWritten() error {
	for _, d := range slices.Backward(s.devices) {
		if err := written(d.path); err != nil {
			return fmt.Errorf("write to %q: %w", d.node, err)
		}
	}
	return nil
}

func written(device string) (err error) {
	f, err := os.Open(device)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	const wait = unix.SYNC_FILE_RANGE_WAIT_BEFORE | unix.SYNC_FILE_RANGE_WRITE | unix.SYNC_FILE_RANGE_WAIT_AFTER
	if err := unix.SyncFileRange(int(f.Fd()), 0, 0, wait); err != nil {
		return &os.PathError{Op: "sync", Path: device, Err: err}
	}
	return nil
}
