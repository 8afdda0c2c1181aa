package cache

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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

// eachHash calls f for every object in a directory that hashPath is for. Names
// that are no hashes are none of ours and are passed over.
func (s *Store) eachHash(dir string, f func(hash [hashSize]byte) error) error {
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
		for _, name := range names {
			hash, ok := parseHash(name)
			if !ok || name[:2] != shard {
				continue
			}
			if err := f(hash); err != nil {
				return err
			}
		}
	}
	return nil
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
