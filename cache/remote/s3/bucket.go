package s3

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/dibgraph/dibgraph/cache/remote"
	"github.com/dibgraph/dibgraph/internal/network"
	"github.com/minio/minio-go/v7"
)

// Options are what an address does not say.
type Options struct {
	// Env gives variables of the environment, which have or name the keys.
	Env func(name string) string
	// TLS is how to meet servers; nil is the way of this machine.
	TLS *tls.Config
	// Wrap puts something before the transport, if it is not nil.
	Wrap func(http.RoundTripper) http.RoundTripper
}

// A Bucket is a part of a bucket as a [remote.Keeper].
type Bucket struct {
	address
	text     string
	store    store
	partSize int64
}

var _ remote.Keeper = (*Bucket)(nil)

// New returns the remote of an address
// s3://bucket/prefix?endpoint=URL&region=NAME&path-style=BOOL&anonymous=BOOL. It
// asks the server nothing yet.
func New(text string, o Options) (*Bucket, error) {
	a, err := parse(text, o.Env)
	if err != nil {
		return nil, err
	}
	transport := http.RoundTripper(network.Transport(o.TLS))
	if o.Wrap != nil {
		transport = o.Wrap(transport)
	}
	lookup := minio.BucketLookupAuto
	switch {
	case a.pathStyle:
		lookup = minio.BucketLookupPath
	case a.anyServer:
		lookup = minio.BucketLookupDNS
	}
	core, err := minio.NewCore(a.host, &minio.Options{Creds: keys(a, o.Env), Secure: !a.plain, Transport: transport,
		Region: a.region, BucketLookup: lookup, MaxRetries: 1})
	if err != nil {
		return nil, fmt.Errorf("endpoint %q: %w", a.host, err)
	}
	return &Bucket{address: a, text: text, store: &server{core: core, bucket: a.bucket}, partSize: partSize}, nil
}

// String is the address as the user wrote it.
func (b *Bucket) String() string { return b.text }

func (b *Bucket) object(name string) string { return b.prefix + "objects/" + name }

func (b *Bucket) content(s remote.Sum) string {
	return b.prefix + "contents/" + s.String()[:2] + "/" + s.String()
}

// Load returns a named object.
func (b *Bucket) Load(ctx context.Context, name string, limit int64) ([]byte, error) {
	data, err := b.load(ctx, name, limit)
	if err != nil {
		return nil, b.failed(ctx, fmt.Sprintf("load %q from", name), err)
	}
	return data, nil
}

func (b *Bucket) load(ctx context.Context, name string, limit int64) ([]byte, error) {
	if err := remote.CheckName(name); err != nil {
		return nil, err
	}
	body, err := b.store.get(ctx, b.object(name), 0, whole)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%w: it has more than %d bytes", remote.ErrTooLarge, limit)
	}
	return data, err
}

// Save stores a named object. The server replaces it whole.
func (b *Bucket) Save(ctx context.Context, name string, data []byte, _ []remote.Content) error {
	err := remote.CheckName(name)
	if err == nil {
		sum := remote.Sum(sha256.Sum256(data))
		err = b.store.put(ctx, b.object(name), data, sum.String(), false)
	}
	if err != nil {
		return b.failed(ctx, fmt.Sprintf("save %q to", name), err)
	}
	return nil
}

// Has reports whether the bucket has a content, and of the same size.
func (b *Bucket) Has(ctx context.Context, c remote.Content) (bool, error) {
	there, err := b.has(ctx, c)
	if err != nil {
		return false, b.failed(ctx, fmt.Sprintf("look for content %s in", c.Sum), err)
	}
	return there, nil
}

func (b *Bucket) has(ctx context.Context, c remote.Content) (bool, error) {
	size, err := b.store.size(ctx, b.content(c.Sum))
	if absent(err) {
		return false, nil
	}
	return size == c.Size, err
}

// Open gives a part of a content.
func (b *Bucket) Open(ctx context.Context, c remote.Content, from, to int64) (io.ReadCloser, error) {
	if from >= to {
		return http.NoBody, nil
	}
	end := to
	if from == 0 && to >= c.Size {
		end = whole
	}
	body, err := b.store.get(ctx, b.content(c.Sum), from, end)
	if minio.ToErrorResponse(err).StatusCode == http.StatusRequestedRangeNotSatisfiable {
		return http.NoBody, nil
	}
	if err != nil {
		return nil, b.failed(ctx, fmt.Sprintf("download content %s from", c.Sum), err)
	}
	return remote.First(body, to-from), nil
}

// Items calls yield for the contents and the named objects below the prefix.
func (b *Bucket) Items(ctx context.Context, yield func(remote.Item) bool) error {
	err := b.store.list(ctx, b.prefix, func(key string, size int64, modified time.Time) bool {
		item, ok := b.item(strings.TrimPrefix(key, b.prefix))
		item.Size, item.Modified = size, modified
		if item.Name == "" {
			item.Content.Size = size
		}
		return !ok || yield(item)
	})
	if err != nil {
		return b.failed(ctx, "list what is in", err)
	}
	return nil
}

// item is what a key stands for; other keys are none of ours.
func (b *Bucket) item(key string) (i remote.Item, ours bool) {
	if name, ok := strings.CutPrefix(key, "objects/"); ok {
		return remote.Item{Name: name}, remote.CheckName(name) == nil
	}
	sum, err := remote.ParseSum(key[strings.LastIndexByte(key, '/')+1:])
	if err != nil || b.prefix+key != b.content(sum) {
		return i, false
	}
	return remote.Item{Content: remote.Content{Sum: sum}}, true
}

// Remove removes a content or a named object.
func (b *Bucket) Remove(ctx context.Context, i remote.Item) error {
	asked, key, err := fmt.Sprintf("remove content %s from", i.Content.Sum), b.content(i.Content.Sum), error(nil)
	if i.Name != "" {
		asked, key, err = fmt.Sprintf("remove %q from", i.Name), b.object(i.Name), remote.CheckName(i.Name)
	}
	if err == nil {
		err = b.store.remove(ctx, key)
	}
	if err != nil && !absent(err) {
		return b.failed(ctx, asked, err)
	}
	return nil
}
