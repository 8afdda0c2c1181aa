package cache

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

func TestBlobComesBack(t *testing.T) {
	s := newStore(t)
	rapid.Check(t, func(t *rapid.T) {
		content := rapid.SliceOf(rapid.Byte()).Draw(t, "content")
		b, err := s.PutBytes(content)
		if err != nil || b != (Blob{DigestBytes(content), int64(len(content))}) {
			t.Fatalf("PutBytes = %v, %v", b, err)
		}
		got, err := s.ReadBlob(b.Digest)
		if err != nil || !bytes.Equal(got, content) {
			t.Fatalf("ReadBlob = %q, %v, want %q", got, err, content)
		}
		f, err := s.OpenBlob(b.Digest)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, content) {
			t.Fatalf("OpenBlob gives %q, %v, want %q", got, err, content)
		}
	})
}

func TestBlobIsReadOnly(t *testing.T) {
	s := newStore(t)
	b := must[Blob](t)(s.PutBytes([]byte("x")))
	if info := must[fs.FileInfo](t)(os.Stat(s.BlobPath(b.Digest))); info.Mode() != 0o400 {
		t.Errorf("mode = %v", info.Mode())
	}
}

func TestPutBlobError(t *testing.T) {
	s := newStore(t)
	_, err := s.PutBlob(io.MultiReader(strings.NewReader("half"), iotest.ErrReader(io.ErrNoProgress)))
	if !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("error = %v", err)
	}
	if names := must[[]string](t)(readNames(s.owner.dir)); len(names) != 1 {
		t.Errorf("left in tmp: %q, want the lock only", names)
	}
	if names := must[[]string](t)(readNames(s.path(blobsDir))); len(names) != 0 {
		t.Errorf("blobs has %q", names)
	}
}

func TestMissingBlob(t *testing.T) {
	s := newStore(t)
	_, openErr := s.OpenBlob(DigestBytes(nil))
	_, readErr := s.ReadBlob(Digest{})
	for _, err := range []error{openErr, readErr} {
		if !errors.Is(err, ErrMissing) || errors.Is(err, ErrDamaged) {
			t.Errorf("error = %v, want ErrMissing", err)
		}
	}
}

func TestDamagedBlob(t *testing.T) {
	s := newStore(t)
	b := must[Blob](t)(s.PutBytes([]byte("good")))
	overwrite(t, s.BlobPath(b.Digest), "evil")
	if _, err := s.ReadBlob(b.Digest); !errors.Is(err, ErrMissing) || !errors.Is(err, ErrDamaged) {
		t.Errorf("ReadBlob of a changed blob: %v", err)
	}
	if exists(s.BlobPath(b.Digest)) {
		t.Error("it is still there")
	}
	if names := must[[]string](t)(readNames(s.path(quarantineDir))); len(names) != 1 {
		t.Errorf("quarantine has %q", names)
	}
	// A blob that was cut off is replaced by the next who puts it.
	must[Blob](t)(s.PutBytes([]byte("good")))
	overwrite(t, s.BlobPath(b.Digest), "g")
	must[Blob](t)(s.PutBytes([]byte("good")))
	if got := must[[]byte](t)(s.ReadBlob(b.Digest)); string(got) != "good" {
		t.Errorf("the blob is %q", got)
	}
}

// overwrite changes a file of the store, as a bad disk would.
func overwrite(t *testing.T, path, content string) {
	t.Helper()
	check(t, os.Chmod(path, 0o600))
	check(t, os.WriteFile(path, []byte(content), 0o600))
}

