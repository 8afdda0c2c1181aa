// Package conformance is the one suite that every kind of remote passes.
package conformance

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"testing"

	"github.com/dibgraph/dibgraph/cache/remote"
	"github.com/dibgraph/dibgraph/internal/faultcount"
)

// Run tests a remote that is empty at first, and counts the parts of the suite as
// cases of faults. It may take a minute.
func Run(t *testing.T, r remote.Remote) {
	counted := faultcount.New(t, "conformance")
	s := suite{r}
	for _, test := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"objects", s.objects}, {"names", s.names}, {"limit", s.limit}, {"objects are seen whole", s.wholeObjects},
		{"contents", s.contents}, {"nothing", s.nothing}, {"many at once", s.manyAtOnce},
		{"failing body", s.failingBody}, {"short body", s.shortBody}, {"interrupted", s.interrupted},
		{"cleared up", s.clearedUp},
	} {
		counted.Case()
		if !t.Run(test.name, test.run) {
			counted.Wrong(t, "%s does not conform: %s", r, test.name)
		}
	}
}

type suite struct{ r remote.Remote }

// random returns bytes that no other test has.
func random(size int) (remote.Content, []byte) {
	var seed [32]byte
	for i := range 4 {
		for j := range 8 {
			seed[8*i+j] = byte(rand.Uint64())
		}
	}
	data := make([]byte, size)
	_, _ = rand.NewChaCha8(seed).Read(data) // never fails
	return contentOf(data), data
}

func contentOf(data []byte) remote.Content {
	return remote.Content{Sum: sha256.Sum256(data), Size: int64(len(data))}
}

func body(data []byte) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return &once{Reader: bytes.NewReader(data)}, nil }
}

// once fails like a file when it is closed twice.
type once struct {
	io.Reader
	closed bool
}

