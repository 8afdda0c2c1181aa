package wire

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

func random(size int) []byte {
	data := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(data) // never fails
	return data
}

// makeFile makes a file of that size with data at offsets.
func makeFile(t testing.TB, size int64, data map[int64][]byte) *os.File {
	t.Helper()
	f, err := os.Create(t.TempDir() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	for at, part := range data {
		if _, err := f.WriteAt(part, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestBlobsArriveAsTheyWere(t *testing.T) {
	text := []byte(strings.Repeat("a line of text\n", 10_000))
	noise := random(300_000)
	for name, test := range map[string]struct {
		size     int64
		data     map[int64][]byte
		encoding Encoding
		most     int // bytes transferred
	}{
		"empty":      {0, nil, Raw, 0},
		"one byte":   {1, map[int64][]byte{0: {'x'}}, Raw, 1},
		"text":       {int64(len(text)), map[int64][]byte{0: text}, Zstd, 10_000},
		"noise":      {int64(len(noise)), map[int64][]byte{0: noise}, Raw, len(noise)},
		"small hole": {int64(len(noise)) + 8192, map[int64][]byte{0: noise[:4096], 8192: noise[4096:]}, Raw, len(noise) + 8192},
		"disk":       {64 << 20, map[int64][]byte{0: text, 32 << 20: noise, 64<<20 - 5: []byte("the e")}, Sparse, 400_000},
		"all hole":   {1 << 30, nil, Sparse, 100},
		"hole last":  {64 << 20, map[int64][]byte{0: text}, Sparse, 10_000},
	} {
		t.Run(name, func(t *testing.T) {
			f := makeFile(t, test.size, test.data)
			var b bytes.Buffer
			encoding, err := EncodeBlob(t.Context(), &b, f)
			if err != nil || encoding != test.encoding {
				t.Fatalf("encoding %q, %v; want %q", encoding, err, test.encoding)
			}
			if b.Len() > test.most {
				t.Errorf("%d bytes are transferred, more than %d", b.Len(), test.most)
			}
			r, err := DecodeBlob(t.Context(), &b, encoding, test.size)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if err := equal(r, io.NewSectionReader(f, 0, test.size)); err != nil {
				t.Error(err)
			}
		})
	}
}

func equal(a, b io.Reader) error {
	x, y := make([]byte, 1<<20), make([]byte, 1<<20)
	for {
		n, err := io.ReadFull(a, x)
		m, err2 := io.ReadFull(b, y)
		switch {
		case !bytes.Equal(x[:n], y[:m]):
			return errors.New("the bytes are others")
		case err != err2:
			return errors.Join(err, err2)
		case err != nil:
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				return nil
			}
			return err
		}
	}
}

func TestForgedBlobsAreRefused(t *testing.T) {
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	pack := func(data []byte) []byte { return z.EncodeAll(data, nil) }
	for name, test := range map[string]struct {
		encoding Encoding
		size     int64
		data     []byte
	}{
		"unknown":             {"gzip", 1, []byte("x")},
		"bomb":                {Zstd, 100, pack(make([]byte, 10<<20))},
		"too short":           {Zstd, 100, pack(make([]byte, 99))},
		"raw too long":        {Raw, 2, []byte("xxx")},
		"raw too short":       {Raw, 4, []byte("xxx")},
		"not compressed":      {Zstd, 4, []byte("xxxx")},
		"sparse: nothing":     {Sparse, 4, pack(nil)},
		"sparse: many":        {Sparse, 4, pack([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0x7f})},
		"sparse: beyond":      {Sparse, 4, pack([]byte{1, 2, 3, 'x', 'x', 'x'})},
		"sparse: overlap":     {Sparse, 9, pack([]byte{2, 0, 3, 2, 2, 'x', 'x', 'x', 'x', 'x'})},
		"sparse: empty part":  {Sparse, 9, pack([]byte{1, 0, 0})},
		"sparse: too short":   {Sparse, 9, pack([]byte{1, 0, 3, 'x'})},
		"sparse: more behind": {Sparse, 9, pack([]byte{1, 0, 1, 'x', 'y'})},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := DecodeBlob(t.Context(), bytes.NewReader(test.data), test.encoding, test.size)
			if err != nil {
				return
			}
			defer r.Close()
			n, err := io.Copy(io.Discard, r)
			if err == nil || n > test.size {
				t.Errorf("%d bytes were given of %d, %v", n, test.size, err)
			}
		})
	}
}

func TestEncodingEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	if _, err := EncodeBlob(ctx, io.Discard, makeFile(t, 5, nil)); !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
}
