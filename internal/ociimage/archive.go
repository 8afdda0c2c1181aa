package ociimage

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/dibgraph/dibgraph/internal/wholefile"
)

// An archive is a tar file that appears when it is whole. Its files have the
// time 0: they are of no time.
type archive struct {
	file *wholefile.File
	tar  *tar.Writer
}

func createArchive(path string) (archive, error) {
	f, err := wholefile.Create(path)
	if err != nil {
		return archive{}, err
	}
	return archive{file: f, tar: tar.NewWriter(f)}, nil
}

func (a *archive) write(name string, size int64, content io.Reader) error {
	if err := a.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o644, ModTime: time.Unix(0, 0)}); err != nil {
		return err
	}
	_, err := io.Copy(a.tar, content)
	return err
}

func (a *archive) publish() error {
	if err := a.tar.Close(); err != nil {
		return err
	}
	if err := a.file.Chmod(0o644); err != nil {
		return err
	}
	f := a.file
	a.file = nil // what it leaves if it fails, it takes away itself
	return f.Publish()
}

// Discard implements [Sink].
func (a *archive) Discard() error {
	if a.file == nil {
		return nil
	}
	return a.file.Discard()
}

// A LayoutArchive is an archive of a layout of the OCI.
type LayoutArchive struct{ archive }

// CreateLayoutArchive begins an archive at path, where it replaces what is there.
func CreateLayoutArchive(path string) (*LayoutArchive, error) {
	a, err := createArchive(path)
	return &LayoutArchive{a}, err
}

// Put implements [Sink].
func (a *LayoutArchive) Put(_ context.Context, part ocispec.Descriptor, content io.Reader) error {
	return a.write(blobName(part), part.Size, content)
}

// Finish implements [Sink].
func (a *LayoutArchive) Finish(_ context.Context, manifest ocispec.Descriptor, image *Image) error {
	files, err := layoutFiles(manifest, image)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := a.write(f.name, int64(len(f.content)), bytes.NewReader(f.content)); err != nil {
			return err
		}
	}
	return a.publish()
}

// A DockerArchive is an archive that docker load reads. Its layers are stored
// plain, see [Plain].
type DockerArchive struct {
	archive
	manifest ocispec.Manifest
}

// CreateDockerArchive begins an archive at path, where it replaces what is there.
func CreateDockerArchive(path string) (*DockerArchive, error) {
	a, err := createArchive(path)
	return &DockerArchive{archive: a}, err
}

// Put implements [Sink].
func (a *DockerArchive) Put(_ context.Context, part ocispec.Descriptor, content io.Reader) error {
	if part.MediaType == ocispec.MediaTypeImageManifest {
		// Another one takes its place, and names the same parts.
		return json.NewDecoder(content).Decode(&a.manifest)
	}
	return a.write(dockerName(part), part.Size, content)
}

// dockerName returns the path of a part in the archive.
func dockerName(part ocispec.Descriptor) string {
	if part.MediaType == ocispec.MediaTypeImageConfig {
		return part.Digest.Encoded() + ".json"
	}
	return part.Digest.Encoded() + ".tar"
}

// Finish implements [Sink].
func (a *DockerArchive) Finish(_ context.Context, _ ocispec.Descriptor, image *Image) error {
	named := struct {
		Config           string
		RepoTags, Layers []string
	}{Config: dockerName(a.manifest.Config)}
	if image.Name != "" {
		named.RepoTags = []string{image.Name}
	}
	for _, layer := range a.manifest.Layers {
		named.Layers = append(named.Layers, dockerName(layer))
	}
	content, err := json.Marshal([]any{named})
	if err != nil {
		return err
	}
	if err := a.write("manifest.json", int64(len(content)), bytes.NewReader(content)); err != nil {
		return err
	}
	return a.publish()
}
