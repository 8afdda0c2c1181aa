package loop

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/internal/partition"
)

// claim locks the attached device as ours, and makes the kernel forget the
// partitions that it has: of an earlier owner, or read from the file.
//
// The lock also tells udev to keep away (systemd's "Locking Block Device
// Access"): no probe of it holds the device open, or reads the partition
// table again, at the wrong moment.
func claim(device *os.File) error {
	if err := flock(device, unix.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", device.Name(), err)
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
