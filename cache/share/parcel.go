package share

import (
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"os"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/cache/remote"
)

// A parcel is a content that is being put together in a file. It is used by one
// goroutine.
type parcel struct {
	file *os.File
	hash hash.Hash
	size int64
	// parts are its layers and blobs; the parcel of their spots is set last.
	parts map[cache.Digest]spot
}

func newParcel(path string) (*parcel, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return &parcel{file: f, hash: sha256.New(), parts: make(map[cache.Digest]spot)}, nil
}

// add appends what write writes as the part that is d. After an error the parcel
// is as before.
func (p *parcel) add(d cache.Digest, at spot, write func(io.Writer) (form string, err error)) error {
	before, err := p.hash.(hash.Cloner).Clone() // as those of the standard library are
	if err != nil {
		return err
	}
	part := sha256.New()
	counted := &counter{w: io.MultiWriter(p.file, p.hash, part)}
	form, err := write(counted)
	if err != nil {
		p.hash = before
		_, seekErr := p.file.Seek(p.size, io.SeekStart)
		return errors.Join(err, p.file.Truncate(p.size), seekErr)
	}
	at.Offset, at.Form = p.size, form
	at.Part = remote.Content{Sum: remote.Sum(part.Sum(nil)), Size: counted.n}
	p.size += counted.n
	p.parts[d] = at
	return nil
}

// seal returns the finished parcel as content, and where its parts are.
func (p *parcel) seal() (remote.Content, map[cache.Digest]spot) {
	c := remote.Content{Sum: remote.Sum(p.hash.Sum(nil)), Size: p.size}
	for d, at := range p.parts {
		at.Parcel = c
		p.parts[d] = at
	}
	return c, p.parts
}

// open opens the bytes from their beginning.
func (p *parcel) open() (io.ReadCloser, error) { return os.Open(p.file.Name()) }

// remove gives up the file.
func (p *parcel) remove() { _ = errors.Join(p.file.Close(), os.Remove(p.file.Name())) }

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}
