package cache

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// An epoch is the time between two syncs of one store. While what was written
// in it may not be on disk, a marker with its name is: see the package doc.
type epoch struct {
	name    string
	writers sync.WaitGroup
}

// A journal knows the epochs of a store that have a marker.
type journal struct {
	syncing  sync.Mutex // held during a sync, so that a second one waits for the first
	mu       sync.Mutex // guards what follows
	count    int
	current  *epoch   // nil until something is written
	unsynced []*epoch // ended, with the marker still there
}

// begin is called before anything is written, and end of the result after it.
// Only the first call after a sync costs an fsync.
func (s *Store) begin() (*epoch, error) {
	if s.readOnly {
		return nil, ErrReadOnly
	}
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	if s.journal.current == nil {
		s.journal.count++
		e := &epoch{name: fmt.Sprintf("%s.%d", s.owner.id, s.journal.count)}
		if err := s.withRoom(func() error { return s.mark(e) }); err != nil {
			return nil, fmt.Errorf("begin an epoch of the store: %w", err)
		}
		s.journal.current = e
	}
	s.journal.current.writers.Add(1)
	return s.journal.current, nil
}

func (e *epoch) end() { e.writers.Done() }

// Sync makes durable what was written before the call, with one syncfs. It is
// cheap if nothing was. Writes may go on meanwhile; they count for the next call.
func (s *Store) Sync() error {
	if s.readOnly {
		return nil
	}
	s.journal.syncing.Lock()
	defer s.journal.syncing.Unlock()
	s.journal.mu.Lock()
	if s.journal.current != nil {
		s.journal.unsynced = append(s.journal.unsynced, s.journal.current)
		s.journal.current = nil
	}
	epochs := s.journal.unsynced
	s.journal.unsynced = nil
	s.journal.mu.Unlock()
	if len(epochs) == 0 {
		return nil
	}
	for _, e := range epochs {
		e.writers.Wait()
	}
	err := syncFilesystem(s.dir)
	if err != nil {
		s.journal.mu.Lock()
		s.journal.unsynced = append(epochs, s.journal.unsynced...)
		s.journal.mu.Unlock()
		return fmt.Errorf("sync store %q: %w", s.dir, err)
	}
	for _, e := range epochs {
		err = errors.Join(err, removeIfThere(s.path(pendingDir, e.name)))
	}
	return err
}

// settleEpochs deals with the markers of dead owners. An owner that died under
// this kernel left its writes in the page cache: a sync is enough, unless the
// filesystem was mounted anew since then. After an error of its disk some of what was
// written is gone then.
func (s *Store) settleEpochs() error {
	dead, err := s.deadEpochs()
	if err != nil || len(dead.names) == 0 {
		return err
	}
	if len(dead.lost) > 0 {
		if err := s.dropLost(dead.lost); err != nil {
			return fmt.Errorf("drop what an unclean boot left: %w", err)
		}
	}
	if !dead.torn.IsZero() {
		if err := s.dropTorn(dead.torn); err != nil {
			return fmt.Errorf("drop what a failing filesystem left: %w", err)
		}
	}
	if err := syncFilesystem(s.dir); err != nil {
		return err
	}
	for _, name := range dead.names {
		err = errors.Join(err, removeIfThere(s.path(pendingDir, name)))
	}
	return err
}

// deadEpochs are those with a marker whose owners are dead.
type deadEpochs struct {
	names []string
	lost  map[string]bool // those of another boot
	torn  time.Time       // when the first of those of this boot on another mount began; zero if there is none
}

// deadEpochs reads the markers. Who only reads may not be allowed to ask for owners, and
// gets those of the living too; but on one machine, owners of another boot do not live.
func (s *Store) deadEpochs() (dead deadEpochs, err error) {
	markers, err := readNames(s.path(pendingDir))
	if err != nil {
		return dead, err
	}
	dead.lost = make(map[string]bool)
	for _, name := range markers {
		if !s.readOnly && s.alive(ownerOf(name)) {
			continue
		}
		marker, begun, err := readDated(s.path(pendingDir, name))
		if errors.Is(err, os.ErrNotExist) {
			continue // synced just now
		}
		if err != nil {
			return dead, err
		}
		dead.names = append(dead.names, name)
		boot, mount := readMarker(marker)
		switch {
		case boot != s.bootID:
			dead.lost[name] = true
		case mount == "" || s.mountID == "" || mount == s.mountID:
		case dead.torn.IsZero() || begun.Before(dead.torn):
			dead.torn = begun
		}
	}
	return dead, nil
}

// readDated returns the content of a file, and when it was written.
func readDated(path string) ([]byte, time.Time, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, time.Time{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, time.Time{}, err
	}
	content, err := io.ReadAll(f)
	return content, info.ModTime(), err
}

// readMarker returns what a marker says: boot and mount. The latter is empty where it was
// not known.
func readMarker(content []byte) (boot, mount string) {
	boot, rest, _ := strings.Cut(string(content), "\n")
	mount, _, _ = strings.Cut(rest, "\n")
	return boot, mount
}

// mark makes the marker of an epoch, which is on disk when mark returns. It is
// there as a whole or not at all: one without the boot id would be taken for
// that of another boot.
func (s *Store) mark(e *epoch) error {
	part, marker := s.owner.name("epoch"), s.path(pendingDir, e.name)
	err := writeSynced(part, s.bootID+"\n"+s.mountID+"\n", 0o600)
	if err == nil {
		err = os.Rename(part, marker)
	}
	if err == nil {
		err = syncDir(s.path(pendingDir))
	}
	if err != nil {
		return errors.Join(err, removeIfThere(part), removeIfThere(marker))
	}
	return nil
}

// writeSynced makes a file whose content is on disk when it returns.
func writeSynced(path, content string, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = f.WriteString(content)
	return errors.Join(err, f.Sync(), f.Close())
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func syncFilesystem(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.Syncfs(int(f.Fd())); err != nil {
		return fmt.Errorf("syncfs: %w", err)
	}
	return nil
}

// mountIDOf returns what differs from mount to mount, also of one filesystem; empty if
// the kernel does not say (before Linux 6.8). It is another one in each mount namespace.
func mountIDOf(dir string) string {
	var stat unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, dir, 0, unix.STATX_MNT_ID_UNIQUE, &stat); err != nil || stat.Mask&unix.STATX_MNT_ID_UNIQUE == 0 {
		return ""
	}
	return strconv.FormatUint(stat.Mnt_id, 10)
}

// kernelBootID returns what differs from boot to boot of a kernel.
func kernelBootID() (string, error) {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", err
	}
	id := string(bytes.TrimSpace(b))
	if id == "" || strings.Contains(id, "\n") {
		return "", fmt.Errorf("unexpected boot id %q", b)
	}
	return id, nil
}
