package ociimage

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"runtime"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"
)

// Compression is how layers are stored.
type Compression int

// The ways: every program reads gzip; zstd is smaller and faster, and read by
// those of the last years; plain is for archives that are compressed as a whole.
const (
	Gzip Compression = iota
	Zstd
	Plain
)

// mediaType returns the type of layers that are stored this way.
func (c Compression) mediaType() string {
	return [...]string{ocispec.MediaTypeImageLayerGzip, ocispec.MediaTypeImageLayerZstd, ocispec.MediaTypeImageLayer}[c]
}

// writer returns one that compresses into w. What it writes depends on nothing
// but what it is given.
func (c Compression) writer(w io.Writer) (io.WriteCloser, error) {
	switch c {
	case Gzip:
		return gzip.NewWriterLevel(w, gzip.DefaultCompression)
	case Zstd:
		return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	}
	return unclosed{w}, nil
}

type unclosed struct{ io.Writer }

func (unclosed) Close() error { return nil }

// A packedLayer is a layer as it is stored.
type packedLayer struct {
	part  ocispec.Descriptor
	plain digest.Digest // of the layer before it was compressed
	file  *os.File      // without a name, at its beginning
}

// pack packs layers in parallel and calls put with each of them in their order,
// with nil for one that changed nothing.
func pack(ctx context.Context, layers []Layer, c Compression, dir string, put func(i int, p *packedLayer) error) error {
	group, ctx := errgroup.WithContext(ctx)
	results := make([]chan *packedLayer, len(layers))
	for i := range results {
		results[i] = make(chan *packedLayer, 1)
	}
	// Whoever packs goes on when what is packed was put: temporary files do not
	// pile up.
	places := make(chan struct{}, 2*runtime.NumCPU())
	group.Go(func() error {
		packers, ctx := errgroup.WithContext(ctx)
		packers.SetLimit(runtime.NumCPU())
		for i, l := range layers {
			select {
			case places <- struct{}{}:
			case <-ctx.Done():
				if err := packers.Wait(); err != nil {
					return err
				}
				return context.Cause(ctx)
			}
			packers.Go(func() error {
				p, err := l.pack(ctx, c, dir)
				if err != nil {
					return fmt.Errorf("layer of %s: %w", l.Maker, err)
				}
				results[i] <- p
				return nil
			})
		}
		return packers.Wait()
	})
	group.Go(func() error {
		for i := range layers {
			select {
			case p := <-results[i]:
				if err := putOne(i, p, put); err != nil {
					return err
				}
				<-places
			case <-ctx.Done():
				return nil // another one says why
			}
		}
		return nil
	})
	err := group.Wait()
	for _, result := range results {
		select {
		case p := <-result: // nobody came to put it
			err = errors.Join(err, p.close())
		default:
		}
	}
	return err
}

func putOne(i int, p *packedLayer, put func(int, *packedLayer) error) error {
	err := put(i, p)
	return errors.Join(err, p.close())
}

func (p *packedLayer) close() error {
	if p == nil {
		return nil
	}
	return p.file.Close()
}

// pack writes the layer into a temporary file.
func (l *Layer) pack(ctx context.Context, c Compression, dir string) (_ *packedLayer, err error) {
	if l.Write == nil {
		return nil, nil
	}
	f, err := temporary(dir)
	if err != nil {
		return nil, err
	}
	p := &packedLayer{file: f}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	stored := newCounter(f)
	buffered := bufio.NewWriterSize(stored, 1<<20)
	compressed, err := c.writer(buffered)
	if err != nil {
		return nil, err
	}
	plain := newCounter(compressed)
	if err := l.Write(ctx, plain); err != nil {
		return nil, err
	}
	if err := errors.Join(compressed.Close(), buffered.Flush()); err != nil {
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	p.plain = plain.digest()
	p.part = ocispec.Descriptor{MediaType: c.mediaType(), Digest: stored.digest(), Size: stored.n}
	return p, nil
}

// temporary returns a new file that has no name.
func temporary(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, ".dibgraph-layer-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// A counter counts and hashes what goes through it.
type counter struct {
	w    io.Writer
	hash hash.Hash
	n    int64
}

func newCounter(w io.Writer) *counter { return &counter{w: w, hash: sha256.New()} }

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.hash.Write(p[:n])
	c.n += int64(n)
	return n, err
}

func (c *counter) digest() digest.Digest { return digest.NewDigest(digest.SHA256, c.hash) }
