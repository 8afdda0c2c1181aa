package steps

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// resolverPlaceholder is what /etc/resolv.conf of a state holds between
// hooks. The host's own file takes its place only while a hook runs, so that
// name servers of the build machine are in no layer and no key.
const resolverPlaceholder = "# The host's name servers are here while hooks run.\n"

// defaultResolver is used where the host has no resolv.conf; it is the name
// server that hooks are promised in that case.
const defaultResolver = "nameserver 8.8.8.8\n"

const resolverFile = "etc/resolv.conf"

// hostResolver returns what hooks see as /etc/resolv.conf.
func hostResolver() []byte {
	content, err := os.ReadFile("/etc/resolv.conf")
	if err != nil {
		return []byte(defaultResolver)
	}
	return content
}

// lendResolver puts the host's resolv.conf into the root tree if that has the
// placeholder, and not something a hook put there. It reports whether it did.
func lendResolver(root string) (lent bool, err error) {
	path := filepath.Join(root, resolverFile)
	if !holdsExactly(path, []byte(resolverPlaceholder)) {
		return false, nil
	}
	return true, os.WriteFile(path, hostResolver(), 0o777)
}

// withdrawResolver removes the lent file from the upper directory of a run,
// unless the hook made something else of it.
func withdrawResolver(upper string) error {
	path := filepath.Join(upper, "mnt", resolverFile)
	if !holdsExactly(path, hostResolver()) {
		return nil
	}
	return os.Remove(path)
}

// holdsExactly reports whether path is a regular file with that content.
func holdsExactly(path string, content []byte) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	have, err := os.ReadFile(path)
	return err == nil && bytes.Equal(have, content)
}

// installResolver makes the placeholder the root's resolv.conf and moves what
// was there to resolv.conf.ORIG, where elements may edit it.
func installResolver(root string) error {
	path := filepath.Join(root, resolverFile)
	if _, err := os.Lstat(path); err == nil {
		if err := os.Rename(path, path+".ORIG"); err != nil {
			return err
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte(resolverPlaceholder), 0o777); err != nil {
		return err
	}
	return os.Chmod(path, 0o777)
}

// restoreResolver ends the loan for good: a file that hooks made a symlink or
// immutable stays, otherwise the image's own comes back.
func restoreResolver(root string) error {
	path := filepath.Join(root, resolverFile)
	orig := path + ".ORIG"
	info, err := os.Lstat(path)
	if err == nil && (info.Mode()&fs.ModeSymlink != 0 || immutable(path)) {
		return removeIfThere(orig)
	}
	if err := removeIfThere(path); err != nil {
		return err
	}
	if err := os.Rename(orig, path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
