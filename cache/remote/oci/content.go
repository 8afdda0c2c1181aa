package oci

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/dibgraph/dibgraph/cache/remote"
)

func digestOf(s remote.Sum) string { return "sha256:" + s.String() }

func (r *Registry) blob(c remote.Content) string { return r.url("blobs/" + digestOf(c.Sum)) }

// Has reports whether the registry has a content, and of the same size.
func (r *Registry) Has(ctx context.Context, c remote.Content) (bool, error) {
	there, err := r.has(ctx, c, "pull")
	if err != nil {
		return false, r.failed(ctx, fmt.Sprintf("look for content %s in", c.Sum), err)
	}
	return there, nil
}

func (r *Registry) has(ctx context.Context, c remote.Content, actions ...string) (bool, error) {
	response, err := r.request(ctx, http.MethodHead, r.blob(c), nil, 0, nil, actions...)
	if err != nil {
		return false, err
	}
	response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
		return response.ContentLength < 0 || response.ContentLength == c.Size, nil
	case http.StatusNotFound:
		return false, nil
	}
	return false, refused(response)
}

// Open gives a part of a content.
func (r *Registry) Open(ctx context.Context, c remote.Content, from, to int64) (io.ReadCloser, error) {
	if from >= to {
		return http.NoBody, nil
	}
	body, err := r.open(ctx, c, from, to)
	if err != nil {
		return nil, r.failed(ctx, fmt.Sprintf("download content %s from", c.Sum), err)
	}
	return remote.First(body, to-from), nil
}

func (r *Registry) open(ctx context.Context, c remote.Content, from, to int64) (io.ReadCloser, error) {
	header := http.Header{}
	if from > 0 || to < c.Size {
		header.Set("Range", fmt.Sprintf("bytes=%d-%d", from, to-1))
	}
	response, err := r.request(ctx, http.MethodGet, r.blob(c), nil, 0, header, "pull")
	if err != nil {
		return nil, err
	}
	if n := response.ContentLength; response.StatusCode == http.StatusOK && n >= 0 && n != c.Size {
		response.Body.Close()
		return nil, remote.OtherSize(digestOf(c.Sum), n, c)
	}
	switch response.StatusCode {
	case http.StatusOK:
		return skip(response.Body, from)
	case http.StatusPartialContent:
		got := response.Header.Get("Content-Range")
		if want := fmt.Sprintf("bytes %d-", from); !strings.HasPrefix(got, want) {
			response.Body.Close()
			return nil, fmt.Errorf("the registry was asked for bytes from %d on, and gives %.80q", from, got)
		}
		return response.Body, nil
	case http.StatusRequestedRangeNotSatisfiable:
		response.Body.Close()
		return http.NoBody, nil
	}
	return nil, refused(response)
}

// skip reads what nobody asked for: some registries know no ranges.
func skip(body io.ReadCloser, n int64) (io.ReadCloser, error) {
	if _, err := io.CopyN(io.Discard, body, n); err != nil && err != io.EOF {
		body.Close()
		return nil, err
	}
	return body, nil
}