func (o *once) Close() error {
	if o.closed {
		return os.ErrClosed
	}
	o.closed = true
	return nil
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// upload stores random bytes.
func (s suite) upload(t *testing.T, size int) (remote.Content, []byte) {
	t.Helper()
	c, data := random(size)
	check(t, s.r.Upload(t.Context(), c, body(data)))
	return c, data
}

func (s suite) objects(t *testing.T) {
	c, _ := s.upload(t, 10)
	for _, text := range []string{"first", "second, which is longer", "3"} {
		check(t, s.r.Save(t.Context(), "object", []byte(text), []remote.Content{c}))
		if got, err := s.r.Load(t.Context(), "object", 1<<20); err != nil || string(got) != text {
			t.Errorf("loaded %q, %v; want %q", got, err, text)
		}
	}
	_, large := random(3 << 20) // more than fits into a manifest
	check(t, s.r.Save(t.Context(), "large", large, nil))
	if got, err := s.r.Load(t.Context(), "large", 1<<30); err != nil || !bytes.Equal(got, large) {
		t.Errorf("a large object: %d bytes, %v", len(got), err)
	}
}

func (s suite) names(t *testing.T) {
	long := bytes.Repeat([]byte("x"), 128)
	for _, name := range []string{"a", "0", "a.b-c_d", "a..b", string(long)} {
		check(t, s.r.Save(t.Context(), name, []byte("of "+name), nil))
		if got, err := s.r.Load(t.Context(), name, 1<<20); err != nil || string(got) != "of "+name {
			t.Errorf("%q: %q, %v", name, got, err)
		}
	}
}

func (s suite) limit(t *testing.T) {
	check(t, s.r.Save(t.Context(), "limited", []byte("12345"), nil))
	if _, err := s.r.Load(t.Context(), "limited", 5); err != nil {
		t.Errorf("as large as the limit: %v", err)
	}
	if _, err := s.r.Load(t.Context(), "limited", 4); !errors.Is(err, remote.ErrTooLarge) {
		t.Errorf("larger than the limit: %v", err)
	}
}

// wholeObjects reads while others write.
func (s suite) wholeObjects(t *testing.T) {
	valid := func(data []byte) bool { return len(data) > 0 && bytes.Count(data, data[:1]) == len(data) }
	check(t, s.r.Save(t.Context(), "busy", []byte("a"), nil))
	var writers sync.WaitGroup
	for w := range 3 {
		writers.Go(func() {
			for i := range 10 {
				data := bytes.Repeat([]byte{byte('a' + w)}, 1+i*10_000)
				if err := s.r.Save(context.WithoutCancel(t.Context()), "busy", data, nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 30 {
		if data, err := s.r.Load(t.Context(), "busy", 1<<20); err != nil || !valid(data) {
			t.Errorf("an object that is half there: %d bytes, %v", len(data), err)
		}
	}
	writers.Wait()
}

func (s suite) contents(t *testing.T) {
	for _, size := range []int{0, 1, 100_000, 20 << 20} {
		c, data := s.upload(t, size)
		if there, err := s.r.Has(t.Context(), c); err != nil || !there {
			t.Errorf("%d bytes are there: %t, %v", size, there, err)
		}
		check(t, s.r.Upload(t.Context(), c, body(data))) // again
		for _, offset := range []int{0, size / 2, size - 1, size} {
			if offset < 0 {
				continue
			}
			for _, to := range []int{offset, (offset + size) / 2, size} {
				if got := s.read(t, c, offset, to); !bytes.Equal(got, data[offset:to]) {
					t.Errorf("%d bytes from %d to %d: %d others came", size, offset, to, len(got))
				}
			}
		}
	}
}

func (s suite) read(t *testing.T, c remote.Content, from, to int) []byte {
	t.Helper()
	r, err := s.r.Open(t.Context(), c, int64(from), int64(to))
	check(t, err)
	defer r.Close()
	data, err := io.ReadAll(r)
	check(t, err)
	return data
}

func (s suite) nothing(t *testing.T) {
	c, _ := random(10)
	if _, err := s.r.Load(t.Context(), "nothing", 1<<20); !errors.Is(err, remote.ErrNotFound) {
		t.Errorf("an object that was never saved: %v", err)
	}
	if there, err := s.r.Has(t.Context(), c); there || err != nil {
		t.Errorf("a content that was never uploaded: %t, %v", there, err)
	}
	r, err := s.r.Open(t.Context(), c, 0, c.Size)
	if !errors.Is(err, remote.ErrNotFound) {
		t.Errorf("opened a content that was never uploaded: %v", err)
	}
	if err == nil {
		r.Close()
	}
}

func (s suite) manyAtOnce(t *testing.T) {
	same, data := random(1 << 20)
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			if err := s.r.Upload(t.Context(), same, body(data)); err != nil {
				t.Error(err)
			}
			c, other := random(1000)
			if err := s.r.Upload(t.Context(), c, body(other)); err != nil {
				t.Error(err)
				return
			}
			if there, err := s.r.Has(t.Context(), c); !there || err != nil {
				t.Errorf("one of many: %t, %v", there, err)
			}
		})
	}
	group.Wait()
	if got := s.read(t, same, 0, len(data)); !bytes.Equal(got, data) {
		t.Error("uploads side by side left something else")
	}
}

var errBody = errors.New("the disk broke")

func (s suite) failingBody(t *testing.T) {
	c, data := random(1 << 20)
	err := s.r.Upload(t.Context(), c, func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(bytes.NewReader(data[:1000]), failing{})), nil
	})
	if err == nil {
		t.Error("a body that fails makes no error")
	}
	s.isNotThere(t, c)
	if err := s.r.Upload(t.Context(), c, func() (io.ReadCloser, error) { return nil, errBody }); !errors.Is(err, errBody) {
		t.Errorf("a body that cannot be opened: %v", err)
	}
	s.isNotThere(t, c)
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errBody }

func (s suite) shortBody(t *testing.T) {
	c, data := random(10_000)
	if err := s.r.Upload(t.Context(), c, body(data[:9000])); err == nil {
		t.Error("a body that is too short makes no error")
	}
	s.isNotThere(t, c)
}

func (s suite) isNotThere(t *testing.T, c remote.Content) {
	t.Helper()
	if there, err := s.r.Has(t.Context(), c); err != nil || there {
		t.Errorf("what was not uploaded is there: %t, %v", there, err)
	}
}

func (s suite) interrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	c, data := random(1 << 20)
	why := errors.New("enough")
	err := s.r.Upload(ctx, c, func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(bytes.NewReader(data[:1000]), cancelling{func() { cancel(why) }}, bytes.NewReader(data[1000:]))), nil
	})
	if err == nil {
		t.Error("an interrupted upload makes no error")
	}
	s.isNotThere(t, c)
}

// cancelling ends a context when it is read.
type cancelling struct{ cancel func() }

func (c cancelling) Read([]byte) (int, error) {
	c.cancel()
	return 0, io.EOF
}

// clearedUp lists and removes, where the remote can.
func (s suite) clearedUp(t *testing.T) {
	k, ok := s.r.(remote.Keeper)
	if !ok {
		t.Logf("%s cannot be cleared up from here", s.r)
		return
	}
	c, _ := s.upload(t, 1000)
	check(t, k.Save(t.Context(), "to-be-removed", []byte("x"), []remote.Content{c}))
	var object, content *remote.Item
	err := k.Items(t.Context(), func(i remote.Item) bool {
		switch {
		case i.Name == "to-be-removed":
			object = &i
		case i.Content == c:
			content = &i
		}
		return true
	})
	check(t, err)
	if object == nil {
		t.Fatal("the object is not listed")
	}
	check(t, k.Remove(t.Context(), *object))
	check(t, k.Remove(t.Context(), *object)) // it is gone already
	if _, err := k.Load(t.Context(), "to-be-removed", 100); !errors.Is(err, remote.ErrNotFound) {
		t.Errorf("the object was removed: %v", err)
	}
	if content == nil {
		t.Logf("%s does not list contents: they go with the objects that they belong to", s.r)
		return
	}
	if content.Modified.IsZero() || content.Size != c.Size {
		t.Errorf("the content is listed as %+v", content)
	}
	check(t, k.Remove(t.Context(), *content))
	s.isNotThere(t, c)
	stopped := 0
	check(t, k.Items(t.Context(), func(remote.Item) bool { stopped++; return false }))
	if stopped != 1 {
		t.Errorf("the listing went on %d times after it was to stop", stopped-1)
	}
}