// A sparse file has the digest of its bytes, wherever the holes are, and keeps
// its holes.
func TestPutFileSparse(t *testing.T) {
	const mib = 1 << 20
	for _, test := range []struct {
		name string
		size int64
		data map[int64]string
	}{
		{"empty", 0, nil},
		{"small", 5, map[int64]string{0: "12345"}},
		{"one hole", 3 * mib, nil},
		{"hole first", 3*mib + 7, map[int64]string{3 * mib: "the end"}},
		{"hole last", 5 * mib, map[int64]string{0: "the start"}},
		{"holes between", 9*mib + 1, map[int64]string{2 * mib: "a", 4*mib + 100: "b", 9 * mib: "c"}},
		{"full buffer", 2 * mib, map[int64]string{0: strings.Repeat("x", 2*mib)}},
		{"one more than a buffer", mib + 1, map[int64]string{0: strings.Repeat("y", mib+1)}},
		{"exactly a buffer", mib, map[int64]string{0: strings.Repeat("z", mib)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStore(t)
			path := must[string](t)(s.TempDir("x")) + "/file"
			f := must[*os.File](t)(os.Create(path))
			check(t, f.Truncate(test.size))
			for at, text := range test.data {
				_, err := f.WriteAt([]byte(text), at)
				check(t, err)
			}
			check(t, f.Close())
			want := DigestBytes(must[[]byte](t)(os.ReadFile(path)))
			blocks := allocated(t, path)

			b := must[Blob](t)(s.PutFile(path))
			if b != (Blob{want, test.size}) {
				t.Errorf("PutFile = %v, want %v of %d bytes", b, want, test.size)
			}
			if exists(path) {
				t.Error("the file was not moved")
			}
			if got := allocated(t, s.BlobPath(b.Digest)); got != blocks {
				t.Errorf("%d blocks are allocated, want %d", got, blocks)
			}
			if got := DigestBytes(must[[]byte](t)(s.ReadBlob(b.Digest))); got != want {
				t.Errorf("read back: %s", got)
			}
		})
	}
}

// The size is part of what is known of a file; one that changes has no digest.
func TestDigestFileOfAnotherSize(t *testing.T) {
	for _, size := range []int64{5, bufferSize, 2*bufferSize + 1} {
		path := t.TempDir() + "/file"
		check(t, os.WriteFile(path, make([]byte, size), 0o600))
		want := DigestBytes(make([]byte, size))
		if got, err := digestFile(path, size); got != want || err != nil {
			t.Errorf("digestFile of %d bytes = %s, %v, want %s", size, got, err, want)
		}
		for _, claimed := range []int64{0, size - 1, size + 1, 3 * bufferSize} {
			if got, err := digestFile(path, claimed); err == nil {
				t.Errorf("digestFile of %d bytes as if they were %d = %s, want an error", size, claimed, got)
			}
		}
	}
}

func allocated(t *testing.T, path string) int64 {
	var st unix.Stat_t
	check(t, unix.Stat(path, &st))
	return st.Blocks
}

func TestPutFileRefuses(t *testing.T) {
	s := newStore(t)
	tmp := must[string](t)(s.TempDir("x"))
	outside := t.TempDir() + "/file"
	check(t, os.WriteFile(outside, []byte("mine"), 0o600))
	check(t, os.Symlink(outside, tmp+"/link"))
	for _, path := range []string{outside, tmp + "/../../../../file", tmp + "/link", tmp, tmp + "/nothing"} {
		if b, err := s.PutFile(path); err == nil {
			t.Errorf("PutFile(%q) = %v, want an error", path, b)
		}
	}
	if !exists(outside) || !exists(tmp+"/link") {
		t.Error("a refused file was moved")
	}
}

func TestPutTwiceAtOnce(t *testing.T) {
	s := newStore(t)
	content := bytes.Repeat([]byte("same"), 100_000)
	errs := make(chan error)
	for range 8 {
		go func() {
			_, err := s.PutBytes(content)
			errs <- err
		}()
	}
	for range 8 {
		check(t, <-errs)
	}
	if got := must[[]byte](t)(s.ReadBlob(DigestBytes(content))); !bytes.Equal(got, content) {
		t.Errorf("%d bytes came back", len(got))
	}
}
