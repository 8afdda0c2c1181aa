package wire

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"

	"github.com/dibgraph/dibgraph/internal/interrupt"
)

// An Encoding is how the bytes of a blob are sent.
type Encoding string

// The encodings.
const (
	// Raw is the bytes as they are.
	Raw Encoding = "raw"
	// Zstd is the bytes, compressed.
	Zstd Encoding = "zstd"
	// Sparse is where a file has data, and that data, compressed.
	Sparse Encoding = "sparse+zstd"
)

const (
	// probe is how much of a file is compressed to see whether that pays, and
	// paying how small that has to become, in percent.
	probe  = 1 << 20
	paying = 92
	// A file is sparse if so many bytes of it are holes: fewer zeros are
	// compressed in no time.
	worthHoles = 1 << 20
	// maxExtents is how many extents a sparse file may come with.
	maxExtents = 1 << 24
)

// EncodeBlob writes the content of a file. It keeps less than 16 MiB in memory.
func EncodeBlob(ctx context.Context, w io.Writer, f *os.File) (Encoding, error) {
	encoding, err := encodeBlob(ctx, w, f)
	if err != nil {
		return "", fmt.Errorf("encode %q: %w", f.Name(), err)
	}
	return encoding, nil
}

func encodeBlob(ctx context.Context, w io.Writer, f *os.File) (Encoding, error) {
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	size := info.Size()
	x, err := extentsOf(f, size)
	if err != nil {
		return "", err
	}
	var parts []io.Reader
	if size-x.bytes() < worthHoles {
		all := io.NewSectionReader(f, 0, size)
		if pays, err := compressible(f); err != nil || !pays {
			return Raw, errors.Join(err, copyAll(ctx, w, all))
		}
		return Zstd, compressTo(ctx, w, all)
	}
	parts = append(parts, bytes.NewReader(x.header()))
	for _, e := range x {
		parts = append(parts, io.NewSectionReader(f, e.offset, e.length))
	}
	return Sparse, compressTo(ctx, w, io.MultiReader(parts...))
}

// compressible tries the beginning of a file.
func compressible(f *os.File) (bool, error) {
	beginning, err := io.ReadAll(io.NewSectionReader(f, 0, probe))
	if err != nil {
		return false, err
	}
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return false, err
	}
	defer z.Close()
	return len(z.EncodeAll(beginning, nil))*100 < len(beginning)*paying, nil
}

func compressTo(ctx context.Context, w io.Writer, r io.Reader) error {
	z, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(4<<20))
	if err != nil {
		return err
	}
	return errors.Join(copyAll(ctx, z, r), z.Close())
}

func copyAll(ctx context.Context, w io.Writer, r io.Reader) error {
	_, err := io.CopyBuffer(struct{ io.Writer }{w}, interrupt.Reader(ctx, r), make([]byte, 256<<10))
	return err
}

// header is the number of extents, then offset and length of each.
func (x extents) header() []byte {
	b := binary.AppendUvarint(nil, uint64(len(x)))
	for _, e := range x {
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(e.offset)), uint64(e.length))
	}
	return b
}

// DecodeBlob returns the bytes of a blob of that size from what EncodeBlob wrote;
// the caller closes it. It gives no more than the size, and an error if there are
// more or fewer. It keeps less than 64 MiB in memory, beside 16 bytes for each
// extent.
func DecodeBlob(ctx context.Context, r io.Reader, encoding Encoding, size int64) (io.ReadCloser, error) {
	if encoding == Raw {
		return io.NopCloser(&exact{interrupt.Reader(ctx, r), size}), nil
	}
	z, err := zstd.NewReader(interrupt.Reader(ctx, r), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, err
	}
	plain := z.IOReadCloser()
	switch encoding {
	case Zstd:
		return closing{&exact{plain, size}, plain}, nil
	case Sparse:
		sparse, err := newSparseReader(plain, size)
		if err != nil {
			return nil, errors.Join(err, plain.Close())
		}
		return closing{sparse, plain}, nil
	}
	return nil, errors.Join(fmt.Errorf("there is no encoding %q", encoding), plain.Close())
}

type closing struct {
	io.Reader
	io.Closer
}

// exact gives what r has if that are left bytes.
type exact struct {
	r    io.Reader
	left int64
}

func (e *exact) Read(p []byte) (int, error) {
	if int64(len(p)) > e.left+1 {
		p = p[:e.left+1]
	}
	n, err := e.r.Read(p)
	if e.left -= int64(n); e.left < 0 {
		return 0, refuse("", "it has more bytes than was said")
	}
	if err == io.EOF && e.left > 0 {
		return n, io.ErrUnexpectedEOF
	}
	return n, err
}

// A sparseReader gives a whole file, zeros in the place of holes.
type sparseReader struct {
	data *bufio.Reader
	x    extents
	at   int64
	size int64
}

func newSparseReader(r io.Reader, size int64) (*sparseReader, error) {
	s := &sparseReader{data: bufio.NewReaderSize(r, 256<<10), size: size}
	count, err := binary.ReadUvarint(s.data)
	if err != nil || count > maxExtents {
		return nil, errors.Join(err, refuse("", "its extents cannot be read"))
	}
	for range count {
		offset, err1 := binary.ReadUvarint(s.data)
		length, err2 := binary.ReadUvarint(s.data)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		e := extent{int64(offset), int64(length)}
		if !s.x.goesOn(e, size) {
			return nil, refuse("", "its extents are not in order in a file of %d bytes", size)
		}
		s.x = append(s.x, e)
	}
	return s, nil
}

func (s *sparseReader) Read(p []byte) (int, error) {
	if s.at == s.size {
		if _, err := s.data.ReadByte(); err == nil {
			return 0, refuse("", "it has more bytes than was said")
		} else if err != io.EOF {
			return 0, err
		}
		return 0, io.EOF
	}
	next := s.size
	if len(s.x) > 0 {
		next = s.x[0].offset
	}
	if s.at < next {
		n := int(min(int64(len(p)), next-s.at))
		clear(p[:n])
		s.at += int64(n)
		return n, nil
	}
	e := &s.x[0]
	n, err := s.data.Read(p[:min(int64(len(p)), e.length)])
	s.at += int64(n)
	e.offset, e.length = e.offset+int64(n), e.length-int64(n)
	if e.length == 0 {
		s.x = s.x[1:]
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
