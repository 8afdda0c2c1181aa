package oci

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/dibgraph/dibgraph/cache/remote"
	"github.com/dibgraph/dibgraph/internal/interrupt"
)

// chunkSize is how much is sent at once to a registry that refuses a content in
// one piece: less than the 100 MB that proxies in front of registries allow.
const chunkSize = 16 << 20

// Upload stores a content, unless the registry has it. The registry hashes what
// it gets, and refuses what does not have the SHA-256.
func (r *Registry) Upload(ctx context.Context, c remote.Content, body func() (io.ReadCloser, error)) error {
	there, err := r.has(ctx, c, "pull", "push")
	if err == nil && !there {
		err = r.push(ctx, c, body)
	}
	if err != nil {
		return r.failed(ctx, fmt.Sprintf("upload content %s to", c.Sum), err)
	}
	return nil
}

func (r *Registry) push(ctx context.Context, c remote.Content, open func() (io.ReadCloser, error)) error {
	body := func() (io.ReadCloser, error) {
		opened, err := open()
		if err != nil {
			return nil, err
		}
		// A transport may notice the end only when all bytes are sent.
		return struct {
			io.Reader
			io.Closer
		}{interrupt.Reader(ctx, opened), opened}, nil
	}
	if !r.chunked.Load() || c.Size <= r.chunk {
		err := r.session(ctx, func(place *url.URL) error { return r.finish(ctx, place, c, body, c.Size) })
		var a *answer
		if !errors.As(err, &a) || a.status != http.StatusRequestEntityTooLarge || c.Size <= r.chunk {
			return err
		}
		r.chunked.Store(true)
	}
	return r.session(ctx, func(place *url.URL) error { return r.pieces(ctx, place, c, body) })
}

// session begins an upload, and takes it back if send fails.
func (r *Registry) session(ctx context.Context, send func(place *url.URL) error) error {
	response, err := r.request(ctx, http.MethodPost, r.url("blobs/uploads/"), nil, 0, nil, "pull", "push")
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusAccepted {
		return refused(response)
	}
	response.Body.Close()
	place, err := next(response)
	if err != nil {
		return err
	}
	if err := send(place); err != nil {
		r.takeBack(ctx, place)
		return err
	}
	return nil
}

// takeBack asks the registry to forget an upload. One that does not will forget it
// some day, which is why the answer does not matter.
func (r *Registry) takeBack(ctx context.Context, place *url.URL) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if response, err := r.request(ctx, http.MethodDelete, place.String(), nil, 0, nil, "pull", "push"); err == nil {
		response.Body.Close()
	}
}

// next is where the registry wants the rest.
func next(response *http.Response) (*url.URL, error) {
	place, err := response.Location()
	if err != nil {
		return nil, errors.New("the registry does not say where it wants the content")
	}
	return place, nil
}

// finish sends the last bytes of an upload, often all of them.
func (r *Registry) finish(ctx context.Context, place *url.URL, c remote.Content, body func() (io.ReadCloser, error), size int64) error {
	last := *place
	query := last.Query()
	query.Set("digest", digestOf(c.Sum))
	last.RawQuery = query.Encode()
	response, err := r.request(ctx, http.MethodPut, last.String(), body, size, http.Header{"Content-Type": {"application/octet-stream"}}, "pull", "push")
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusCreated {
		return refused(response)
	}
	response.Body.Close()
	if got := response.Header.Get("Docker-Content-Digest"); got != "" && got != digestOf(c.Sum) {
		return fmt.Errorf("the registry says that it stored %.80q", got)
	}
	return nil
}

// pieces sends a content in several requests.
func (r *Registry) pieces(ctx context.Context, place *url.URL, c remote.Content, body func() (io.ReadCloser, error)) error {
	whole, err := body()
	if err != nil {
		return err
	}
	defer whole.Close()
	piece := make([]byte, r.chunk)
	for sent := int64(0); sent < c.Size; {
		n := min(r.chunk, c.Size-sent)
		if _, err := io.ReadFull(whole, piece[:n]); err != nil {
			return fmt.Errorf("read what to upload: %w", err)
		}
		if place, err = r.piece(ctx, place, piece[:n], sent); err != nil {
			return err
		}
		sent += n
	}
	return r.finish(ctx, place, c, func() (io.ReadCloser, error) { return http.NoBody, nil }, 0)
}

func (r *Registry) piece(ctx context.Context, place *url.URL, piece []byte, sent int64) (*url.URL, error) {
	header := http.Header{
		"Content-Type":   {"application/octet-stream"},
		"Content-Length": {strconv.Itoa(len(piece))},
		"Content-Range":  {fmt.Sprintf("%d-%d", sent, sent+int64(len(piece))-1)},
	}
	body := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(piece)), nil }
	response, err := r.request(ctx, http.MethodPatch, place.String(), body, int64(len(piece)), header, "pull", "push")
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusAccepted {
		return nil, refused(response)
	}
	response.Body.Close()
	return next(response)
}
