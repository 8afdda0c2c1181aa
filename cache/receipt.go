package cache

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// deliveredDir holds, for every path outside the store that a blob was
// delivered to, receipts for what is there: the last delivery, and one that
// may be about to replace it.
const deliveredDir = "delivered"

// A receipt says what was delivered to a path. A file whose stamp is still
// the same was not written since: the change time cannot be set by programs.
// It is zero in a receipt that was written before the file got its name, which
// changes it: such a file is known to be ours, not that it is as it was.
type receipt struct {
	Digest Digest `json:"digest"`
	Stamp  stamp  `json:"stamp"`
	// BootID is the boot in which it was written: after another one the file
	// may not be what it was, as it is not synced.
	BootID string `json:"boot_id"`
}

type stamp struct {
	Dev, Ino             uint64
	Size                 int64
	ModTime, ChangedTime syscall.Timespec
}

// settled returns the stamp without what naming a file changes.
func (s stamp) settled() stamp {
	s.ChangedTime = syscall.Timespec{}
	return s
}

// stampOf returns the zero stamp for what is no regular file.
func stampOf(info fs.FileInfo) stamp {
	if !info.Mode().IsRegular() {
		return stamp{}
	}
	st := info.Sys().(*syscall.Stat_t)
	return stamp{uint64(st.Dev), st.Ino, st.Size, st.Mtim, st.Ctim}
}

// Delivered reports whether the file at path is one that [Store.Deliver] left
// there (ours), and whether it still holds the blob d (same).
func (s *Store) Delivered(path string, d Digest) (ours, same bool, err error) {
	if path, err = filepath.Abs(path); err != nil {
		return false, false, err
	}
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, false, nil
	}
	if err != nil {
		return false, false, err
	}
	receipts, err := s.receipts(path)
	if err != nil {
		return false, false, err
	}
	now := stampOf(info)
	for _, r := range receipts {
		switch r.Stamp {
		case stamp{}:
		case now:
			return true, r.Digest == d && r.BootID == s.bootID, nil
		case now.settled():
			ours = true
		}
	}
	return ours, false, nil
}

func (s *Store) receiptPath(path string) string {
	return s.hashPath(deliveredDir, DigestBytes([]byte(path)))
}

// receipts returns those of a path. Damaged ones prove nothing and are none.
func (s *Store) receipts(path string) ([]receipt, error) {
	data, err := os.ReadFile(s.receiptPath(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read receipts of %s: %w", path, err)
	}
	var receipts []receipt
	if json.Unmarshal(data, &receipts) != nil {
		return nil, nil
	}
	return receipts, nil
}

// announce writes a receipt for a file that is going to be at path, beside
// those for what is there until then.
func (s *Store) announce(path string, d Digest, f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	receipts, err := s.receipts(path)
	if err != nil {
		return err
	}
	const kept = 2 // the file that is there, and one more that may be
	receipts = receipts[max(0, len(receipts)-kept):]
	return s.keepReceipts(path, append(slices.Clone(receipts), receipt{d, stampOf(info).settled(), s.bootID}))
}

// confirm writes the receipt for the file that is now at path.
func (s *Store) confirm(path string, d Digest) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	return s.keepReceipts(path, []receipt{{d, stampOf(info), s.bootID}})
}

func (s *Store) keepReceipts(path string, receipts []receipt) error {
	data, err := json.Marshal(receipts)
	if err != nil {
		return err
	}
	e, err := s.begin()
	if err != nil {
		return err
	}
	defer e.end()
	return s.writeFile(s.receiptPath(path), data)
}
