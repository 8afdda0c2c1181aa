package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/registry/remote"

	"github.com/dibgraph/dibgraph/internal/ociimage"
)

// maxManifest is more than registries accept.
const maxManifest = 8 << 20

// pullAttempts is how often a layer is asked for before that counts as failed.
const pullAttempts = 3

// Resolve returns the digest of what an address names at present.
func (c *Client) Resolve(ctx context.Context, a Address) (string, error) {
	from, err := c.repository(a)
	if err != nil {
		return "", failure(ctx, a, err)
	}
	found, err := from.Manifests().Resolve(ctx, a.Reference.Reference)
	return found.Digest.String(), failure(ctx, a, err)
}

// Pull writes the root filesystem of an image as one tar archive to w, and
// returns the digest of what the address names. Of an image for several
// platforms it takes the one that is wanted. Contents are kept in dir meanwhile.
func (c *Client) Pull(ctx context.Context, a Address, want ocispec.Platform, dir string, w io.Writer) (string, error) {
	from, err := c.repository(a)
	if err != nil {
		return "", failure(ctx, a, err)
	}
	found, err := from.Manifests().Resolve(ctx, a.Reference.Reference)
	if err != nil {
		return "", failure(ctx, a, err)
	}
	image, err := c.image(ctx, from, found, want)
	if err != nil {
		return "", failure(ctx, a, err)
	}
	tree, err := ociimage.NewTree(dir)
	if err != nil {
		return "", err
	}
	defer tree.Close()
	for i, layer := range image.Layers {
		if err := pullLayer(ctx, a, from, layer, tree); err != nil {
			return "", fmt.Errorf("layer %d of %d: %w", i+1, len(image.Layers), err)
		}
	}
	return found.Digest.String(), tree.WriteTar(w)
}

// image returns the manifest of the image for a platform.
func (c *Client) image(ctx context.Context, from *remote.Repository, d ocispec.Descriptor, want ocispec.Platform) (*ocispec.Manifest, error) {
	data, err := manifest(ctx, from, d)
	if err != nil {
		return nil, err
	}
	// Both kinds have the fields of the other one's name, or not.
	var both struct {
		ocispec.Manifest
		Manifests []ocispec.Descriptor `json:"manifests"`
	}
	if err := json.Unmarshal(data, &both); err != nil {
		return nil, fmt.Errorf("the manifest %s cannot be read: %w: %w", d.Digest, err, errBad)
	}
	if both.Manifests == nil {
		return &both.Manifest, nil
	}
	chosen, err := choose(both.Manifests, want)
	if err != nil {
		return nil, err
	}
	if data, err = manifest(ctx, from, chosen); err != nil {
		return nil, err
	}
	var m ocispec.Manifest
	if err := json.Unmarshal(data, &m); err != nil || m.Layers == nil {
		return nil, fmt.Errorf("the manifest %s is none of an image: %w", chosen.Digest, errBad)
	}
	return &m, nil
}

// manifest fetches a manifest or an index and checks its digest.
func manifest(ctx context.Context, from *remote.Repository, d ocispec.Descriptor) ([]byte, error) {
	if d.Size > maxManifest {
		return nil, fmt.Errorf("the manifest %s has %d bytes: %w", d.Digest, d.Size, errBad)
	}
	return content.FetchAll(ctx, from.Manifests(), d)
}

// choose returns the image of an index for a platform: one of the variant, else
// one that names none, else any.
func choose(all []ocispec.Descriptor, want ocispec.Platform) (ocispec.Descriptor, error) {
	var fitting []ocispec.Descriptor
	var there []string
	for _, d := range all {
		p := d.Platform
		if p == nil || p.OS == "unknown" {
			continue // what is said about an image, and no image
		}
		there = append(there, platformText(*p))
		if p.OS == want.OS && p.Architecture == want.Architecture {
			fitting = append(fitting, d)
		}
	}
	for _, variant := range []string{want.Variant, ""} {
		i := slices.IndexFunc(fitting, func(d ocispec.Descriptor) bool { return d.Platform.Variant == variant })
		if i >= 0 {
			return fitting[i], nil
		}
	}
	if len(fitting) > 0 && want.Variant == "" {
		return fitting[0], nil
	}
	return ocispec.Descriptor{}, fmt.Errorf("the image is there for %s, and not for %s: %w", strings.Join(there, ", "), platformText(want), errBad)
}

func platformText(p ocispec.Platform) string {
	text := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		text += "/" + p.Variant
	}
	return text
}

// pullLayer adds a layer to the tree.
func pullLayer(ctx context.Context, a Address, from *remote.Repository, d ocispec.Descriptor, tree *ociimage.Tree) error {
	if err := d.Digest.Validate(); err != nil || d.Digest.Algorithm() != digest.SHA256 {
		return failure(ctx, a, fmt.Errorf("%q is no digest of a layer: %w", d.Digest, errBad))
	}
	for attempt := 1; ; attempt++ {
		err := addLayer(ctx, from, d, tree)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil || errors.Is(err, ociimage.ErrFormat) || attempt == pullAttempts {
			return failure(ctx, a, err)
		}
	}
}

func addLayer(ctx context.Context, from *remote.Repository, d ocispec.Descriptor, tree *ociimage.Tree) error {
	body, err := from.Blobs().Fetch(ctx, d)
	if err != nil {
		return err
	}
	defer body.Close()
	checked := content.NewVerifyReader(body, d)
	return tree.AddLayer(ctx, checked, checked.Verify)
}
