package wholefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// ErrNotEmpty is the error of [CreateDir] where something would be replaced.
var ErrNotEmpty = errors.New("the directory is not empty")

// A Dir is a directory that is filled under another name. Exactly one of Publish
// and Discard ends it.
type Dir struct {
	// Part is where it is until it is published.
	Part string
	path string
}

// CreateDir begins a directory that is to be at path, where there must be nothing
// or an empty directory. A killed process leaves it behind as .NAME.part-….
func CreateDir(path string) (*Dir, error) {
	path = filepath.Clean(path)
	entries, err := os.ReadDir(path)
	switch {
	case err == nil && len(entries) > 0:
		return nil, fmt.Errorf("%s: %w", path, ErrNotEmpty)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	part, err := os.MkdirTemp(filepath.Dir(path), "."+filepath.Base(path)+".part-")
	if err != nil {
		return nil, err
	}
	d := &Dir{Part: part, path: path}
	if err := os.Chmod(part, 0o755); err != nil {
		return nil, errors.Join(err, d.Discard())
	}
	return d, nil
}

// Publish gives the directory its name. If it cannot, nothing is left of it.
func (d *Dir) Publish() error {
	// Package os would refuse to replace a directory that is empty.
	if err := unix.Rename(d.Part, d.path); err != nil {
		return errors.Join(&os.LinkError{Op: "rename", Old: d.Part, New: d.path, Err: err}, d.Discard())
	}
	return nil
}

// Discard leaves nothing of the directory.
func (d *Dir) Discard() error { return os.RemoveAll(d.Part) }
