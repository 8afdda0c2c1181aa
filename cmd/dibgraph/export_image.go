package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/cache/export"
	"github.com/dibgraph/dibgraph/elements"
	"github.com/dibgraph/dibgraph/internal/ociimage"
	"github.com/dibgraph/dibgraph/internal/wholefile"
)

// maxImageLayers is as many layers as an image gets: docker takes 127, and whoever
// builds on the image wants to add some.
const maxImageLayers = 100

// containerPath is PATH in a container.
const containerPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// containerImage describes a state as a container image.
func (e *exportOptions) containerImage(store *cache.Store, state *exportedState) (*ociimage.Image, error) {
	asked, err := elements.AskedFor(state.build)
	if err != nil {
		return nil, err
	}
	most := maxImageLayers
	if e.squash {
		most = 1
	}
	trees, err := export.Layered(store, state.layers, imageRoot, most)
	if err != nil {
		return nil, err
	}
	image := &ociimage.Image{
		Name: e.tag, Title: state.build.Image, Platform: ociimage.PlatformOf(asked.Arch),
		Created: state.record.Started.UTC().Truncate(time.Second),
		Run:     ocispec.ImageConfig{Env: []string{containerPath}},
	}
	if e.output != "" {
		image.Temporary = filepath.Dir(e.output)
	}
	if name := path.Base(filepath.ToSlash(state.build.Image)) + ":latest"; image.Name == "" && ociimage.ValidName(name) {
		image.Name = name
	}
	shell := false
	for i, tree := range trees {
		layer := ociimage.Layer{Maker: "dibgraph: " + state.makers[i]}
		if !tree.Empty() {
			if err := tree.CheckNames(); err != nil {
				return nil, &hintError{fmt.Errorf("%s: %w", state.makers[i], err), "use --format tar"}
			}
			layer.Write = tree.WriteTar
			shell = shell || tree.Has("bin/sh") || tree.Has("usr/bin/sh")
		}
		image.Layers = append(image.Layers, layer)
	}
	if shell {
		image.Run.Cmd = []string{"/bin/sh"}
	}
	return image, nil
}

// writeTarFile makes a file of the tree, whole or not at all.
func writeTarFile(ctx context.Context, tree *export.Tree, name string) error {
	f, err := wholefile.Create(name)
	if err != nil {
		return err
	}
	if err := errors.Join(tree.WriteTar(ctx, f), f.Chmod(0o644)); err != nil {
		return errors.Join(err, f.Discard())
	}
	return f.Publish()
}
