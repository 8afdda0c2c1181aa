package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// How long Lock waits before it looks again. A blocking flock cannot be
// cancelled, and work that is worth a lock takes seconds.
const (
	firstPoll = time.Millisecond
	lastPoll  = 50 * time.Millisecond
)

// Lock makes the caller the only one to work on k, among goroutines and among
// processes, until it calls unlock. If it has to wait for that, it calls
// waiting once (waiting may be nil). The kernel frees the lock of a process
// that dies in any way. What is in the store is what a lock protects: it does
// not order the memory of goroutines.
//
// The error is the cause of ctx, if that ends first.
func (s *Store) Lock(ctx context.Context, k Key, waiting func()) (unlock func(), err error) {
	if s.readOnly {
		return nil, ErrReadOnly
	}
	path := s.hashPath(locksDir, k)
	for poll := firstPoll; ; poll = min(2*poll, lastPoll) {
		f, err := lockOnce(path)
		if err != nil {
			return nil, fmt.Errorf("lock key %s: %w", k.Short(), err)
		}
		if f != nil {
			return func() { unlockFile(f, path) }, nil
		}
		if waiting != nil {
			waiting()
			waiting = nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for the lock of key %s: %w", k.Short(), context.Cause(ctx))
		case <-time.After(poll):
		}
	}
}

// lockOnce returns nil without an error if somebody else has the lock.
func lockOnce(path string) (*os.File, error) {
	f, err := openLock(path)
	if err != nil {
		return nil, err
	}
	locked, err := tryLock(f)
	if err != nil || !locked || !sameFile(f, path) {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// sameFile reports whether path still leads to f. The last holder removes the
// file, so a lock on one that is no longer there excludes nobody.
func sameFile(f *os.File, path string) bool {
	a, err := f.Stat()
	if err != nil {
		return false
	}
	b, err := os.Lstat(path)
	return err == nil && os.SameFile(a, b)
}

// unlockFile removes the file while it is locked, and so only ever its own.
// Where that fails, an unlocked file stays, which does no harm.
func unlockFile(f *os.File, path string) {
	_ = os.Remove(path)
	_ = f.Close()
}

func openLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
		f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	}
	return f, err
}

// lockFile waits for the lock of a file that is never removed; closing the file
// frees it. It is for short work only, as the wait cannot be cancelled.
func lockFile(path string) (*os.File, error) {
	f, err := openLock(path)
	if err != nil {
		return nil, err
	}
	if err := flock(f, unix.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %q: %w", path, err), f.Close())
	}
	return f, nil
}

func tryLock(f *os.File) (bool, error) {
	err := flock(f, unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

func flock(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// reapLocks removes the lock files that killed builds left: one a key would
// add up.
func (s *Store) reapLocks() error {
	return s.eachHash(locksDir, func(k [hashSize]byte) error {
		path := s.hashPath(locksDir, k)
		f, err := lockOnce(path)
		if err != nil {
			return err
		}
		if f != nil {
			unlockFile(f, path)
		}
		return nil
	})
}
