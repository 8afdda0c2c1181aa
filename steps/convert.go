package steps

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/internal/command"
)

// ImageOutput is the output of a [Convert].
const ImageOutput = "image"

// Convert makes an image file of another format from the raw one.
type Convert struct {
	// Disk is the node whose raw image is converted.
	Disk *graph.Node
	// Format is one that qemu-img knows.
	Format string
	// Compress compresses clusters; only qcow2 can.
	Compress bool
	// Options are those of the format, as key=value pairs with commas.
	Options string
}

// Describe implements [graph.Action].
func (c *Convert) Describe(d *graph.Description, in *graph.Inputs) error {
	digest, err := in.Digest(c.Disk, RawOutput)
	if err != nil {
		return err
	}
	d.Digest("raw image", digest)
	d.Add("image format", "%q", c.Format)
	d.Add("compress", "%t", c.Compress)
	d.Add("options", "%q", c.Options)
	return nil
}

// Run implements [graph.Action].
func (c *Convert) Run(ctx context.Context, w *graph.Work) error {
	raw, err := w.Inputs.Path(c.Disk, RawOutput)
	if err != nil {
		return err
	}
	args := []string{"convert", "-f", "raw", "-O", c.Format}
	if c.Compress {
		// Without -W, clusters are compressed one after the other however
		// many coroutines there are; 16 is the most qemu-img takes.
		args = append(args, "-c", "-W", "-m", strconv.Itoa(min(16, 4*runtime.NumCPU())))
	}
	if c.Options != "" {
		args = append(args, "-o", c.Options)
	}
	args = append(args, raw, filepath.Join(w.Out, ImageOutput))
	cmd := command.Cmd{Path: "qemu-img", Args: args, Env: toolEnvironment, Dir: "/", Stdout: w.Log, Stderr: w.Log}
	if err := cmd.Run(ctx); err != nil {
		return fmt.Errorf("make the %s image: %w", c.Format, err)
	}
	return nil
}

// toolEnvironment is what host tools run by steps, other than hooks, get.
var toolEnvironment = []string{"LC_ALL=C", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
