package directory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/dibgraph/dibgraph/cache/remote"
	"github.com/dibgraph/dibgraph/internal/interrupt"
)

// A Remote is a directory.
type Remote struct{ dir string }

// New returns the remote in dir, an absolute path. The directory is made by the
// first that stores something.
func New(dir string) *Remote { return &Remote{filepath.Clean(dir)} }

// String is "dir:" and the path.
func (r *Remote) String() string { return "dir:" + r.dir }

func (r *Remote) object(name string) string { return r.dir + "/ac/" + name }

func (r *Remote) content(c remote.Content) string {
	sum := c.Sum.String()
	return r.dir + "/cas/" + sum[:2] + "/" + sum
}

// Load reads a named object.
func (r *Remote) Load(_ context.Context, name string, limit int64) ([]byte, error) {
	if err := remote.CheckName(name); err != nil {
		return nil, err
	}
	f, err := r.open(r.object(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("load %s from %s: %w: it has more than %d bytes", name, r, remote.ErrTooLarge, limit)
	}
	if err != nil {
		return nil, err
	}
	return data, nil
}

// errNotFile says what else is in the place of a file.
var errNotFile = errors.New("it is not a file")

// open opens a file that may not be there. Anything else, such as a pipe, that
// nobody may ever write to, is not waited for.
func (r *Remote) open(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", path, remote.ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: errNotFile}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Save writes a named object. What it is about is kept until it is cleared up.
func (r *Remote) Save(ctx context.Context, name string, data []byte, _ []remote.Content) error {
	if err := remote.CheckName(name); err != nil {
		return err
	}
	return r.write(ctx, r.object(name), int64(len(data)), strings.NewReader(string(data)))
}

// Open opens a part of a content.
func (r *Remote) Open(_ context.Context, c remote.Content, from, to int64) (io.ReadCloser, error) {
	f, err := r.open(r.content(c))
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Size() != c.Size {
		err = remote.OtherSize(f.Name(), info.Size(), c)
	}
	if err == nil {
		_, err = f.Seek(from, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return remote.First(f, to-from), nil
}

// Has looks for a content.
func (r *Remote) Has(_ context.Context, c remote.Content) (bool, error) {
	info, err := os.Stat(r.content(c))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && info.Mode().IsRegular() && info.Size() == c.Size, err
}

// Upload writes a content.
func (r *Remote) Upload(ctx context.Context, c remote.Content, body func() (io.ReadCloser, error)) error {
	if there, err := r.Has(ctx, c); err != nil || there {
		return err
	}
	b, err := body()
	if err != nil {
		return err
	}
	return errors.Join(r.write(ctx, r.content(c), c.Size, b), b.Close())
}

// write makes a file of that size whole or not at all.
func (r *Remote) write(ctx context.Context, path string, size int64, from io.Reader) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	f, err := os.OpenFile(fmt.Sprintf("%s/%s%016x", dir, temporary, rand.Uint64()), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	n, err := io.Copy(f, interrupt.Reader(ctx, from))
	if err == nil && n != size {
		err = fmt.Errorf("store %s: there are %d bytes, not %d", path, n, size)
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// temporary begins the names of files that are not whole yet.
const temporary = ".new-"

// Items lists named objects and contents.
func (r *Remote) Items(ctx context.Context, yield func(remote.Item) bool) error {
	err := filepath.WalkDir(r.dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // removed by somebody else
		case err != nil:
			return err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !e.Type().IsRegular() || strings.HasPrefix(e.Name(), temporary):
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return nil //nolint:nilerr // removed by somebody else
		}
		item := remote.Item{Size: info.Size(), Modified: info.ModTime()}
		switch sum, err := remote.ParseSum(e.Name()); {
		case filepath.Dir(path) == r.dir+"/ac":
			item.Name = e.Name()
		case err == nil:
			item.Content = remote.Content{Sum: sum, Size: info.Size()}
		default:
			return nil // none of ours
		}
		if !yield(item) {
			return fs.SkipAll
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list %s: %w", r, err)
	}
	return nil
}

// Remove removes an item.
func (r *Remote) Remove(_ context.Context, i remote.Item) error {
	path := r.content(i.Content)
	if i.Name != "" {
		if err := remote.CheckName(i.Name); err != nil {
			return err
		}
		path = r.object(i.Name)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
