package overlay

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// indexDir is where the kernel keeps the index, below the work directory.
const indexDir = "index"

// An entry of the index is a hard link to a file of the upper filesystem, the
// copy of a lower file with several names. Its own name is the handle of that
// lower file.
type entry struct {
	path   string
	handle unix.FileHandle
}

// readIndex lists the entries for files that are still there. Without an index
// there are none.
func readIndex(work string) ([]entry, error) {
	dir := filepath.Join(work, indexDir)
	found, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var entries []entry
	for _, one := range found {
		// A whiteout stands for what is gone; "#…" are the kernel's temporary
		// names, one of which is the whiteout it links to.
		if one.Type()&fs.ModeCharDevice != 0 && isWhiteout(one) || strings.HasPrefix(one.Name(), "#") {
			continue
		}
		handle, err := parseHandle(one.Name())
		if err != nil {
			return nil, fmt.Errorf("%q: %w", filepath.Join(dir, one.Name()), err)
		}
		entries = append(entries, entry{filepath.Join(dir, one.Name()), handle})
	}
	return entries, nil
}

func isWhiteout(one fs.DirEntry) bool {
	info, err := one.Info()
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Rdev == 0
}

// The layout of struct ovl_fb in fs/overlayfs: version, magic, length of the
// whole, flags, type of the handle, UUID of the filesystem, the handle.
const (
	handleVersion = 0
	handleMagic   = 0xfb
	handleType    = 4
	handleBytes   = 5 + 16
)

// parseHandle reads the name of an index entry, which is such a structure in
// hexadecimal digits.
func parseHandle(name string) (unix.FileHandle, error) {
	b, err := hex.DecodeString(name)
	switch {
	case err != nil:
		return unix.FileHandle{}, fmt.Errorf("not the name of an index entry: %w", err)
	case len(b) <= handleBytes || b[0] != handleVersion || b[1] != handleMagic || int(b[2]) != len(b):
		return unix.FileHandle{}, errors.New("not a file handle of a format that is known")
	}
	return unix.NewFileHandle(int32(b[handleType]), b[handleBytes:]), nil
}
