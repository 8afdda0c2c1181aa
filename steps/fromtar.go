package steps

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/internal/interrupt"
)

// describeTar writes the line of the tar file that a step works on.
func describeTar(d *graph.Description, in *graph.Inputs, disk *graph.Node) error {
	digest, err := in.Digest(disk, TarOutput)
	if err != nil {
		return err
	}
	d.Digest(fmt.Sprintf("input %s %q", disk.Name, TarOutput), digest)
	return nil
}

// fromTar makes the image of a step that reads the tar file of a disk from its
// beginning to its end.
func fromTar(ctx context.Context, w *graph.Work, disk *graph.Node, write func(from io.Reader, to io.Writer) error) (err error) {
	path, err := w.Inputs.Path(disk, TarOutput)
	if err != nil {
		return err
	}
	from, err := os.Open(path)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(filepath.Join(w.Out, ImageOutput), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	return write(interrupt.Reader(ctx, from), to)
}
