package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// A Usage is what a part of the store takes on disk, as du counts it: blocks,
// with a file that has several names counted once.
type Usage struct {
	Kind  string `json:"kind"` // a directory of the store, or "" for the files beside them
	Bytes int64  `json:"bytes"`
	Files int64  `json:"files"` // of all types
}

// DiskUsage returns what each directory of the store takes, in the order of
// their names. Files that merged layers share with the layers count as those of
// the layers. The sum is what "du -s" says.
func (s *Store) DiskUsage(ctx context.Context) ([]Usage, error) {
	names, err := readNames(s.dir)
	if err != nil {
		return nil, fmt.Errorf("measure store %q: %w", s.dir, err)
	}
	m := newMeter(ctx)
	top := Usage{}
	var all []Usage
	for _, name := range names {
		files, bytes := m.files, m.bytes
		if err := m.add(s.path(name)); err != nil {
			return nil, fmt.Errorf("measure store %q: %w", s.dir, err)
		}
		u := Usage{Kind: name, Bytes: m.bytes - bytes, Files: m.files - files}
		if info, err := os.Lstat(s.path(name)); err == nil && info.IsDir() {
			all = append(all, u)
		} else {
			top.Bytes, top.Files = top.Bytes+u.Bytes, top.Files+u.Files
		}
	}
	bytes, files := m.bytes, m.files
	if err := m.one(s.dir, new(unix.Stat_t)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("measure store %q: %w", s.dir, err)
	}
	top.Bytes, top.Files = top.Bytes+m.bytes-bytes, top.Files+m.files-files
	return slices.Insert(all, 0, top), nil
}

// A meter adds up the blocks of files.
type meter struct {
	ctx    context.Context
	linked map[fileID]bool // files with several names that were counted
	bytes  int64
	files  int64
}

type fileID struct{ dev, ino uint64 }

func newMeter(ctx context.Context) *meter {
	return &meter{ctx: ctx, linked: make(map[fileID]bool)}
}

// blockBytes is the unit of the block counts of stat.
const blockBytes = 512

// add counts a file, and what is in it if it is a directory. What is gone by
// then takes nothing.
func (m *meter) add(path string) error {
	var st unix.Stat_t
	err := m.one(path, &st)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return err
	}
	return m.addBelow(path)
}

// addBelow counts what is in a directory.
func (m *meter) addBelow(path string) error {
	if m.ctx.Err() != nil {
		return context.Cause(m.ctx)
	}
	d, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	names, err := d.Readdirnames(-1)
	d.Close()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, name := range names {
		if err := m.add(path + "/" + name); err != nil {
			return err
		}
	}
	return nil
}

// one counts one file.
func (m *meter) one(path string, st *unix.Stat_t) error {
	if err := lstat(path, st); err != nil {
		return &fs.PathError{Op: "lstat", Path: path, Err: err}
	}
	m.count(st)
	return nil
}

// count counts a file with these attributes.
func (m *meter) count(st *unix.Stat_t) {
	if st.Nlink > 1 && st.Mode&unix.S_IFMT != unix.S_IFDIR {
		i := fileID{uint64(st.Dev), st.Ino}
		if m.linked[i] {
			return
		}
		m.linked[i] = true
	}
	m.bytes += st.Blocks * blockBytes
	m.files++
}

// measure returns what was added since the last call.
func (m *meter) measure(path string) (int64, error) {
	before := m.bytes
	err := m.add(path)
	return m.bytes - before, err
}
