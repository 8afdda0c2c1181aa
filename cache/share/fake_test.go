package share

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/dibgraph/dibgraph/cache/remote"
)

// A fakeRemote is one in memory that counts what it is asked.
type fakeRemote struct {
	address string

	mu       sync.Mutex
	objects  map[string][]byte
	contents map[remote.Content][]byte
	about    map[string][]remote.Content
	asked    map[string]int
	fail     error // of everything
	failLoad error // of loads
	failSave error // of saves
}

func newFakeRemote(address string) *fakeRemote {
	return &fakeRemote{
		address: address, objects: map[string][]byte{}, contents: map[remote.Content][]byte{},
		about: map[string][]remote.Content{}, asked: map[string]int{},
	}
}

func (r *fakeRemote) String() string { return r.address }

func (r *fakeRemote) Load(_ context.Context, name string, limit int64) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked["load"]++
	data, ok := r.objects[name]
	switch {
	case r.fail != nil:
		return nil, r.fail
	case r.failLoad != nil:
		return nil, r.failLoad
	case !ok:
		return nil, fmt.Errorf("%s: %w", name, remote.ErrNotFound)
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("%s is too large", name)
	}
	return data, nil
}

func (r *fakeRemote) Save(_ context.Context, name string, data []byte, about []remote.Content) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked["save"]++
	if err := cmp.Or(r.fail, r.failSave); err != nil {
		return err
	}
	r.objects[name], r.about[name] = data, about
	return nil
}

func (r *fakeRemote) Open(_ context.Context, c remote.Content, from, to int64) (io.ReadCloser, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked["open"]++
	data, ok := r.contents[c]
	switch {
	case r.fail != nil:
		return nil, r.fail
	case !ok:
		return nil, fmt.Errorf("%s: %w", c.Sum, remote.ErrNotFound)
	}
	return io.NopCloser(bytes.NewReader(data[from:min(to, int64(len(data)))])), nil
}

func (r *fakeRemote) Has(_ context.Context, c remote.Content) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked["has"]++
	_, ok := r.contents[c]
	return ok, r.fail
}

func (r *fakeRemote) Upload(_ context.Context, c remote.Content, body func() (io.ReadCloser, error)) error {
	b, err := body()
	if err != nil {
		return err
	}
	defer b.Close()
	data, err := io.ReadAll(b)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked["upload"]++
	if r.fail != nil {
		return r.fail
	}
	// As others do, it takes what has the size for what it is named.
	if there, ok := r.contents[c]; !ok || int64(len(there)) != c.Size {
		r.contents[c] = data
	}
	return nil
}

// count returns how often something was asked for since the last call.
func (r *fakeRemote) count(what string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.asked[what]
	r.asked[what] = 0
	return n
}

// damage changes every content.
func (r *fakeRemote) damage(change func([]byte) []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c, data := range r.contents {
		if changed := change(bytes.Clone(data)); changed != nil {
			r.contents[c] = changed
		} else {
			delete(r.contents, c)
		}
	}
}
