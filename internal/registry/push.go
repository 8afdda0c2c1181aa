package registry

import (
	"bytes"
	"context"
	"fmt"
	"io"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote"

	"github.com/dibgraph/dibgraph/internal/fetch"
	"github.com/dibgraph/dibgraph/internal/ociimage"
)

// pushAttempts is how often a part is sent before that counts as failed.
const pushAttempts = 3

// A Push sends an image to a registry. Parts that the repository has are not sent
// again. The tag is set in the end, so that a push that fails changes nothing that
// others see.
type Push struct {
	address  Address
	to       *remote.Repository
	manifest []byte
}

// Push begins to send an image; the address has a tag.
func (c *Client) Push(a Address) (*Push, error) {
	to, err := c.repository(a)
	return &Push{address: a, to: to}, err
}

// Put implements [ociimage.Sink].
func (p *Push) Put(ctx context.Context, part ocispec.Descriptor, content io.Reader) (err error) {
	if part.MediaType == ocispec.MediaTypeImageManifest {
		p.manifest, err = io.ReadAll(content)
		return err
	}
	there, err := p.to.Blobs().Exists(ctx, part)
	if err != nil {
		return failure(ctx, p.address, fmt.Errorf("look for %s: %w", part.Digest, err))
	}
	if there {
		return nil
	}
	for attempt := 1; ; attempt++ {
		// What is an io.Closer, too, would be closed.
		err = failure(ctx, p.address, p.to.Blobs().Push(ctx, part, struct{ io.Reader }{content}))
		again, ok := content.(io.Seeker)
		if !fetch.Passing(err) || !ok || attempt == pushAttempts {
			return err
		}
		if _, err := again.Seek(0, io.SeekStart); err != nil {
			return err
		}
	}
}

// Finish implements [ociimage.Sink].
func (p *Push) Finish(ctx context.Context, manifest ocispec.Descriptor, _ *ociimage.Image) error {
	err := p.to.PushReference(ctx, manifest, bytes.NewReader(p.manifest), p.address.Reference.Reference)
	return failure(ctx, p.address, err)
}

// Discard implements [ociimage.Sink]: parts that nothing names are no image, and
// the registry removes them one day.
func (p *Push) Discard() error { return nil }
