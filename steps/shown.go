package steps

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/internal/mount"
)

// Observation of the host's files sees what is opened by the mounts there were at
// the beginning. A shownWatch notices mounts that a step makes meanwhile of what
// can be an input: what is opened by those is not seen.
type shownWatch struct {
	known   map[int]bool // mounts that were looked at
	watched []mount.Info
	own     string // where the step itself makes mounts, which are observed
	shown   map[string]bool
	err     error
	changes int      // a descriptor to wait on
	wake    *os.File // closed to end the watch
	done    chan struct{}
}

// watchShown begins to look for new mounts of what is at the given points.
func watchShown(points []string, own string) (*shownWatch, error) {
	// Opened first: the kernel tells of changes since then, and once only, so that
	// the poller of the os package must not be the one to learn of them.
	fd, err := unix.Open("/proc/self/mountinfo", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("watch mounts: %w", err)
	}
	infos, err := mount.Self()
	if err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	sleep, wake, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("watch mounts: %w", err), unix.Close(fd))
	}
	w := &shownWatch{known: map[int]bool{}, shown: map[string]bool{}, own: own, changes: fd, wake: wake, done: make(chan struct{})}
	at := make(map[string]bool)
	for _, point := range points {
		at[point] = true
	}
	for _, m := range infos {
		w.known[m.ID] = true
		if at[m.Point] {
			w.watched = append(w.watched, m)
		}
	}
	go w.follow(sleep)
	return w, nil
}

// follow looks at the mounts whenever they change, and once more in the end.
func (w *shownWatch) follow(sleep *os.File) {
	defer close(w.done)
	defer sleep.Close()
	fds := []unix.PollFd{{Fd: int32(w.changes), Events: unix.POLLPRI}, {Fd: int32(sleep.Fd()), Events: unix.POLLIN}}
	for w.err == nil {
		_, err := unix.Poll(fds, -1)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		w.err = errors.Join(err, w.look())
		if fds[1].Revents != 0 {
			return
		}
	}
}

// look notes what new mounts show.
func (w *shownWatch) look() error {
	infos, err := mount.Self()
	if err != nil {
		return err
	}
	now := make(map[int]bool, len(infos)) // a number is given again once its mount is gone
	for _, m := range infos {
		now[m.ID] = true
		if w.known[m.ID] || m.Point == w.own {
			continue
		}
		for _, path := range w.shows(m) {
			w.shown[path] = true
		}
	}
	w.known = now
	return nil
}

// shows returns the paths by which what a mount shows is known as an input. What
// is in the store is part of the build tree and not of the host.
func (w *shownWatch) shows(m mount.Info) []string {
	var paths, ours []string
	for _, known := range w.watched {
		if m.Major != known.Major || m.Minor != known.Minor {
			continue
		}
		if rest, in := below(known.Root, m.Root); in {
			paths = append(paths, filepath.Join(known.Point, rest))
		} else if _, covers := below(m.Root, known.Root); covers {
			paths = append(paths, known.Point)
		}
	}
	for _, path := range paths {
		if _, own := below(RunDir, path); own {
			ours = append(ours, path)
		}
	}
	if len(ours) > 0 {
		return ours
	}
	return paths
}

// stop ends the watch and returns what new mounts have shown.
func (w *shownWatch) stop() (map[string]bool, error) {
	err := w.wake.Close()
	<-w.done
	return w.shown, errors.Join(w.err, err, unix.Close(w.changes))
}

// widen adds what could have been read by mounts that a step has made: all of the
// elements and hooks, and a directory of the host with all that is in it.
func (s Sight) widen(shown map[string]bool, host *HostFiles) Sight {
	for path := range shown {
		if _, ours := below(RunDir, path); ours {
			s.Coarse = true
			continue
		}
		if host == nil || !host.isInput(path) || host.holdsCaller(path) {
			continue
		}
		s.Observed = append(s.Observed, observedTree+host.name(path))
	}
	return s
}

// holdsCaller reports whether the home or the working directory is below a path,
// or is it: that is too much to be read by every plan.
func (h HostFiles) holdsCaller(path string) bool {
	for _, own := range []string{h.Home, h.WorkDir} {
		if own == path || strings.HasPrefix(own, strings.TrimSuffix(path, "/")+"/") {
			return true
		}
	}
	return false
}
