package cache

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// path returns the absolute path of a name in the store.
func (s *Store) path(elem ...string) string {
	return filepath.Join(s.dir, filepath.Join(elem...))
}

// hashPath returns where the object of a hash is: two digits make a directory,
// so that none of them becomes large.
func (s *Store) hashPath(dir string, hash [hashSize]byte) string {
	name := hex.EncodeToString(hash[:])
	return s.dir + "/" + dir + "/" + name[:2] + "/" + name
}

// publish renames a finished file from tmp to its place, replacing what is
// there. Directories of the store's own layout are made when first needed.
func publish(from, to string) error {
	err := os.Rename(from, to)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		err = os.Rename(from, to)
	}
	return err
}

// writeFile makes a file of the store whole or not at all.
func (s *Store) writeFile(path string, data []byte) error {
	tmp := s.owner.name("file")
	err := s.withRoom(func() error {
		if err := os.WriteFile(tmp, data, 0o600); err != nil {
			return err
		}
		return s.publishWith(tmp, path, func() error { return publish(tmp, path) })
	})
	if err != nil {
		return errors.Join(err, removeIfThere(tmp))
	}
	return nil
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// readNames returns the sorted names in a directory of the store, none if it is
// not there.
func readNames(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, err
}

// eachHash calls f for every object in a directory that hashPath is for.
func (s *Store) eachHash(dir string, f func(hash [hashSize]byte) error) error {
	return s.eachShard(dir, func(hashes [][hashSize]byte) error {
		for _, hash := range hashes {
			if err := f(hash); err != nil {
				return err
			}
		}
		return nil
	})
}

// eachShard calls f for the objects in each of the directories of a directory
// that hashPath is for. Names that are no hashes are none of ours and are passed
// over.
func (s *Store) eachShard(dir string, f func(hashes [][hashSize]byte) error) error {
	shards, err := readNames(s.path(dir))
	if err != nil {
		return err
	}
	for _, shard := range shards {
		if len(shard) != 2 {
			continue // the lock of the shapes
		}
		names, err := readNames(s.path(dir, shard))
		if err != nil {
			return err
		}
		hashes := make([][hashSize]byte, 0, len(names))
		for _, name := range names {
			if hash, ok := parseHash(name); ok && name[:2] == shard {
				hashes = append(hashes, hash)
			}
		}
		if err := f(hashes); err != nil {
			return err
		}
	}
	return nil
}

// filesAtOnce is how many small files are read at a time: some wait for the disk.
const filesAtOnce = 8

// sideBySide calls f for the numbers below n, some at a time.
func sideBySide(n int, f func(i int) error) error {
	var next atomic.Int64
	var group errgroup.Group
	for range min(filesAtOnce, 1+n/16) {
		group.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return nil
				}
				if err := f(i); err != nil {
					return err
				}
			}
		})
	}
	return group.Wait()
}

// quarantine moves a damaged object out of the way and says where to. Nothing
// is lost by a failure here: the object is then found damaged again.
func (s *Store) quarantine(path, kind string) string {
	if s.readOnly {
		return ""
	}
	to := s.path(quarantineDir, fmt.Sprintf("%s-%s-%s", kind, filepath.Base(path), filepath.Base(s.owner.name("q"))))
	if err := os.Rename(path, to); err != nil {
		return ""
	}
	return to
}

func trimLine(b []byte) string {
	return string(bytes.TrimRight(b, "\n"))
}
