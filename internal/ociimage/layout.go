package ociimage

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/dibgraph/dibgraph/internal/wholefile"
)

// A Layout is a directory with the layout of the OCI. It has another name until
// it is whole.
type Layout struct{ dir *wholefile.Dir }

// CreateLayout begins a layout at dir, which must not be there, or be an empty
// directory: the error is [wholefile.ErrNotEmpty] otherwise.
func CreateLayout(dir string) (*Layout, error) {
	d, err := wholefile.CreateDir(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(d.Part, "blobs", "sha256"), 0o755); err != nil {
		return nil, errors.Join(err, d.Discard())
	}
	return &Layout{d}, nil
}

// Put implements [Sink].
func (l *Layout) Put(_ context.Context, part ocispec.Descriptor, content io.Reader) (err error) {
	return l.write(blobName(part), content)
}

// blobName returns the path of a part in a layout.
func blobName(part ocispec.Descriptor) string {
	return "blobs/" + part.Digest.Algorithm().String() + "/" + part.Digest.Encoded()
}

func (l *Layout) write(name string, content io.Reader) (err error) {
	f, err := os.OpenFile(filepath.Join(l.dir.Part, name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = io.Copy(f, content)
	return err
}

// Finish implements [Sink].
func (l *Layout) Finish(_ context.Context, manifest ocispec.Descriptor, image *Image) error {
	files, err := layoutFiles(manifest, image)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(l.dir.Part, f.name), f.content, 0o644); err != nil {
			return err
		}
	}
	d := l.dir
	l.dir = nil // what it leaves if it fails, it takes away itself
	return d.Publish()
}

// Discard implements [Sink].
func (l *Layout) Discard() error {
	if l.dir == nil {
		return nil
	}
	return l.dir.Discard()
}

type layoutFile struct {
	name    string
	content []byte
}

// layoutFiles returns the files of a layout besides its blobs.
func layoutFiles(manifest ocispec.Descriptor, image *Image) ([]layoutFile, error) {
	manifest.Platform = &image.Platform
	if image.Name != "" {
		manifest.Annotations = map[string]string{ocispec.AnnotationRefName: image.Name}
	}
	index, err := json.Marshal(ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{manifest},
	})
	if err != nil {
		return nil, err
	}
	version, err := json.Marshal(ocispec.ImageLayout{Version: ocispec.ImageLayoutVersion})
	return []layoutFile{{ocispec.ImageIndexFile, index}, {ocispec.ImageLayoutFile, version}}, err
}
