package oci

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/dibgraph/dibgraph/cache/remote"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	library "oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
)

// Items calls yield for the named objects. Their size is that of the manifest
// under the tag, and the object's own if it is not in there. A registry lists no
// contents: its garbage collection removes those that no object is about.
func (r *Registry) Items(ctx context.Context, yield func(remote.Item) bool) error {
	err := r.items(ctx, yield)
	if errors.Is(err, remote.ErrNotFound) {
		// Nothing was stored yet, so that there is no repository.
		return nil
	}
	if err != nil {
		return r.failed(ctx, "list what is in", err)
	}
	return nil
}

func (r *Registry) items(ctx context.Context, yield func(remote.Item) bool) error {
	ctx = auth.AppendRepositoryScope(ctx, r.reference, "pull")
	repository := &library.Repository{Client: r.client, Reference: r.reference, PlainHTTP: r.plain, TagListPageSize: 1000}
	errStop := errors.New("enough")
	err := repository.Tags(ctx, "", func(tags []string) error {
		for _, tag := range tags {
			item, err := r.item(ctx, tag)
			switch {
			case errors.Is(err, remote.ErrNotFound), errors.Is(err, errForeign):
				continue
			case err != nil:
				return err
			case !yield(item):
				return errStop
			}
		}
		return nil
	})
	if errors.Is(err, errStop) {
		return nil
	}
	return translate(err)
}

func (r *Registry) item(ctx context.Context, tag string) (i remote.Item, err error) {
	m, size, err := r.manifest(ctx, tag)
	if err != nil {
		return i, err
	}
	if m.Config.Data == nil {
		size += m.Config.Size
	}
	// What is not a time is the zero time: nobody knows when.
	modified, _ := time.Parse(time.RFC3339, m.Annotations[ocispec.AnnotationCreated])
	return remote.Item{Name: tag, Size: size, Modified: modified}, nil
}

// Remove deletes the manifest of a named object, or a content. Most registries
// have to be configured to allow it.
func (r *Registry) Remove(ctx context.Context, i remote.Item) error {
	asked, place := fmt.Sprintf("remove %q from", i.Name), ""
	if i.Name == "" {
		asked, place = fmt.Sprintf("remove content %s from", i.Content.Sum), r.blob(i.Content)
	}
	err := remote.CheckName(i.Name)
	if i.Name == "" {
		err = nil
	} else if err == nil {
		place, err = r.place(ctx, i.Name)
	}
	if err == nil {
		err = r.delete(ctx, place)
	}
	if err != nil && !errors.Is(err, remote.ErrNotFound) {
		return r.failed(ctx, asked, err)
	}
	return nil
}

// place is the address of the manifest itself: few registries delete tags.
func (r *Registry) place(ctx context.Context, name string) (string, error) {
	header := http.Header{"Accept": {ocispec.MediaTypeImageManifest + ", " + ocispec.MediaTypeImageIndex}}
	response, err := r.request(ctx, http.MethodHead, r.url("manifests/"+name), nil, 0, header, "pull", "delete")
	if err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusOK {
		return "", refused(response)
	}
	response.Body.Close()
	named := digest.Digest(response.Header.Get("Docker-Content-Digest"))
	if named.Validate() != nil {
		return "", errors.New("the registry does not say which manifest the tag is")
	}
	return r.url("manifests/" + named.String()), nil
}

func (r *Registry) delete(ctx context.Context, place string) error {
	response, err := r.request(ctx, http.MethodDelete, place, nil, 0, nil, "pull", "delete")
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusAccepted && response.StatusCode != http.StatusOK {
		return refused(response)
	}
	return response.Body.Close()
}
