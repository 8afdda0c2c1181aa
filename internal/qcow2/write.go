package qcow2

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"golang.org/x/sync/errgroup"
)

// Write makes w a qcow2 image with the content of raw: a regular file, whose
// holes are not read, or a block device. The virtual size is that of raw, rounded
// up to sectors of 512 bytes as all disks are.
//
// Both files stay open, with any file offset; w is emptied first and not synced. It
// must not be open with O_APPEND. Equal content and options give equal bytes. When
// Write fails or is cancelled, w is no image: its header is written last.
func Write(ctx context.Context, w, raw *os.File, o Options) error {
	o, err := o.complete()
	if err != nil {
		return fmt.Errorf("write qcow2: %w", err)
	}
	size, err := raw.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("write qcow2: size of the raw image: %w", err)
	}
	im, err := newImage(w, size, o)
	if err != nil {
		return fmt.Errorf("write qcow2: %w", err)
	}
	c := newConversion(raw, size, o)
	if err := c.run(ctx, im); err != nil {
		return fmt.Errorf("write qcow2: %w", err)
	}
	if c.reuse == nil {
		return nil
	}
	return c.reuse.finish()
}

// A conversion moves batches from the scanner by a worker to the image. Each
// channel has room for all batches, so that only free ones are waited for.
type conversion struct {
	o    Options
	raw  *os.File
	size int64
	// reuse is nil if every cluster is compressed.
	reuse *reuser
	// free are batches nobody uses; full ones wait for a worker. Ordered are the
	// same as full, and are stored in that order.
	free, full, ordered chan *batch
}

// A batch is a run of clusters and what became of them.
type batch struct {
	// start is the offset in the guest.
	start int64
	// in are whole clusters; out has room for each, compressed.
	in, out []byte
	// clusters are the results: parts of in or out.
	clusters []cluster
	// done gets a value when a worker has finished.
	done chan struct{}
}

// A cluster without data is zero.
type cluster struct {
	data       []byte
	compressed bool
	// With a reuser: the digest of the content, and the check of what it became.
	digest [DigestSize]byte
	check  [checkSize]byte
}

func newConversion(raw *os.File, size int64, o Options) *conversion {
	n := o.batches()
	c := &conversion{
		o: o, raw: raw, size: size, reuse: newReuser(o),
		free: make(chan *batch, n), full: make(chan *batch, n), ordered: make(chan *batch, n),
	}
	for range n {
		c.free <- &batch{
			in:       make([]byte, o.batchClusters()*o.ClusterSize),
			out:      make([]byte, o.batchClusters()*(o.ClusterSize+slack)),
			clusters: make([]cluster, o.batchClusters()),
			done:     make(chan struct{}, 1),
		}
	}
	return c
}

func (c *conversion) run(ctx context.Context, im *image) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return c.scan(ctx) })
	for range c.o.Workers {
		g.Go(func() error { return c.work(ctx) })
	}
	g.Go(func() error { return c.store(ctx, im) })
	if err := g.Wait(); err != nil {
		return err
	}
	return im.finish()
}

// receive returns the next value, false after the last one.
func receive[T any](ctx context.Context, from <-chan T) (value T, ok bool, err error) {
	select {
	case <-ctx.Done():
		return value, false, context.Cause(ctx)
	case value, ok = <-from:
		return value, ok, nil
	}
}

func (c *conversion) scan(ctx context.Context) error {
	defer close(c.full)
	defer close(c.ordered)
	s := scanner{raw: c.raw, size: c.size, clusterSize: int64(c.o.ClusterSize)}
	for {
		start, length, err := s.next(c.o.batchClusters())
		if err != nil || length == 0 {
			return err
		}
		b, _, err := receive(ctx, c.free)
		if err != nil {
			return err
		}
		b.start, b.in = start, b.in[:length]
		c.full <- b
		c.ordered <- b
	}
}

func (c *conversion) work(ctx context.Context) error {
	z, err := newCompressor(c.o)
	if err != nil {
		return err
	}
	for {
		b, ok, err := receive(ctx, c.full)
		if !ok {
			return err
		}
		if err := c.read(b); err != nil {
			return fmt.Errorf("read the raw image: %w", err)
		}
		if err := b.compress(z, c.reuse, c.o.ClusterSize); err != nil {
			return err
		}
		b.done <- struct{}{}
	}
}

// read fills the batch, with zeros beyond the end of the file.
func (c *conversion) read(b *batch) error {
	there := min(int64(len(b.in)), c.size-b.start)
	clear(b.in[there:])
	_, err := c.raw.ReadAt(b.in[:there], b.start)
	if err == io.EOF {
		return fmt.Errorf("the file became shorter: %w", io.ErrUnexpectedEOF)
	}
	return err
}

var zeros [maxClusterSize]byte

func (b *batch) compress(z compressor, r *reuser, clusterSize int) error {
	b.clusters = b.clusters[:len(b.in)/clusterSize]
	for i := range b.clusters {
		in := b.in[i*clusterSize:][:clusterSize]
		switch {
		case bytes.Equal(in, zeros[:clusterSize]):
			b.clusters[i] = cluster{}
			continue
		case z == nil:
			b.clusters[i] = cluster{data: in}
			continue
		}
		room := clusterSize + slack
		c, err := compress(z, r, b.out[i*room:][:room:room], in)
		if err != nil {
			return err
		}
		b.clusters[i] = c
	}
	return nil
}

// compress makes a cluster smaller if it can, or finds it made smaller before.
func compress(z compressor, r *reuser, to, in []byte) (c cluster, err error) {
	var out []byte
	found := false
	if r != nil {
		c.digest = r.Digest(in)
		out, c.check, found = r.take(c.digest, to)
	}
	if !found {
		if out, err = z.compress(to, in); err != nil {
			return c, err
		}
	}
	c.data, c.compressed = in, out != nil
	if c.compressed {
		c.data = out
	}
	if r != nil {
		r.count(found)
		if c.compressed && !found {
			c.check = r.check(c.data)
		}
	}
	return c, nil
}

func (c *conversion) store(ctx context.Context, im *image) error {
	for {
		b, ok, err := receive(ctx, c.ordered)
		if !ok {
			return err
		}
		if _, _, err := receive(ctx, b.done); err != nil {
			return err
		}
		first := b.start / int64(c.o.ClusterSize)
		for i, cl := range b.clusters {
			if err := im.add(first+int64(i), cl); err != nil {
				return err
			}
			if c.reuse != nil {
				c.reuse.note(cl, im.last)
			}
		}
		b.in, b.clusters = b.in[:cap(b.in)], b.clusters[:cap(b.clusters)]
		c.free <- b
	}
}
