package mount

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// handles are directories opened as names: a descriptor number below
// /proc/self/fd is a short name for a directory, whatever bytes its path has.
type handles []int

// open opens dir and returns the descriptor's number; Close closes it.
func (h *handles) open(dir string) (int, error) {
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("open %q: %w", dir, err)
	}
	*h = append(*h, fd)
	return fd, nil
}

// Close closes all of them. A descriptor opened with O_PATH has nothing to
// write back, so that closing it cannot fail in a way that matters.
func (h *handles) Close() {
	for _, fd := range *h {
		unix.Close(fd)
	}
	*h = nil
}
