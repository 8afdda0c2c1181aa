package steps

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/internal/interrupt"
	"github.com/dibgraph/dibgraph/internal/ociimage"
)

// Container makes a container image of one layer of the tar file of a [Disk], as
// an archive that docker load and podman load read.
type Container struct {
	// Disk is the node whose tar file is the layer.
	Disk *graph.Node
	// Name is NAME:TAG, Arch the architecture of what is in it.
	Name, Arch string
}

// containerWriter names what decides the bytes beside the inputs.
const containerWriter = "dibgraph container 1"

// Describe implements [graph.Action].
func (c *Container) Describe(d *graph.Description, in *graph.Inputs) error {
	d.Add("writer", "%s", containerWriter)
	d.Add("container image", "%q", c.Name)
	d.Add("architecture", "%q", c.Arch)
	return describeTar(d, in, c.Disk)
}

// Run implements [graph.Action].
func (c *Container) Run(ctx context.Context, w *graph.Work) error {
	layer, err := w.Inputs.Path(c.Disk, TarOutput)
	if err != nil {
		return err
	}
	newest, err := checkLayer(layer)
	if err != nil {
		return err
	}
	image := ociimage.Image{
		Name: c.Name, Platform: ociimage.PlatformOf(c.Arch), Created: newest, Temporary: w.Dir,
		Layers: []ociimage.Layer{{Maker: "dibgraph: " + c.Disk.Name, Write: copyOf(layer)}},
	}
	archive, err := ociimage.CreateDockerArchive(filepath.Join(w.Out, ImageOutput))
	if err != nil {
		return err
	}
	_, err = image.Write(ctx, archive, ociimage.Plain)
	return err
}

// checkLayer finds names that mean something else in a layer, and returns the
// time of the newest file: that of an image must not be another one each time.
func checkLayer(name string) (newest time.Time, err error) {
	f, err := os.Open(name)
	if err != nil {
		return newest, err
	}
	defer f.Close()
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return newest.UTC().Truncate(time.Second), nil
		}
		if err != nil {
			return newest, err
		}
		if strings.HasPrefix(path.Base(h.Name), ".wh.") {
			return newest, fmt.Errorf("%q: no container image can have a file whose name begins with %q, which removes files there", path.Join("/", h.Name), ".wh.")
		}
		if h.ModTime.After(newest) {
			newest = h.ModTime
		}
	}
}

// copyOf writes a file.
func copyOf(name string) func(context.Context, io.Writer) error {
	return func(ctx context.Context, w io.Writer) error {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(w, interrupt.Reader(ctx, f))
		return err
	}
}
