package cache

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// An owner is one open store. Its directory under tmp holds all that it has not
// finished, and a file it keeps locked: when the lock is free, the owner is dead.
type owner struct {
	id    string
	dir   string
	lock  *os.File
	count atomic.Int64
}

// newOwner is called with the lock of the store held, so that nobody takes the
// directory for a dead owner's before its lock is taken.
func newOwner(tmp string) (*owner, error) {
	var random [4]byte
	rand.Read(random[:]) // never fails, see crypto/rand
	id := fmt.Sprintf("%d-%s", os.Getpid(), hex.EncodeToString(random[:]))
	o := &owner{id: id, dir: filepath.Join(tmp, id)}
	if err := os.Mkdir(o.dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := lockFile(filepath.Join(o.dir, "lock"))
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(o.dir))
	}
	o.lock = lock
	return o, nil
}

// name returns an unused path in the owner's directory.
func (o *owner) name(prefix string) string {
	return fmt.Sprintf("%s/%s-%d", o.dir, prefix, o.count.Add(1))
}

func (o *owner) remove() error {
	err := os.RemoveAll(o.dir)
	return errors.Join(err, o.lock.Close())
}

// TempDir makes a directory under tmp, on the filesystem of the layers. Others
// may pass through it, as overlayfs shows the mode of an upper directory in the
// mount; the directory above it keeps them out. It lasts until it is given to
// CommitLayer or Discard, or the store is closed.
func (s *Store) TempDir(name string) (string, error) {
	if s.readOnly {
		return "", ErrReadOnly
	}
	dir := s.owner.name(escapeName(name))
	if err := s.withRoom(func() error { return os.Mkdir(dir, 0o755) }); err != nil {
		return "", err
	}
	// The umask of the caller must not decide what a hook sees.
	return dir, os.Chmod(dir, 0o755)
}

// Discard moves a file or directory of the store to the trash. It is deleted
// when the store is closed: on ext4, files are slow to make for minutes after
// many were deleted. What cannot be moved stays until then where it is.
func (s *Store) Discard(dir string) {
	if s.readOnly {
		return
	}
	trash := s.trashName()
	put := func() error { return os.Rename(dir, trash) }
	// An error means that dir is gone, or still under tmp and deleted with it.
	if s.limits.maxSize > 0 {
		_ = s.publishWith(dir, trash, put)
	} else {
		_ = put()
	}
}

func (s *Store) trashName() string {
	return s.path(trashDir, s.owner.id+"-"+filepath.Base(s.owner.name("t")))
}

// emptyTrash deletes what is in the trash, whoever put it there: the owner may
// have died. Two stores that delete at the same time do not disturb each other.
func (s *Store) emptyTrash() error {
	names, err := readNames(s.path(trashDir))
	for _, name := range names {
		err = errors.Join(err, os.RemoveAll(s.path(trashDir, name)))
	}
	return err
}

// reap clears up after dead owners: of their builds, records are made, their
// directories go to the trash, and their epochs are either synced now or, after an unclean boot, dropped. The
// caller holds the lock of the store.
func (s *Store) reap() error {
	names, err := readNames(s.path(tmpDir))
	if err != nil {
		return err
	}
	var dead []string
	for _, name := range names {
		if s.alive(name) {
			continue
		}
		dead = append(dead, name)
		s.adoptBuilds(name)
		s.Discard(s.path(tmpDir, name))
	}
	if len(dead) > 0 {
		if err := s.reapLocks(); err != nil {
			return err
		}
	}
	return s.settleEpochs()
}

// alive reports whether the owner of that name holds its lock.
func (s *Store) alive(name string) bool {
	if s.owner != nil && name == s.owner.id {
		return true
	}
	f, err := os.Open(s.path(tmpDir, name, "lock")) // which is enough for a lock
	if err != nil {
		// Owners take the lock before anyone can look; without the file there
		// never was one, or it is being removed.
		return !errors.Is(err, fs.ErrNotExist)
	}
	defer f.Close()
	// A shared one: several may look at the same time.
	return flock(f, unix.LOCK_SH|unix.LOCK_NB) != nil
}

// ownerOf returns the owner in the name of an epoch.
func ownerOf(epoch string) string {
	owner, _, _ := strings.Cut(epoch, ".")
	return owner
}
