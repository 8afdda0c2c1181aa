package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// layoutVersion is the content of the file VERSION. It changes with the layout
// of the store or the format of anything in it.
const layoutVersion = "dibgraph store 3\n"

// cacheTag marks a directory that backups may leave out, as
// https://bford.info/cachedir/ has it; the signature is fixed there.
const cacheTag = "Signature: 8a477f597d28d172789f06886806bc55\n" +
	"# This directory was made by dibgraph and can be made again.\n"

// The directories of a store.
const (
	tmpDir        = "tmp"
	trashDir      = "trash"
	pendingDir    = "pending"
	layersDir     = "layers"
	squashDir     = "squash"
	blobsDir      = "blobs"
	recordsDir    = "records"
	shapesDir     = "shapes"
	historyDir    = "history"
	tokensDir     = "tokens"
	buildsDir     = "builds"
	locksDir      = "locks"
	quarantineDir = "quarantine"
)

var layoutDirs = []string{
	tmpDir, trashDir, pendingDir, layersDir, squashDir, blobsDir, recordsDir,
	shapesDir, historyDir, tokensDir, buildsDir, locksDir, quarantineDir, placesDir, pinsDir,
}

// Options say how a store is opened. The zero value opens it for reading and
// writing.
type Options struct {
	// ReadOnly makes and changes nothing, and keeps no lock. The store may belong to
	// someone else, or not be there at all: then every look-up misses.
	ReadOnly bool
	// MaxSize is how many bytes the store may take on disk, and MinFree how many
	// must be left on its filesystem; 0 is no limit. Whoever writes more trims,
	// see [Store.Trim]. What open stores use, and pins, may exceed both.
	MaxSize, MinFree int64
	// Now is the clock; nil means time.Now.
	Now func() time.Time

	// bootID stands for the kernel's boot id in tests, mountID for that of the mount that
	// the store is on.
	bootID, mountID string
}

// A Store is an open store. Its methods may be called concurrently.
type Store struct {
	dir      string
	readOnly bool
	now      func() time.Time
	bootID   string
	mountID  string          // empty if it is not known
	owner    *owner          // nil if read-only
	lost     map[string]bool // epochs of an unclean boot; only a read-only store leaves them in place
	journal  journal
	checked  checkedLayers
	intact   intactLayers
	stacks   stacks
	ahead    sync.Map // path in the history → *Record: what ReadAhead has read
	leases   leases
	limits   limits
	supplier Supplier     // nil: what is not here is nowhere
	needed   sync.Map     // Digest → true: content that could not be supplied when it was asked for
	close    func() error // once

	readingAhead atomic.Bool
}

// Open opens the store in dir and makes it if need be. The caller closes it.
//
// What owners that died left under tmp is moved to the trash, and after an
// unclean boot everything that may not have reached the disk is dropped; when the
// filesystem was mounted anew meanwhile, what of it did not. The
// error is ErrVersion if dir is a store of another version, and ErrForeign if
// dir has something else in it.
func Open(dir string, o Options) (*Store, error) {
	s, err := open(dir, o)
	if err != nil {
		return nil, fmt.Errorf("open store %q: %w", dir, err)
	}
	return s, nil
}

func open(dir string, o Options) (_ *Store, err error) {
	s := &Store{readOnly: o.ReadOnly, now: o.Now, bootID: o.bootID, mountID: o.mountID, limits: limits{maxSize: o.MaxSize, minFree: o.MinFree}}
	if s.now == nil {
		s.now = time.Now
	}
	if s.dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	if s.bootID == "" {
		if s.bootID, err = kernelBootID(); err != nil {
			return nil, err
		}
	}
	if s.readOnly {
		s.close = func() error { return nil }
		return s, s.openReadOnly()
	}
	s.close = sync.OnceValue(s.finish)
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return nil, err
	}
	if err := s.checkVersion(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	lock, err := lockFile(filepath.Join(s.dir, "lock"))
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	if err := s.layOut(); err != nil {
		return nil, err
	}
	if s.mountID == "" {
		s.mountID = mountIDOf(s.dir)
	}
	if s.owner, err = newOwner(s.path(tmpDir)); err != nil {
		return nil, err
	}
	if err := s.reap(); err != nil {
		return nil, errors.Join(err, s.owner.remove())
	}
	return s, nil
}

// ReadOnly reports whether nothing that is done with the store changes it: then
// it makes no difference how often, and in which order, something is looked up.
func (s *Store) ReadOnly() bool { return s.readOnly }

func (s *Store) openReadOnly() error {
	err := s.checkVersion()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	dead, err := s.deadEpochs()
	s.lost = dead.lost
	return err
}

// Dir returns the absolute path of the store.
func (s *Store) Dir() string { return s.dir }

// Close makes everything written durable, deletes the trash, and gives up the
// temporary directories. The store must not be used after it; another Close
// returns what the first did.
func (s *Store) Close() error { return s.close() }

func (s *Store) finish() error {
	err := s.Sync() // also if it fails, no garbage may stay
	return errors.Join(err, s.settleLimits(), s.emptyTrash(), s.leases.close(), s.owner.remove())
}

// checkVersion returns fs.ErrNotExist for a directory that may become a store.
func (s *Store) checkVersion() error {
	b, err := os.ReadFile(s.path("VERSION"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if foreign := s.checkUnused(); foreign != nil {
			return foreign
		}
		return err
	case err != nil:
		return err
	case string(b) != layoutVersion:
		return fmt.Errorf("%w: it is %q and this dibgraph uses %q; name another directory, remove this one, or use the dibgraph that made it",
			ErrVersion, trimLine(b), trimLine([]byte(layoutVersion)))
	}
	return nil
}

// checkUnused keeps a mistyped directory from being filled with a store.
func (s *Store) checkUnused() error {
	entries, err := os.ReadDir(s.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		switch e.Name() {
		case "lock", "VERSION.new", "lost+found":
		default:
			return fmt.Errorf("%w: there is no VERSION in it, but %q; name an empty directory", ErrForeign, e.Name())
		}
	}
	return nil
}

// layOut makes what is missing of the layout. VERSION comes first: a directory
// with anything else in it and no VERSION is foreign.
func (s *Store) layOut() error {
	err := s.checkVersion()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err != nil {
		if err := s.layOutFile("VERSION", layoutVersion); err != nil {
			return err
		}
	}
	if _, err := os.Lstat(s.path("CACHEDIR.TAG")); errors.Is(err, fs.ErrNotExist) {
		if err := s.layOutFile("CACHEDIR.TAG", cacheTag); err != nil {
			return err
		}
	}
	for _, name := range layoutDirs {
		if err := os.Mkdir(s.path(name), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// layOutFile makes a file of the layout whole or not at all, also for a machine
// that goes down right after: nobody would mend it.
func (s *Store) layOutFile(name, content string) error {
	part := s.path(name + ".new")
	err := writeSynced(part, content, 0o644)
	if err == nil {
		err = os.Rename(part, s.path(name))
	}
	if err != nil {
		return errors.Join(err, removeIfThere(part))
	}
	return nil
}
