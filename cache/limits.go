package cache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// usageFile says what the store takes, as far as is known without looking, and
// when somebody looked last. There is one once a store was opened with a limit.
const usageFile = "usage"

// recountAfter is how old a count may be that an open store begins with.
// Processes add to it what they write; what was deleted by hand, or written by
// a process that died, is only found by looking.
const recountAfter = time.Hour

// slack is the part of a limit that a trim frees beyond it, so that not every
// commit has to trim.
const slack = 0.03

// limits keep a store within Options.MaxSize and Options.MinFree while it is
// written to: whoever is about to put something in its place makes room first.
type limits struct {
	maxSize, minFree int64
	counting         sync.Mutex
	counted          bool     // the count is known to be recent
	stuck            []string // the owners there were when nothing more could go
	over             int64
}

// DefaultMinFree is how much of a filesystem of that many bytes stays free if
// nothing else is asked for.
func DefaultMinFree(filesystem int64) int64 {
	const most = 5 << 30
	return min(filesystem/10, most)
}

// FilesystemSize returns how many bytes the filesystem holds that the store is
// on, or will be made on.
func FilesystemSize(dir string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, &os.PathError{Op: "statfs", Path: dir, Err: err}
	}
	return int64(st.Blocks) * st.Bsize, nil
}

// Exceeded returns by how many bytes the limits were exceeded when room was last
// made, because running builds use the rest or it is pinned.
func (s *Store) Exceeded() int64 {
	s.limits.counting.Lock()
	defer s.limits.counting.Unlock()
	return s.limits.over
}

// makeRoom calls put to give something of so many bytes its place, after a trim
// if there is no room. The bytes are on disk already, as temporary files; so at
// every moment the store takes no more than its limit and what is being made.
// Only what open stores use, and pins, can make it take more.
//
// The count stays locked until put is done: a trim that looks at what there is
// would else miss what has its room and not yet its place.
func (s *Store) makeRoom(bytes int64, put func() error) error {
	if !s.counts() {
		return s.putUncounted(put)
	}
	return s.putCounted(bytes, put)
}

// putUncounted is makeRoom for a store that nobody counts: only the filesystem
// has a limit.
func (s *Store) putUncounted(put func() error) error {
	if err := s.makeFree(); err != nil {
		return limitError(err)
	}
	return put()
}

func (s *Store) putCounted(bytes int64, put func() error) error {
	l := &s.limits
	l.counting.Lock()
	defer l.counting.Unlock()
	f, err := lockFile(s.path(usageFile))
	if err != nil {
		return limitError(err)
	}
	defer f.Close()
	if err := s.count(f, bytes); err != nil {
		return limitError(err)
	}
	return put()
}

func limitError(err error) error {
	return fmt.Errorf("keep the store within its limits: %w", err)
}

// count adds bytes to the count in f, and trims if that is too much.
func (s *Store) count(f *os.File, bytes int64) error {
	l := &s.limits
	total, at, err := readUsage(f)
	if err != nil {
		return err
	}
	if age := s.now().Sub(at); !l.counted && (age > recountAfter || age < 0) {
		if total, err = s.recount(f); err != nil {
			return err
		}
		at = s.now()
	}
	l.counted = true
	total += bytes
	if l.maxSize > 0 && total > l.maxSize || s.shortOfSpace() {
		if total, err = s.trimFor(bytes, total); err != nil {
			return err
		}
	}
	return writeUsage(f, total, at)
}

// counts reports whether what is written has to be counted, by this store or
// for others.
func (s *Store) counts() bool {
	if s.limits.maxSize > 0 {
		return true
	}
	_, err := os.Lstat(s.path(usageFile))
	return err == nil
}

// makeFree is all there is to do for a store that has no limit but that of the
// filesystem.
func (s *Store) makeFree() error {
	if !s.shortOfSpace() {
		return nil
	}
	s.limits.counting.Lock()
	defer s.limits.counting.Unlock()
	_, err := s.trimFor(0, 0)
	return err
}

func (s *Store) shortOfSpace() bool {
	if s.limits.minFree == 0 {
		return false
	}
	free, err := freeBytes(s.dir)
	return err == nil && free < s.limits.minFree
}

// trimFor trims so that so many bytes more have room, and returns the total with
// them. The caller holds the lock of the count, also while what goes is
// deleted: nobody else may take the room before it is there.
func (s *Store) trimFor(bytes, total int64) (int64, error) {
	l := &s.limits
	owners, err := readNames(s.path(tmpDir))
	if err != nil {
		return 0, err
	}
	if l.stuck != nil && slices.Equal(owners, l.stuck) {
		// All that is left is leased or pinned, as before, and so is what came.
		l.over += bytes
		return total, nil
	}
	o := TrimOptions{Now: s.now()}
	if l.maxSize > 0 {
		o.MaxSize = max(l.maxSize-bytes-int64(slack*float64(l.maxSize)), 1)
	}
	if s.shortOfSpace() {
		o.MinFree = l.minFree + int64(slack*float64(l.minFree))
	}
	report, err := s.trim(context.Background(), o)
	if err != nil {
		return 0, err
	}
	l.stuck, l.over = nil, 0
	if total = report.After + bytes; l.maxSize > 0 {
		l.over = max(total-l.maxSize, 0)
	}
	if o.MinFree > 0 && s.shortOfSpace() {
		l.over = max(l.over, report.Over)
	}
	if l.over > 0 {
		l.stuck = owners
	}
	return total, nil
}

// recount looks at what the store takes.
func (s *Store) recount(f *os.File) (int64, error) {
	inv, err := s.takeInventory(newMeter(context.Background()))
	if err != nil {
		return 0, err
	}
	return inv.total, writeUsage(f, inv.total, s.now())
}

// noteTotal notes, if anybody counts, what the store takes after a trim.
func (s *Store) noteTotal(total int64) error {
	if _, err := os.Lstat(s.path(usageFile)); err != nil {
		return ignoreMissing(err)
	}
	f, err := lockFile(s.path(usageFile))
	if err != nil {
		return err
	}
	defer f.Close()
	return writeUsage(f, total, s.now())
}

// readUsage returns the zero time if the file says nothing, or nothing of use.
func readUsage(f *os.File) (total int64, at time.Time, err error) {
	data, err := io.ReadAll(f)
	if err != nil {
		return 0, at, err
	}
	var nanos int64
	if n, _ := fmt.Sscanf(string(data), "%d %d", &total, &nanos); n != 2 {
		return 0, time.Time{}, nil
	}
	return total, time.Unix(0, nanos), nil
}

func writeUsage(f *os.File, total int64, at time.Time) error {
	// Of one length, so that a line need not be cut.
	_, err := f.WriteAt(fmt.Appendf(nil, "%20d %20d\n", total, at.UnixNano()), 0)
	return err
}

// publishWith makes room for what is at path, with all that is in it, and calls
// put to rename it.
func (s *Store) publishWith(path, to string, put func() error) error {
	if !s.counts() {
		return s.putUncounted(put)
	}
	m := newMeter(context.Background())
	if err := m.add(path); err != nil {
		return err
	}
	if _, err := os.Lstat(filepath.Dir(to)); errors.Is(err, fs.ErrNotExist) {
		const directory = 4096
		m.bytes += directory
	}
	return s.putCounted(m.bytes, put)
}

// settleLimits is called when the store is closed: what it used may go now.
func (s *Store) settleLimits() error {
	if s.Exceeded() == 0 {
		return nil
	}
	s.limits.stuck = nil
	return errors.Join(s.leases.end(), s.makeRoom(0, func() error { return nil }))
}
