package cache

import (
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"
)

// digestFile returns the digest of a regular file of a known size. It fails if
// the file has another size by now, or is a symbolic link.
//
// It does without os.File, which would ask the poller about each of the
// thousands of small files of a layer.
func digestFile(path string, size int64) (Digest, error) {
	b := hashBuffers.Get().(*hashBuffer)
	defer hashBuffers.Put(b)
	b.hasher.Reset()
	fd, err := openFile(path)
	if err != nil {
		return Digest{}, fmt.Errorf("open %q: %w", path, err)
	}
	defer unix.Close(fd)
	if err := b.hashFile(fd, size); err != nil {
		return Digest{}, fmt.Errorf("hash %q: %w", path, err)
	}
	return b.hasher.Sum(), nil
}

func openFile(path string) (int, error) {
	for {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

// hashFile reads small files without asking for holes: the question costs as
// much as the read.
func (b *hashBuffer) hashFile(fd int, size int64) error {
	if size < bufferSize {
		return b.hashRange(fd, 0, size, true)
	}
	// What is after the end looks like a hole.
	if end, err := unix.Seek(fd, 0, unix.SEEK_END); err != nil || end != size {
		return errors.Join(err, fmt.Errorf("the file has %d bytes, not %d", end, size))
	}
	for done := int64(0); done < size; {
		data, end, err := nextData(fd, done, size)
		if err != nil {
			return err
		}
		b.hashZeros(data - done)
		if err := b.hashRange(fd, data, end, end == size); err != nil {
			return err
		}
		done = end
	}
	return nil
}

// nextData returns the first range of data at or after offset, [size, size) if
// only a hole follows. A filesystem that does not know of holes has one range.
func nextData(fd int, offset, size int64) (start, end int64, err error) {
	start, err = unix.Seek(fd, offset, unix.SEEK_DATA)
	switch {
	case errors.Is(err, unix.ENXIO):
		return size, size, nil
	case errors.Is(err, unix.EINVAL):
		return offset, size, nil
	case err != nil:
		return 0, 0, fmt.Errorf("find data: %w", err)
	}
	end, err = unix.Seek(fd, start, unix.SEEK_HOLE)
	if err != nil {
		return 0, 0, fmt.Errorf("find hole: %w", err)
	}
	return min(start, size), min(end, size), nil
}

// hashRange adds the bytes from start to end. If last is set, the file must end
// there, for which one byte more is asked for: a file that still grows has no
// digest.
func (b *hashBuffer) hashRange(fd int, start, end int64, last bool) error {
	for at := start; at < end || last; {
		want := min(end-at, bufferSize)
		if last && want < bufferSize {
			want++
		}
		n, err := pread(fd, b.bytes[:want], at)
		if err != nil {
			return err
		}
		at += int64(n)
		switch {
		case at > end:
			return errors.New("the file grew while it was read")
		case n == 0 && at < end:
			return io.ErrUnexpectedEOF
		}
		b.hasher.Write(b.bytes[:n])
		if at == end && int64(n) < want {
			return nil
		}
	}
	return nil
}

func pread(fd int, p []byte, offset int64) (int, error) {
	for {
		n, err := unix.Pread(fd, p, offset)
		if err != unix.EINTR {
			return n, err
		}
	}
}

// zeros is what a hole reads as.
var zeros [64 << 10]byte

func (b *hashBuffer) hashZeros(n int64) {
	for n > 0 {
		part := min(n, int64(len(zeros)))
		b.hasher.Write(zeros[:part])
		n -= part
	}
}
