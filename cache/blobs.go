package cache

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A Blob is the digest and the size of a file's bytes. The zero Blob stands for
// no file; an empty file has a digest.
type Blob struct {
	Digest Digest `json:"digest,omitzero"`
	Size   int64  `json:"size,omitzero"`
}

// PutBlob stores what r gives until its end.
func (s *Store) PutBlob(r io.Reader) (Blob, error) {
	return s.putBlob("put", func(tmp string) (Blob, error) { return writeBlob(tmp, r) })
}

// PutAll is PutBlob for what can be read again if there is no room at first. It
// stores all of r, wherever that is.
func (s *Store) PutAll(r io.ReadSeeker) (blob Blob, err error) {
	err = s.withRoom(func() error {
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			return err
		}
		blob, err = s.PutBlob(r)
		return err
	})
	return blob, err
}

// putBlob stores the file that write makes. Errors begin with what is done.
func (s *Store) putBlob(doing string, write func(tmp string) (Blob, error)) (Blob, error) {
	e, err := s.begin()
	if err != nil {
		return Blob{}, err
	}
	defer e.end()
	tmp := s.owner.name("blob")
	blob, err := write(tmp)
	if err == nil {
		err = s.adoptBlob(tmp, blob)
	}
	if err != nil {
		return Blob{}, errors.Join(fmt.Errorf("%s blob: %w", doing, err), removeIfThere(tmp))
	}
	return blob, nil
}

// PutBytes stores b.
func (s *Store) PutBytes(b []byte) (Blob, error) {
	return s.PutAll(bytes.NewReader(b))
}

// PutFile moves a finished file into the store. The file must be below a
// directory that TempDir made, and nobody may have it open for writing. Holes
// of a sparse file stay holes, and are not read. On an error the file is
// still where it was.
func (s *Store) PutFile(path string) (Blob, error) {
	e, err := s.begin()
	if err != nil {
		return Blob{}, err
	}
	defer e.end()
	blob, err := s.putFile(path)
	if err != nil {
		return Blob{}, fmt.Errorf("put file %q: %w", path, err)
	}
	return blob, nil
}

func (s *Store) putFile(path string) (Blob, error) {
	// Elsewhere the rename could fail, or take away a file of the user's.
	if !strings.HasPrefix(filepath.Clean(path), s.path(tmpDir)+"/") {
		return Blob{}, fmt.Errorf("it is not below %q", s.path(tmpDir))
	}
	info, err := os.Lstat(path)
	if err != nil {
		return Blob{}, err
	}
	if !info.Mode().IsRegular() {
		return Blob{}, errors.New("it is not a regular file")
	}
	blob := Blob{Size: info.Size()}
	if blob.Digest, err = digestFile(path, blob.Size); err != nil {
		return Blob{}, err
	}
	return blob, s.withRoom(func() error { return s.adoptBlob(path, blob) })
}

// OpenBlob opens a blob for reading; the caller closes it. A blob that is not
// there, and cannot be supplied, is ErrMissing.
func (s *Store) OpenBlob(d Digest) (*os.File, error) {
	f, err := os.Open(s.BlobPath(d))
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	if err := s.supplyBlob(d); err != nil {
		return nil, err
	}
	return os.Open(s.BlobPath(d))
}

// BlobFile returns the file that a blob is in, after it was supplied if need be.
// It must not be changed. Errors are as for OpenBlob.
func (s *Store) BlobFile(d Digest) (string, error) {
	if err := s.lease(d, func() error { return nil }); err != nil {
		return "", err
	}
	f, err := s.OpenBlob(d)
	if err != nil {
		return "", err
	}
	return f.Name(), f.Close()
}

// BlobPath returns where the blob is, if it is there. The file must not be changed.
func (s *Store) BlobPath(d Digest) string { return s.hashPath(blobsDir, d) }

// HasBlob returns the blob of a digest, and whether it is in the store.
func (s *Store) HasBlob(d Digest) (Blob, bool) {
	info, err := os.Lstat(s.BlobPath(d))
	if err != nil || !info.Mode().IsRegular() {
		return Blob{}, false
	}
	return Blob{Digest: d, Size: info.Size()}, true
}

// ReadBlob returns the bytes of a blob, which is supplied if need be. They are
// hashed again: a blob that is not what was put goes to quarantine and is
// ErrMissing.
func (s *Store) ReadBlob(d Digest) ([]byte, error) {
	f, err := s.OpenBlob(d)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	if got := DigestBytes(b); got != d {
		s.quarantine(s.BlobPath(d), "blob")
		return nil, damagedBlob(d, "its content has digest "+got.Short())
	}
	return b, nil
}

// checkBlob compares the size, which is all that can be known without reading.
func (s *Store) checkBlob(b Blob) error {
	if b.Digest.IsZero() {
		return nil
	}
	info, err := os.Lstat(s.BlobPath(b.Digest))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return missingBlob(b.Digest)
	case s.readOnly && errors.Is(err, fs.ErrPermission):
		return nil // there or not: that is not for this user to know
	case err != nil:
		return err
	case !info.Mode().IsRegular() || info.Size() != b.Size:
		return damagedBlob(b.Digest, fmt.Sprintf("it is a file of %d bytes, not %d", info.Size(), b.Size))
	}
	return nil
}

func writeBlob(path string, r io.Reader) (Blob, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o400)
	if err != nil {
		return Blob{}, err
	}
	d, n, err := copyDigest(f, r)
	return Blob{d, n}, errors.Join(err, f.Close())
}

// adoptBlob moves a hashed file to its place. A blob that is there already
// stays, unless its size shows that it is damaged.
func (s *Store) adoptBlob(path string, b Blob) error {
	err := s.lease(b.Digest, func() error { return s.checkBlob(b) })
	if err == nil {
		return os.Remove(path)
	}
	if !errors.Is(err, ErrMissing) {
		return err
	}
	if err := os.Chmod(path, 0o400); err != nil {
		return err
	}
	place := s.BlobPath(b.Digest)
	return s.publishWith(path, place, func() error { return publish(path, place) })
}

func missingBlob(d Digest) error { return &contentError{what: "blob " + d.Short()} }

func damagedBlob(d Digest, how string) error {
	return &contentError{what: "blob " + d.Short(), damage: how}
}
