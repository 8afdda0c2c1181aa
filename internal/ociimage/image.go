package ociimage

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// An Image is what is written.
type Image struct {
	// Name is NAME:TAG; empty is none.
	Name string
	// Title is for people, too.
	Title string
	// Platform is what the programs in it run on.
	Platform ocispec.Platform
	// Created is said to be the time of the image.
	Created time.Time
	// Run is how programs are run in it.
	Run ocispec.ImageConfig
	// Temporary is the directory of temporary files; empty is the usual one.
	Temporary string
	// Layers are bottom first.
	Layers []Layer
}

// A Layer is a change of the tree.
type Layer struct {
	// Maker says what made it.
	Maker string
	// Write writes it as a tar archive, the same bytes each time; nil says that
	// it changed nothing. It is called by another goroutine.
	Write func(ctx context.Context, w io.Writer) error
}

// A Sink gets the parts of one image, one after the other: the layers, bottom
// first and each only once, the configuration and the manifest.
type Sink interface {
	// Put stores a part.
	Put(ctx context.Context, part ocispec.Descriptor, content io.Reader) error
	// Finish is called when all parts are there. Until then nothing is seen of
	// the image.
	Finish(ctx context.Context, manifest ocispec.Descriptor, image *Image) error
	// Discard gives up what was put. After Finish it does nothing.
	Discard() error
}

// Write puts an image into a sink and returns the descriptor of its manifest.
func (im *Image) Write(ctx context.Context, to Sink, c Compression) (manifest ocispec.Descriptor, err error) {
	defer func() { err = errors.Join(err, to.Discard()) }()
	m := ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest}
	if m.Layers, m.Config, err = im.putParts(ctx, to, c); err != nil {
		return manifest, err
	}
	m.Annotations = map[string]string{ocispec.AnnotationCreated: im.Created.UTC().Format(time.RFC3339)}
	if im.Title != "" {
		m.Annotations[ocispec.AnnotationTitle] = im.Title
	}
	if manifest, err = putJSON(ctx, to, m.MediaType, m); err != nil {
		return manifest, err
	}
	return manifest, to.Finish(ctx, manifest, im)
}

// putParts puts all but the manifest.
func (im *Image) putParts(ctx context.Context, to Sink, c Compression) (layers []ocispec.Descriptor, config ocispec.Descriptor, err error) {
	created := im.Created.UTC()
	content := ocispec.Image{Created: &created, Platform: im.Platform, Config: im.Run, RootFS: ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{}}}
	packed := make(map[digest.Digest]bool)
	err = pack(ctx, im.Layers, c, im.Temporary, func(i int, p *packedLayer) error {
		content.History = append(content.History, ocispec.History{Created: &created, CreatedBy: im.Layers[i].Maker, EmptyLayer: p == nil})
		if p == nil {
			return nil
		}
		content.RootFS.DiffIDs = append(content.RootFS.DiffIDs, p.plain)
		layers = append(layers, p.part)
		if packed[p.part.Digest] {
			return nil // the same change twice
		}
		packed[p.part.Digest] = true
		return to.Put(ctx, p.part, p.file)
	})
	if err != nil {
		return nil, config, err
	}
	config, err = putJSON(ctx, to, ocispec.MediaTypeImageConfig, content)
	return layers, config, err
}

func putJSON(ctx context.Context, to Sink, mediaType string, v any) (ocispec.Descriptor, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return ocispec.Descriptor{}, fmt.Errorf("encode %s: %w", mediaType, err)
	}
	part := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
	return part, to.Put(ctx, part, bytes.NewReader(data))
}
