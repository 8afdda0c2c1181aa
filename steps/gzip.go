package steps

import (
	"context"
	"errors"
	"io"
	"runtime"

	"github.com/klauspost/pgzip"

	"github.com/dibgraph/dibgraph/graph"
)

// gzipWriter names what decides the bytes of a compressed tar file beside the
// tar file: it is raised when they become others.
const gzipWriter = "dibgraph gzip 1"

// gzipBlock is what one core compresses at a time. The bytes depend on it, not on
// the number of cores.
const gzipBlock = 1 << 20

// Gzip compresses the tar file of a [Disk], on all cores, as hard as gzip can.
type Gzip struct {
	// Disk is the node whose tar file is compressed.
	Disk *graph.Node
}

// Describe implements [graph.Action].
func (g *Gzip) Describe(d *graph.Description, in *graph.Inputs) error {
	d.Add("writer", "%s", gzipWriter)
	return describeTar(d, in, g.Disk)
}

// Run implements [graph.Action].
func (g *Gzip) Run(ctx context.Context, w *graph.Work) error {
	return fromTar(ctx, w, g.Disk, func(from io.Reader, to io.Writer) (err error) {
		z, err := pgzip.NewWriterLevel(to, pgzip.BestCompression)
		if err != nil {
			return err
		}
		if err := z.SetConcurrency(gzipBlock, runtime.NumCPU()); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, z.Close()) }() // it ends what works on blocks, too
		_, err = io.Copy(z, from)
		return err
	})
}
