package observe

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// ErrUnavailable means that the kernel has no fanotify, or that this process may
// not use it: it takes CAP_SYS_ADMIN in the first user namespace.
var ErrUnavailable = errors.New("fanotify is not available")

// ErrOverflow means that something was opened which is not in the list, so that
// the list must not be taken for everything that was read.
var ErrOverflow = errors.New("events were lost")

// A Mark says what to observe.
type Mark struct {
	// Path is any file or directory of the mount to observe.
	Path string
	// Filesystem observes every mount of the filesystem Path is on, in every
	// mount namespace, and not only the mount. It is right for an overlay of
	// one step, and wrong for the filesystem of a whole machine.
	Filesystem bool
}

// Opened is one thing that was opened, for whatever purpose.
type Opened struct {
	// Path is the path after all symbolic links, as this process sees it, by the
	// mount through which it was opened: the same file has several paths where
	// the same directory is mounted several times. Of a file that was renamed
	// right after it was opened it may be the new name; of a removed one it is
	// the last it had.
	Path string
	Dir  bool // a directory, which was listed or entered by descriptor
	// Exec says that it was executed, where the kernel tells (Linux 5.0).
	Exec bool
	// Born is when the file was made: the oldest one of those that had the path
	// when they were opened. It is zero if the filesystem does not tell.
	Born time.Time
}

// An Observer notes what is opened from Start to Stop.
type Observer struct {
	fd     int
	file   *os.File // the same descriptor; it is read by a goroutine
	done   chan struct{}
	self   int32
	opened map[place]seen
	lost   error // why the list is not whole, or nil
	failed int   // reads that failed
	opens  int
}

// Start observes the mounts that the given paths are on: no others that show the
// same files, and nothing that is mounted below. The error wraps ErrUnavailable
// where that cannot be done on this machine. Every Observer must be stopped.
func Start(mounts ...string) (*Observer, error) {
	var marks []Mark
	for _, path := range mounts {
		marks = append(marks, Mark{Path: path})
	}
	return StartMarks(marks...)
}

// StartMarks is Start for marks of both kinds.
func StartMarks(marks ...Mark) (*Observer, error) {
	o, err := open(unix.FAN_UNLIMITED_QUEUE|unix.FAN_UNLIMITED_MARKS, marks)
	if err != nil {
		return nil, err
	}
	go o.drain()
	return o, nil
}

// open makes the queue and the marks; nothing reads the queue yet.
func open(flags uint, marks []Mark) (*Observer, error) {
	flags |= unix.FAN_CLASS_NOTIF | unix.FAN_CLOEXEC | unix.FAN_NONBLOCK
	// The kernel opens every file again for the reader of its event: without
	// blocking on a fifo, and without a change of its access time.
	fd, err := unix.FanotifyInit(flags, unix.O_RDONLY|unix.O_LARGEFILE|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOATIME)
	if err != nil {
		return nil, unavailable("fanotify_init", err)
	}
	for _, mark := range marks {
		kind := uint(unix.FAN_MARK_MOUNT)
		if mark.Filesystem {
			kind = unix.FAN_MARK_FILESYSTEM
		}
		// FAN_OPEN includes what is opened to be executed; the other tells it apart.
		err := unix.FanotifyMark(fd, unix.FAN_MARK_ADD|kind, unix.FAN_OPEN|unix.FAN_OPEN_EXEC|unix.FAN_ONDIR, unix.AT_FDCWD, mark.Path)
		if errors.Is(err, unix.EINVAL) {
			err = unix.FanotifyMark(fd, unix.FAN_MARK_ADD|kind, unix.FAN_OPEN|unix.FAN_ONDIR, unix.AT_FDCWD, mark.Path)
		}
		if err != nil {
			unix.Close(fd)
			return nil, unavailable(fmt.Sprintf("observe %q", mark.Path), err)
		}
	}
	return &Observer{
		fd:     fd,
		file:   os.NewFile(uintptr(fd), "fanotify"),
		done:   make(chan struct{}),
		self:   int32(os.Getpid()),
		opened: map[place]seen{},
	}, nil
}

// unavailable tells the errors that mean "not on this machine" (no system call,
// no privilege, a flag that this kernel lacks) from those about the request.
func unavailable(what string, err error) error {
	for _, sign := range []error{unix.ENOSYS, unix.EPERM, unix.EINVAL} {
		if errors.Is(err, sign) {
			return fmt.Errorf("%s: %w: %w", what, ErrUnavailable, err)
		}
	}
	return fmt.Errorf("%s: %w", what, err)
}

// Opens returns how many opens were seen, of whatever file. It is called after
// Stop.
func (o *Observer) Opens() int { return o.opens }

// Stop ends the observation and returns what was opened before the call, each
// once, sorted by path. Opens by this process itself are left out. An error that
// wraps ErrOverflow comes together with the incomplete list. Stop may be called
// once.
func (o *Observer) Stop() ([]Opened, error) {
	// Without marks no new events come: the queue has an end. An event is in the
	// queue before the open that it tells of returns.
	err := errors.Join(
		unix.FanotifyMark(o.fd, unix.FAN_MARK_FLUSH|unix.FAN_MARK_MOUNT, 0, unix.AT_FDCWD, "/"),
		unix.FanotifyMark(o.fd, unix.FAN_MARK_FLUSH|unix.FAN_MARK_FILESYSTEM, 0, unix.AT_FDCWD, "/"),
	)
	err = errors.Join(err, o.file.SetReadDeadline(time.Now()))
	<-o.done
	err = errors.Join(o.lost, err, o.file.Close())
	opened := make([]Opened, 0, len(o.opened))
	for at, seen := range o.opened {
		opened = append(opened, Opened{Path: at.path, Dir: at.dir, Exec: seen.executed, Born: seen.born})
	}
	slices.SortFunc(opened, func(a, b Opened) int {
		if c := cmp.Compare(a.Path, b.Path); c != 0 || a.Dir == b.Dir {
			return c
		}
		if b.Dir {
			return -1
		}
		return 1
	})
	if err != nil {
		return opened, fmt.Errorf("observe opened files: %w", err)
	}
	return opened, nil
}
