package oci

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/dibgraph/dibgraph/cache/remote"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Load returns a named object, by one request if it is small.
func (r *Registry) Load(ctx context.Context, name string, limit int64) ([]byte, error) {
	data, err := r.load(ctx, name, limit)
	if err != nil {
		return nil, r.failed(ctx, fmt.Sprintf("load %q from", name), err)
	}
	return data, nil
}

func (r *Registry) load(ctx context.Context, name string, limit int64) ([]byte, error) {
	if err := remote.CheckName(name); err != nil {
		return nil, err
	}
	m, _, err := r.manifest(ctx, name)
	if err == nil && m.MediaType == ocispec.MediaTypeImageIndex {
		m, _, err = r.manifest(ctx, m.Manifests[0].Digest.String())
	}
	if err != nil {
		return nil, err
	}
	return r.config(ctx, m.Config, limit)
}

// config gives the bytes of an object: those that came with its manifest, or
// those of the blob.
func (r *Registry) config(ctx context.Context, config ocispec.Descriptor, limit int64) ([]byte, error) {
	if config.Size > limit {
		return nil, fmt.Errorf("%w: it has %d bytes, more than %d", remote.ErrTooLarge, config.Size, limit)
	}
	sum, err := remote.ParseSum(strings.TrimPrefix(config.Digest.String(), "sha256:"))
	if err != nil {
		return nil, err
	}
	data := config.Data
	if data == nil {
		body, err := r.open(ctx, remote.Content{Sum: sum, Size: config.Size}, 0, config.Size)
		if err != nil {
			return nil, err
		}
		defer body.Close()
		if data, err = io.ReadAll(io.LimitReader(body, limit+1)); err != nil {
			return nil, err
		}
	}
	switch {
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("%w: it has more than %d bytes", remote.ErrTooLarge, limit)
	case remote.Sum(sha256.Sum256(data)) != sum:
		return nil, fmt.Errorf("the registry gives other bytes than those with the SHA-256 %s", sum)
	}
	return data, nil
}

// manifest reads a manifest or an index of ours, and says how long it is.
func (r *Registry) manifest(ctx context.Context, reference string) (m objectManifest, size int64, err error) {
	header := http.Header{"Accept": {ocispec.MediaTypeImageManifest + ", " + ocispec.MediaTypeImageIndex}}
	response, err := r.request(ctx, http.MethodGet, r.url("manifests/"+reference), nil, 0, header, "pull")
	if err != nil {
		return m, 0, err
	}
	if response.StatusCode != http.StatusOK {
		return m, 0, refused(response)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, manifestLimit+1))
	if err != nil {
		return m, 0, err
	}
	size = int64(len(text))
	if size > manifestLimit {
		return m, size, fmt.Errorf("its manifest has more than %d bytes, which no registry stores", manifestLimit)
	}
	if json.Unmarshal(text, &m) != nil || m.ArtifactType != artifactType || (m.MediaType == ocispec.MediaTypeImageIndex) != (len(m.Manifests) > 0) {
		return m, size, errForeign
	}
	return m, size, nil
}

var errForeign = errors.New("there is something under that tag that dibgraph did not store: give it a repository of its own")

// Save stores a named object. The manifest comes last, so that the registry has
// what it speaks of.
func (r *Registry) Save(ctx context.Context, name string, data []byte, about []remote.Content) error {
	if err := r.save(ctx, name, data, about); err != nil {
		return r.failed(ctx, fmt.Sprintf("save %q to", name), err)
	}
	return nil
}

func (r *Registry) save(ctx context.Context, name string, data []byte, about []remote.Content) error {
	if err := remote.CheckName(name); err != nil {
		return err
	}
	body := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	c := remote.Content{Sum: sha256.Sum256(data), Size: int64(len(data))}
	if err := r.push(ctx, c, body); err != nil {
		return fmt.Errorf("its config: %w", err)
	}
	for _, m := range manifests(name, data, about, r.layers) {
		if err := r.put(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

func (r *Registry) put(ctx context.Context, m stored) error {
	body := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(m.text)), nil }
	header := http.Header{"Content-Type": {m.mediaType}}
	response, err := r.request(ctx, http.MethodPut, r.url("manifests/"+m.reference), body, int64(len(m.text)), header, "pull", "push")
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusCreated {
		return refused(response)
	}
	return response.Body.Close()
}
