package cache

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// Import stores a record of another store, of which the stack was found here.
// What it names is in the store, or has [Places], as for Put. Origin, which must
// not be empty, says where it is from.
//
// A record of the same key that was made here stays, if what it names is here:
// two runs can leave different results, and what came after was made on this one.
func (s *Store) Import(r *Record, origin json.RawMessage) error {
	if here, err := s.Lookup(r.Key); err == nil && len(here.Origin) == 0 {
		return nil
	}
	imported := *r
	imported.Origin = origin
	return s.Put(&imported)
}

// Content returns all layers and blobs that a record names, bottom layer first,
// with the texts of its inputs, each once.
func (r *Record) Content() (layers []Digest, blobs []Blob) {
	layers, _ = r.Tree()
	seen := make(map[Digest]bool)
	add := func(b Blob) bool {
		if !b.Digest.IsZero() && !seen[b.Digest] {
			seen[b.Digest] = true
			blobs = append(blobs, b)
		}
		return true
	}
	r.blobs(add)
	for _, b := range r.Texts {
		add(b)
	}
	return Distinct(layers), blobs
}

// ImportLayer makes a directory below one that TempDir made the layer that has
// the digest, as CommitLayer does with the upper directory of an overlay. The
// content of volatile files, which are named by their paths, is no part of the
// digest. A directory that is another layer is ErrDamaged, and stays where it is.
func (s *Store) ImportLayer(dir string, want Digest, volatile map[string]bool) error {
	e, err := s.begin()
	if err != nil {
		return err
	}
	defer e.end()
	tree := &scan{root: dir, volatile: func(path string) bool { return volatile[path] }}
	if err := tree.run(); err != nil {
		return fmt.Errorf("import layer: %w", err)
	}
	m := metaOf(&tree.listing)
	if m.Digest != want {
		return damagedLayer(want, "what came is layer "+m.Digest.Short())
	}
	return s.adoptLayer(dir, &tree.listing, m)
}

// ImportBlob stores what r gives if that is the blob. Otherwise the error is
// ErrDamaged, and nothing is stored. Long runs of zeros become holes.
func (s *Store) ImportBlob(r io.Reader, want Blob) error {
	_, err := s.putBlob("import", func(tmp string) (Blob, error) {
		got, err := writeSparse(tmp, r)
		if err == nil && got != want {
			err = damagedBlob(want.Digest, fmt.Sprintf("what came has digest %s and %d bytes", got.Digest.Short(), got.Size))
		}
		return got, err
	})
	return err
}

// writeSparse is writeBlob with holes for zeros.
func writeSparse(path string, r io.Reader) (Blob, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o400)
	if err != nil {
		return Blob{}, err
	}
	holes := &holeWriter{f: f}
	d, n, err := copyDigest(holes, r)
	if err == nil {
		err = f.Truncate(n)
	}
	return Blob{d, n}, errors.Join(err, f.Close())
}

// A holeWriter passes over blocks of zeros.
type holeWriter struct {
	f  *os.File
	at int64
}

// holeBlock is the size of the blocks that are looked at, in bytes; filesystems
// have no smaller holes.
const holeBlock = 4096

func (w *holeWriter) Write(p []byte) (int, error) {
	for done := 0; done < len(p); {
		n := holeBlock - int(w.at%holeBlock)
		n = min(n, len(p)-done)
		part := p[done : done+n]
		if !bytes.Equal(part, zeros[:n]) {
			// As many blocks as have content, in one write.
			for done+n < len(p) {
				next := min(holeBlock, len(p)-done-n)
				if bytes.Equal(p[done+n:done+n+next], zeros[:next]) {
					break
				}
				n += next
			}
			if _, err := w.f.WriteAt(p[done:done+n], w.at); err != nil {
				return done, err
			}
		}
		done, w.at = done+n, w.at+int64(n)
	}
	return len(p), nil
}
