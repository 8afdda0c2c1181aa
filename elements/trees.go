package elements

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/dibgraph/dibgraph/steps"
)

// writeHooks makes the lowest directory of build trees: an empty image root,
// the merged hooks, and a place for files beside the image.
func (p *Planner) writeHooks(tempDir func(string) (string, error)) (string, error) {
	dir, err := tempDir("hooks")
	if err != nil {
		return "", err
	}
	for _, name := range []string{"mnt", "hooks", "out"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			return "", err
		}
	}
	if err := p.image.Hooks.write(filepath.Join(dir, "hooks")); err != nil {
		return "", fmt.Errorf("merge the hooks: %w", err)
	}
	return dir, os.Chmod(dir, 0o755)
}

// writeElements copies the elements' directories, so that what hooks read is
// what was planned even if somebody edits an element meanwhile.
func (p *Planner) writeElements(tempDir func(string) (string, error)) ([]string, error) {
	var dirs []string
	for _, set := range p.elementSets() {
		dir, err := tempDir("elements")
		if err != nil {
			return nil, err
		}
		if err := os.Chmod(dir, 0o755); err != nil {
			return nil, err
		}
		for _, e := range set {
			at := filepath.Join(dir, e.Name)
			if err := os.Mkdir(at, 0o755); err != nil {
				return nil, err
			}
			if err := e.Tree.write(at); err != nil {
				return nil, fmt.Errorf("copy element %q: %w", e.Name, err)
			}
		}
		dirs = append(dirs, dir)
	}
	return dirs, nil
}

func writeLib(tempDir func(string) (string, error)) (string, error) {
	dir, err := tempDir("lib")
	if err != nil {
		return "", err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", err
	}
	return dir, steps.WriteLib(dir)
}

// write writes the tree into an existing directory, with modes and times, as
// files of the user that runs the build. It fails with [ErrChanged] if a file
// is not what it was when the elements were loaded.
func (t *Tree) write(dir string) error {
	for _, f := range t.Files {
		if err := f.write(filepath.Join(dir, f.Path)); err != nil {
			return err
		}
	}
	// Directories last: writing into them changes their times.
	for _, f := range t.Files {
		if f.IsDir() {
			if err := os.Chtimes(filepath.Join(dir, f.Path), f.ModTime, f.ModTime); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f File) write(at string) error {
	switch {
	case f.IsDir():
		if err := os.Mkdir(at, 0o755); err != nil {
			return err
		}
		return os.Chmod(at, f.Mode)
	case f.IsLink():
		return os.Symlink(f.Link, at)
	case f.Open == nil:
		return nil // a socket or device in an element is nothing a hook can use
	}
	r, err := f.Open()
	if err != nil {
		return err
	}
	w, err := os.OpenFile(at, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return errors.Join(err, r.Close())
	}
	_, err = io.Copy(w, r)
	if err := errors.Join(err, r.Close(), w.Close(), os.Chmod(at, f.Mode)); err != nil {
		return err
	}
	return os.Chtimes(at, f.ModTime, f.ModTime)
}
