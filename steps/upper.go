package steps

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// pruneUpper removes from a finished upper directory what the overlay copied
// up but nobody changed: empty directories with the same owner, mode and
// attributes as below. Without it every hook would leave a layer, if only of
// the directories in which it made and removed a temporary file.
func pruneUpper(upper string, lower []string) error {
	var dirs []string
	err := filepath.WalkDir(upper, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() && path != upper {
			dirs = append(dirs, path)
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, dir := range slices.Backward(dirs) {
		rel, err := filepath.Rel(upper, dir)
		if err != nil {
			return err
		}
		if opaque(dir) || !sameDirBelow(dir, rel, lower) {
			continue
		}
		err = unix.Rmdir(dir)
		if err != nil && !errors.Is(err, unix.ENOTEMPTY) {
			return &fs.PathError{Op: "rmdir", Path: dir, Err: err}
		}
	}
	return nil
}

func opaque(dir string) bool {
	var value [8]byte
	n, err := unix.Lgetxattr(dir, "trusted.overlay.opaque", value[:])
	return err == nil && string(value[:n]) == "y"
}

// sameDirBelow reports whether the topmost lower directory that has rel has
// it as a directory that differs from dir in nothing a layer keeps.
func sameDirBelow(dir, rel string, lower []string) bool {
	upper, err := os.Lstat(dir)
	if err != nil {
		return false
	}
	for _, l := range lower {
		below, err := os.Lstat(filepath.Join(l, rel))
		if err != nil {
			continue
		}
		a, b := upper.Sys().(*syscall.Stat_t), below.Sys().(*syscall.Stat_t)
		return below.IsDir() && a.Mode == b.Mode && a.Uid == b.Uid && a.Gid == b.Gid &&
			bytes.Equal(attributes(dir), attributes(filepath.Join(l, rel)))
	}
	return false
}

// attributes returns a directory's extended attributes but those of the
// overlay, in a form that can be compared.
func attributes(dir string) []byte {
	size, err := unix.Llistxattr(dir, nil)
	if err != nil || size == 0 {
		return nil
	}
	list := make([]byte, size)
	if size, err = unix.Llistxattr(dir, list); err != nil {
		return nil
	}
	names := strings.Split(strings.TrimSuffix(string(list[:size]), "\x00"), "\x00")
	slices.Sort(names)
	var text bytes.Buffer
	for _, name := range names {
		if strings.HasPrefix(name, "trusted.overlay.") || name == "" {
			continue
		}
		value := make([]byte, 64<<10) // the largest value the kernel allows
		n, err := unix.Lgetxattr(dir, name, value)
		if err != nil {
			n = 0
		}
		text.WriteString(name + "=")
		text.Write(value[:n])
		text.WriteByte(0)
	}
	return text.Bytes()
}

// changedHooks lists the files of the merged hooks that a run changed in
// place. What such a file held before is in the layer now, whether or not the
// run was seen to read it.
func changedHooks(upper string) ([]string, error) {
	var changed []string
	root := filepath.Join(upper, "hooks")
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path == root {
			return filepath.SkipAll
		}
		if err != nil || e.IsDir() {
			return err
		}
		rel, err := filepath.Rel(upper, path)
		changed = append(changed, rel)
		return err
	})
	return changed, err
}
