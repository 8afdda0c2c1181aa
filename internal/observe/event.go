package observe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// metadataSize is the size of struct fanotify_event_metadata.
const metadataSize = 24

// readEvents is how many events are read at once; each is a descriptor of this
// process until it has been handled.
const readEvents = 256

// drain reads events until Stop sets the deadline, and then what is left.
func (o *Observer) drain() {
	defer close(o.done)
	buf := make([]byte, readEvents*metadataSize)
	for {
		n, err := o.file.Read(buf)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if !o.take(buf, n, err) {
			return
		}
	}
	for {
		n, err := unix.Read(o.fd, buf)
		if errors.Is(err, unix.EAGAIN) || !o.take(buf, max(n, 0), err) {
			return
		}
	}
}

// maxErrors is how many failed reads are taken for single events that the kernel
// could not hand out; a queue that fails more often than that is given up.
const maxErrors = 1000

// take handles the result of one read and tells whether to go on. A read fails
// when the kernel cannot open the file for the reader; that event is lost, those
// behind it are not.
func (o *Observer) take(buf []byte, n int, err error) bool {
	if err == nil {
		o.handle(buf[:n])
		return true
	}
	if errors.Is(err, unix.EINTR) {
		return true
	}
	o.failed++
	o.lose(err)
	return o.failed < maxErrors
}

// lose notes that the list is not whole; the first cause is the one to tell.
func (o *Observer) lose(cause error) {
	if o.lost == nil {
		o.lost = fmt.Errorf("%w: %w", ErrOverflow, cause)
	}
}

// An event is the part of struct fanotify_event_metadata that is used.
type event struct {
	mask uint64
	fd   int32 // of the file that was opened, or negative
	pid  int32 // who opened it; 0: a process outside this PID namespace
}

func (o *Observer) handle(buf []byte) {
	for len(buf) >= metadataSize {
		size := binary.NativeEndian.Uint32(buf)
		if version := buf[4]; version != unix.FANOTIFY_METADATA_VERSION || size < metadataSize || int(size) > len(buf) {
			o.lose(fmt.Errorf("event of %d bytes in format %d, known is %d", size, version, unix.FANOTIFY_METADATA_VERSION))
			return
		}
		o.note(event{
			mask: binary.NativeEndian.Uint64(buf[8:]),
			fd:   int32(binary.NativeEndian.Uint32(buf[16:])),
			pid:  int32(binary.NativeEndian.Uint32(buf[20:])),
		})
		buf = buf[size:]
	}
}

func (o *Observer) note(e event) {
	o.opens++
	if e.mask&unix.FAN_Q_OVERFLOW != 0 {
		o.lose(errors.New("the queue is full"))
	}
	if e.fd < 0 {
		return
	}
	defer unix.Close(int(e.fd)) // opened for reading: nothing to lose
	if e.pid == o.self || e.pid == 0 {
		return
	}
	at, born, err := identify(int(e.fd))
	if err != nil {
		o.lose(err)
		return
	}
	before, again := o.opened[at]
	if again && before.born.Before(born) {
		born = before.born
	}
	o.opened[at] = seen{executed: before.executed || e.mask&unix.FAN_OPEN_EXEC != 0, born: born}
}

// A place is what the events of one file or directory have in common.
type place struct {
	path string
	dir  bool
}

// seen is what they add up to.
type seen struct {
	executed bool
	born     time.Time
}

// removedSuffix is what the kernel adds to the path of a file without that name.
const removedSuffix = " (deleted)"

func identify(fd int) (at place, born time.Time, err error) {
	path, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
	if err != nil {
		return at, born, err
	}
	var open unix.Statx_t
	if err := unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_TYPE|unix.STATX_INO|unix.STATX_BTIME, &open); err != nil {
		return at, born, fmt.Errorf("statx %q: %w", path, err)
	}
	if open.Mask&unix.STATX_BTIME != 0 {
		born = time.Unix(open.Btime.Sec, int64(open.Btime.Nsec))
	}
	// The event does not tell: FAN_ONDIR is set in events with file handles only.
	dir := open.Mode&unix.S_IFMT == unix.S_IFDIR
	name, marked := strings.CutSuffix(path, removedSuffix)
	if marked {
		// A name may end like that by itself: then it leads to the open file.
		var named unix.Statx_t
		err := unix.Statx(unix.AT_FDCWD, path, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_INO, &named)
		if err == nil && named.Ino == open.Ino && named.Dev_major == open.Dev_major && named.Dev_minor == open.Dev_minor {
			name = path
		}
	}
	return place{name, dir}, born, nil
}
