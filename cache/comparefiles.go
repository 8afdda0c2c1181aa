package cache

import (
	"bytes"
	"fmt"
	"io"

	"golang.org/x/sys/unix"
)

// compareBlock is the unit in which differing parts of large files are counted:
// the block size of most file systems.
const compareBlock = 4096

// A FileComparison says how two files differ in content.
type FileComparison struct {
	// Sizes in bytes.
	Before, After int64
	// First is the offset of the first byte that differs; the end of the
	// shorter file if it is the beginning of the other. It is negative if the
	// files are the same.
	First int64
	// Bytes is how many bytes differ, and Blocks how many blocks of 4 KiB have
	// one that does. What only the longer file has differs.
	Bytes, Blocks int64

	counted int64 // all blocks before this one
}

// Same reports whether the files have the same content.
func (c FileComparison) Same() bool { return c.First < 0 }

// CompareFiles compares two regular files byte by byte. Holes that both have in
// one place are not read.
func CompareFiles(before, after string) (FileComparison, error) {
	c, err := compareFiles(before, after)
	if err != nil {
		return c, fmt.Errorf("compare %q with %q: %w", before, after, err)
	}
	return c, nil
}

func compareFiles(before, after string) (c FileComparison, err error) {
	c.First = -1
	a, err := openFile(before)
	if err != nil {
		return c, err
	}
	defer unix.Close(a)
	b, err := openFile(after)
	if err != nil {
		return c, err
	}
	defer unix.Close(b)
	if c.Before, err = unix.Seek(a, 0, unix.SEEK_END); err != nil {
		return c, err
	}
	if c.After, err = unix.Seek(b, 0, unix.SEEK_END); err != nil {
		return c, err
	}
	if err := c.common(a, b, min(c.Before, c.After)); err != nil {
		return c, err
	}
	c.differ(min(c.Before, c.After), max(c.Before, c.After))
	return c, nil
}

// common compares as far as both files go.
func (c *FileComparison) common(a, b int, size int64) error {
	var one, other [compareBlock * 16]byte
	for at := int64(0); at < size; {
		dataA, _, err := nextData(a, at, size)
		if err != nil {
			return err
		}
		dataB, _, err := nextData(b, at, size)
		if err != nil {
			return err
		}
		if at = min(dataA, dataB); at >= size {
			return nil
		}
		n := min(size-at, int64(len(one)))
		if err := readFull(a, one[:n], at); err != nil {
			return err
		}
		if err := readFull(b, other[:n], at); err != nil {
			return err
		}
		if !bytes.Equal(one[:n], other[:n]) {
			c.count(one[:n], other[:n], at)
		}
		at += n
	}
	return nil
}

// count counts what differs in a part of both files.
func (c *FileComparison) count(a, b []byte, at int64) {
	for i := range a {
		if a[i] != b[i] {
			c.differ(at+int64(i), at+int64(i)+1)
		}
	}
}

// differ counts a range of bytes, which comes after all that were counted.
func (c *FileComparison) differ(from, to int64) {
	if from == to {
		return
	}
	if c.First < 0 {
		c.First = from
	}
	c.Bytes += to - from
	last := (to - 1) / compareBlock
	c.Blocks += last - max(from/compareBlock, c.counted) + 1
	c.counted = last + 1
}

// readFull reads len(p) bytes of a file that has them.
func readFull(fd int, p []byte, offset int64) error {
	for len(p) > 0 {
		n, err := pread(fd, p, offset)
		if err != nil {
			return err
		}
		if n == 0 {
			return io.ErrUnexpectedEOF
		}
		p, offset = p[n:], offset+int64(n)
	}
	return nil
}
