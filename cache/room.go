package cache

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// OutOfRoom reports whether an error says that a filesystem, or the part of it
// that a user may have, is full.
func OutOfRoom(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT)
}

// withRoom calls write, and calls it again if there was no room for it: what is
// in the trash takes some until the store is closed.
func (s *Store) withRoom(write func() error) error {
	err := write()
	if !OutOfRoom(err) || s.readOnly {
		return err
	}
	if s.emptyTrash() != nil {
		return err // which says more about what to do
	}
	return write()
}

// Room returns an error that is [OutOfRoom] if next to nothing more can be
// written to the filesystem of the store: then that is why what was written to
// it failed, whatever it said.
func (s *Store) Room() error {
	var st unix.Statfs_t
	if err := unix.Statfs(s.dir, &st); err != nil {
		return &os.PathError{Op: "statfs", Path: s.dir, Err: err}
	}
	free, total := int64(st.Bfree)*st.Bsize, int64(st.Blocks)*st.Bsize
	if free < littleRoom(total) || st.Files > 0 && st.Ffree == 0 {
		return fmt.Errorf("%w: the filesystem of the store %s is full or nearly so, with %d KiB and %d files left", unix.ENOSPC, s.dir, free>>10, st.Ffree)
	}
	return nil
}

// littleRoom is what may be free, of a filesystem of that many bytes, when a
// program fails for lack of room: it may have tidied up, and ext4 counts as free
// a fiftieth that it keeps for itself.
func littleRoom(total int64) int64 {
	const tidied, most = 1 << 20, 64 << 20
	return tidied + min(total/50, most)
}
