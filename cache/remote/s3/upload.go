package s3

import (
	"context"
	"crypto/md5" // #nosec: what servers of S3 call parts by.
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/dibgraph/dibgraph/cache/remote"
	"github.com/minio/minio-go/v7"
)

const (
	// partSize is how much is sent again at most if an upload is interrupted.
	partSize = 32 << 20
	// partsLimit is how many parts there may be.
	partsLimit = 10_000
)

// Upload stores a content, unless the bucket has it: in parts if it is large.
func (b *Bucket) Upload(ctx context.Context, c remote.Content, body func() (io.ReadCloser, error)) error {
	there, err := b.has(ctx, c)
	if err == nil && !there {
		if err = b.send(ctx, c, body); err != nil && b.since(ctx, c) {
			return nil
		}
	}
	if err != nil {
		return b.failed(ctx, fmt.Sprintf("upload content %s to", c.Sum), err)
	}
	return nil
}

// since reports whether a content came to the bucket by another hand, which some
// servers say by cutting the connection before they have read all of ours.
func (b *Bucket) since(ctx context.Context, c remote.Content) bool {
	there, err := b.has(ctx, c)
	return err == nil && there
}

func (b *Bucket) send(ctx context.Context, c remote.Content, body func() (io.ReadCloser, error)) error {
	if c.Size > b.partSize {
		return b.inParts(ctx, c, body)
	}
	err := b.whole(ctx, c, body)
	if minio.ToErrorResponse(err).StatusCode == http.StatusNotImplemented {
		// It has no If-None-Match, which is not asked for again.
		err = b.whole(ctx, c, body)
	}
	return err
}

func (b *Bucket) whole(ctx context.Context, c remote.Content, body func() (io.ReadCloser, error)) error {
	opened, err := body()
	if err != nil {
		return err
	}
	defer opened.Close()
	// Not every server compares the SHA-256 with what it gets.
	data := make([]byte, c.Size)
	if _, err := io.ReadFull(opened, data); err != nil {
		return fmt.Errorf("read what to upload: %w", err)
	}
	if sha256.Sum256(data) != c.Sum {
		return errOther
	}
	return b.store.put(ctx, b.content(c.Sum), data, c.Sum.String(), true)
}

var errOther = errors.New("what was read to upload it has another SHA-256")

// inParts sends the parts that the server does not have. It reads all bytes, so
// that what is put together in the end has the SHA-256.
func (b *Bucket) inParts(ctx context.Context, c remote.Content, body func() (io.ReadCloser, error)) error {
	opened, err := body()
	if err != nil {
		return err
	}
	defer opened.Close()
	key := b.content(c.Sum)
	upload, there, err := b.store.resume(ctx, key)
	if err != nil {
		return err
	}
	had := map[int]part{}
	for _, p := range there {
		had[p.number] = p
	}
	hash := sha256.New()
	piece := make([]byte, max(b.partSize, (c.Size+partsLimit-1)/partsLimit))
	var parts []part
	for sent := int64(0); sent < c.Size; sent += int64(len(piece)) {
		piece = piece[:min(int64(len(piece)), c.Size-sent)]
		if _, err := io.ReadFull(io.TeeReader(opened, hash), piece); err != nil {
			return fmt.Errorf("read what to upload: %w", err)
		}
		p := had[len(parts)+1]
		if sum := md5.Sum(piece); p.size != int64(len(piece)) || p.tag != hex.EncodeToString(sum[:]) {
			if p, err = b.store.part(ctx, key, upload, len(parts)+1, piece); err != nil {
				return err
			}
		}
		parts = append(parts, p)
	}
	if [sha256.Size]byte(hash.Sum(nil)) != c.Sum {
		return errOther
	}
	return b.store.complete(ctx, key, upload, parts)
}
