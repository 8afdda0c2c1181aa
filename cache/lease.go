package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

// The lock that a trim holds alone while it chooses and takes away, and the file
// of an owner with the hashes that it holds a lease of.
const (
	trimLock  = "trim.lock"
	leaseFile = "leases"
)

// leases are the hashes of records and content that an open store has found or
// made. Nothing of them is trimmed while the store is open, whichever process
// trims: each is in a file beside the lock of the owner, and counts as long as
// that lock is held, so that leases end with their process.
//
// A lease is written, and what it is of is looked at, under a shared lock on a
// file that a trim locks alone. So either the trim sees the lease, or the look
// sees what the trim left. It costs one write of 32 bytes for each hash.
type leases struct {
	mu   sync.Mutex
	held map[[hashSize]byte]bool
	file *os.File // nil until there is one
	lock *os.File
}

// lease takes a lease of hash, and then calls look to see whether what it is of
// is there.
func (s *Store) lease(hash [hashSize]byte, look func() error) error {
	if s.readOnly {
		return look()
	}
	l := &s.leases
	l.mu.Lock()
	if l.held[hash] {
		l.mu.Unlock()
		return look()
	}
	defer l.mu.Unlock()
	if err := l.open(s); err != nil {
		return fmt.Errorf("take a lease: %w", err)
	}
	if err := flock(l.lock, unix.LOCK_SH); err != nil {
		return fmt.Errorf("take a lease: %w", err)
	}
	defer func() { _ = flock(l.lock, unix.LOCK_UN) }() // closing the file does it too
	err := s.withRoom(func() error { _, err := l.file.Write(hash[:]); return err })
	if err != nil {
		return fmt.Errorf("take a lease: %w", err)
	}
	l.held[hash] = true
	return look()
}

func (l *leases) open(s *Store) (err error) {
	if l.file != nil {
		return nil
	}
	if l.lock == nil {
		if l.lock, err = openLock(s.path(trimLock)); err != nil {
			return err
		}
	}
	l.file, err = os.OpenFile(filepath.Join(s.owner.dir, leaseFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	l.held = make(map[[hashSize]byte]bool)
	return err
}

// end gives up all leases of the store, which is about to be closed.
func (l *leases) end() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = nil
	if l.file == nil {
		return nil
	}
	err := errors.Join(os.Remove(l.file.Name()), l.file.Close())
	l.file = nil
	return err
}

func (l *leases) close() error {
	var err error
	for _, f := range []*os.File{l.file, l.lock} {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
	}
	return err
}

// leaseRecord takes a lease of a record that was read, notes that it is used
// now, and looks for what it names.
func (s *Store) leaseRecord(r *Record) error {
	return s.lease(r.Key, func() error {
		if err := s.touch(r.Key); err != nil {
			return err
		}
		return s.checkContent(r)
	})
}

// touch notes that a record is used now. That is the modification time of its
// file, which nothing else depends on: it takes one system call, and is lost
// only with the record.
func (s *Store) touch(k Key) error {
	if s.readOnly {
		return nil
	}
	now := s.now()
	err := os.Chtimes(s.hashPath(recordsDir, k), now, now)
	if errors.Is(err, fs.ErrNotExist) {
		return &contentError{what: "record " + k.Short()} // trimmed since it was read
	}
	return err
}

// leased returns all hashes that open stores hold leases of, this one's too. The
// caller has scanned the store before: what is made after the leases are read
// must not be taken for something without one.
func (s *Store) leased() (map[[hashSize]byte]bool, error) {
	owners, err := readNames(s.path(tmpDir))
	if err != nil {
		return nil, err
	}
	all := make(map[[hashSize]byte]bool)
	for _, owner := range owners {
		if !s.alive(owner) {
			continue
		}
		data, err := os.ReadFile(s.path(tmpDir, owner, leaseFile))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for ; len(data) >= hashSize; data = data[hashSize:] {
			all[[hashSize]byte(data)] = true
		}
	}
	return all, nil
}
