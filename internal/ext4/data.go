package ext4

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

const (
	defaultWorkers = 4
	maxWorkers     = 32
	// partSize is how much is written at a time: with 32 workers, buffers of 32 MiB.
	partSize = 1 << 20
)

// A stretch is a run of bytes of one file that goes to blocks in a row.
type stretch struct {
	node   *node
	start  int64 // in the file
	length int64
	block  uint64
}

// A part is what is written in one piece: stretches that follow each other.
type part []stretch

// writeData copies the content of all files.
func (v *volume) writeData(ctx context.Context, o Options, all []*node) error {
	parts := v.parts(all)
	workers := o.Workers
	if workers <= 0 {
		workers = defaultWorkers
	}
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range min(workers, maxWorkers) {
		group.Go(func() error {
			buffer := make([]byte, partSize)
			for {
				i := int(next.Add(1)) - 1
				if i >= len(parts) {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return context.Cause(ctx)
				}
				if err := v.writePart(o.Source, parts[i], buffer); err != nil {
					return err
				}
			}
		})
	}
	return group.Wait()
}

// parts returns what is to be written, in the order of blocks.
func (v *volume) parts(all []*node) (parts []part) {
	stretches := make([]stretch, 0, len(all)) // most files are one, or none
	for _, n := range all {
		if n.kind() == unix.S_IFREG {
			stretches = v.stretches(stretches, n)
		}
	}
	slices.SortFunc(stretches, func(a, b stretch) int { return cmp.Compare(a.block, b.block) })
	for first := 0; first < len(stretches); {
		next, size := first, int64(0)
		for ; next < len(stretches); next++ {
			blocks := up(stretches[next].length, int64(v.blockSize))
			if next > first && (size+blocks > partSize || v.ends(stretches[next-1]) != stretches[next].block) {
				break
			}
			size += blocks
		}
		parts = append(parts, stretches[first:next])
		first = next
	}
	return parts
}

// ends returns the block behind a stretch.
func (v *volume) ends(s stretch) uint64 {
	return s.block + uint64(up(s.length, int64(v.blockSize)))/uint64(v.blockSize)
}

// stretches appends those of a file, none longer than a part.
func (v *volume) stretches(all []stretch, n *node) []stretch {
	size := int64(v.blockSize)
	for _, e := range n.extents {
		start, block := int64(e.logical)*size, e.block
		end := min(start+int64(e.length)*size, n.size)
		for ; start < end; start, block = start+partSize, block+partSize/uint64(size) {
			all = append(all, stretch{n, start, min(partSize, end-start), block})
		}
	}
	return all
}

func (v *volume) writePart(source string, p part, buffer []byte) error {
	used := int64(0)
	for _, s := range p {
		end := used + s.length
		if err := s.read(source, buffer[used:end]); err != nil {
			return s.node.named(err)
		}
		used = up(end, int64(v.blockSize))
		clear(buffer[end:used])
	}
	return v.write(p[0].block, buffer[:used])
}

// read does without os.File, which would ask the poller about each small file.
func (s stretch) read(source string, to []byte) error {
	fd, err := openFile(string(s.node.appendPath(append([]byte(source), '/'))))
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	defer unix.Close(fd)
	for at := s.start; len(to) > 0; {
		n, err := unix.Pread(fd, to, at)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		if n == 0 {
			return fmt.Errorf("read: the file became shorter while it was copied: %w", io.ErrUnexpectedEOF)
		}
		at, to = at+int64(n), to[n:]
	}
	return nil
}

func openFile(path string) (int, error) {
	for {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err != unix.EINTR {
			return fd, err
		}
	}
}
