package copytree

import (
	"context"
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"
)

// A file is a regular file and its new copy, both open. A worker owns it from
// when it takes it.
type file struct {
	source, target int
	name           string
	stat           unix.Stat_t
	plain          bool
}

func (f *file) close() error {
	unix.Close(f.source)
	// Some filesystems report a failed write only here.
	return unix.Close(f.target)
}

// fill is a worker: it copies bytes and attributes of files until there are
// no more.
func fill(ctx context.Context, files <-chan *file) error {
	buffer := make([]byte, bufferSize)
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case f, ok := <-files:
			if !ok {
				return nil
			}
			err := f.copy(ctx, buffer)
			if closed := f.close(); err == nil && closed != nil {
				err = fmt.Errorf("close: %w", closed)
			}
			if err != nil {
				return named(f.name, err)
			}
		}
	}
}

// copy copies the data first: a write clears capabilities and set-user-id
// bits.
func (f *file) copy(ctx context.Context, buffer []byte) error {
	var err error
	if f.stat.Blocks*512 < f.stat.Size {
		err = f.copySparse(ctx, buffer)
	} else {
		err = f.copyRange(ctx, 0, f.stat.Size, buffer)
	}
	if err != nil {
		return err
	}
	return setAttributes(f.source, f.target, &f.stat, f.plain)
}

// copySparse copies the parts that have data, and leaves holes between them.
func (f *file) copySparse(ctx context.Context, buffer []byte) error {
	if err := unix.Ftruncate(f.target, f.stat.Size); err != nil {
		return fmt.Errorf("set size: %w", err)
	}
	for at := int64(0); at < f.stat.Size; {
		start, err := unix.Seek(f.source, at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			return nil // a hole up to the end
		}
		if err != nil {
			return fmt.Errorf("find data: %w", err)
		}
		end, err := unix.Seek(f.source, start, unix.SEEK_HOLE)
		if err != nil {
			return fmt.Errorf("find hole: %w", err)
		}
		end = min(end, f.stat.Size)
		if err := f.copyRange(ctx, start, end, buffer); err != nil {
			return err
		}
		at = end
	}
	return nil
}

// copyRange copies the bytes from start to end. copy_file_range would fail: it
// does not cross filesystems.
func (f *file) copyRange(ctx context.Context, start, end int64, buffer []byte) error {
	for at := start; at < end; {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		n, err := retry(func() (int, error) {
			return unix.Pread(f.source, buffer[:min(int64(len(buffer)), end-at)], at)
		})
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		if n == 0 {
			return fmt.Errorf("read: the file became shorter while it was copied: %w", io.ErrUnexpectedEOF)
		}
		if err := writeAll(f.target, buffer[:n], at); err != nil {
			return fmt.Errorf("write: %w", err)
		}
		at += int64(n)
	}
	return nil
}

func writeAll(fd int, data []byte, at int64) error {
	for len(data) > 0 {
		n, err := retry(func() (int, error) { return unix.Pwrite(fd, data, at) })
		if err != nil {
			return err
		}
		data, at = data[n:], at+int64(n)
	}
	return nil
}

// retry repeats a call that a signal interrupted; the Go runtime sends itself
// signals to preempt goroutines.
func retry(call func() (int, error)) (int, error) {
	for {
		if n, err := call(); !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}
