package s3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7"
)

// server is a store by the library of MinIO.
type server struct {
	core   *minio.Core
	bucket string
	// always is true once the server said that it has no If-None-Match.
	always atomic.Bool
}

func (s *server) get(ctx context.Context, key string, from, to int64) (io.ReadCloser, error) {
	var options minio.GetObjectOptions
	if from > 0 || to != whole {
		// For the library, too, 0 after more than 0 is the end.
		if err := options.SetRange(from, max(to-1, 0)); err != nil {
			return nil, err
		}
	}
	body, _, header, err := s.core.GetObject(ctx, s.bucket, key, options)
	if err != nil {
		return nil, err
	}
	if from > 0 && header.Get("Content-Range") == "" {
		if _, err := io.CopyN(io.Discard, body, from); err != nil && err != io.EOF {
			body.Close()
			return nil, err
		}
	}
	return body, nil
}

func (s *server) size(ctx context.Context, key string) (int64, error) {
	info, err := s.core.StatObject(ctx, s.bucket, key, minio.StatObjectOptions{})
	return info.Size, err
}

func (s *server) put(ctx context.Context, key string, body []byte, sum string, once bool) error {
	_, err := s.core.PutObject(ctx, s.bucket, key, bytes.NewReader(body), int64(len(body)), "", sum, s.options(once))
	return s.taken(err)
}

// options ask the server to keep what is there, if it can.
func (s *server) options(once bool) (o minio.PutObjectOptions) {
	o.ContentType = "application/octet-stream"
	// The library signs pieces of the body else, and leaves out its SHA-256.
	o.DisableContentSha256 = true
	if once && !s.always.Load() {
		o.SetMatchETagExcept("*")
	}
	return o
}

// taken turns the answer that somebody else was first into none.
func (s *server) taken(err error) error {
	switch minio.ToErrorResponse(err).StatusCode {
	case http.StatusPreconditionFailed:
		return nil
	case http.StatusNotImplemented:
		s.always.Store(true)
	}
	return err
}

func (s *server) resume(ctx context.Context, key string) (upload string, parts []part, err error) {
	if upload, err = s.begun(ctx, key); err != nil || upload == "" {
		upload, err = s.core.NewMultipartUpload(ctx, s.bucket, key, minio.PutObjectOptions{ContentType: "application/octet-stream"})
		return upload, nil, err
	}
	for marker := 0; ; {
		page, err := s.core.ListObjectParts(ctx, s.bucket, key, upload, marker, 1000)
		if err != nil {
			return "", nil, err
		}
		for _, p := range page.ObjectParts {
			parts = append(parts, part{p.PartNumber, p.Size, strings.Trim(p.ETag, `"`)})
		}
		if !page.IsTruncated || page.NextPartNumberMarker <= marker {
			return upload, parts, nil
		}
		marker = page.NextPartNumberMarker
	}
}

// begun is the last upload of a key that was not completed, empty without one. A
// server that does not tell, or not us, has none.
func (s *server) begun(ctx context.Context, key string) (string, error) {
	page, err := s.core.ListMultipartUploads(ctx, s.bucket, key, "", "", "", 1000)
	var answer minio.ErrorResponse
	if errors.As(err, &answer) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	uploads := slices.DeleteFunc(page.Uploads, func(u minio.ObjectMultipartInfo) bool { return u.Key != key })
	if len(uploads) == 0 {
		return "", nil
	}
	last := slices.MaxFunc(uploads, func(a, b minio.ObjectMultipartInfo) int {
		if c := a.Initiated.Compare(b.Initiated); c != 0 {
			return c
		}
		return strings.Compare(a.UploadID, b.UploadID)
	})
	return last.UploadID, nil
}

func (s *server) part(ctx context.Context, key, upload string, number int, body []byte) (part, error) {
	p, err := s.core.PutObjectPart(ctx, s.bucket, key, upload, number, bytes.NewReader(body), int64(len(body)), minio.PutObjectPartOptions{})
	return part{number, int64(len(body)), strings.Trim(p.ETag, `"`)}, err
}

func (s *server) complete(ctx context.Context, key, upload string, parts []part) error {
	var all []minio.CompletePart
	for _, p := range parts {
		all = append(all, minio.CompletePart{PartNumber: p.number, ETag: p.tag})
	}
	_, err := s.core.CompleteMultipartUpload(ctx, s.bucket, key, upload, all, minio.PutObjectOptions{})
	return err
}

func (s *server) list(ctx context.Context, prefix string, yield func(string, int64, time.Time) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for o := range s.core.Client.ListObjects(ctx, s.bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
		if o.Err != nil {
			return o.Err
		}
		if !yield(o.Key, o.Size, o.LastModified) {
			return nil
		}
	}
	return ctx.Err()
}

func (s *server) remove(ctx context.Context, key string) error {
	return s.core.RemoveObject(ctx, s.bucket, key, minio.RemoveObjectOptions{})
}
