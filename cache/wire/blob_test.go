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

	"github.com/dibgraph/dibgraph/internal/faultcount"
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

func TestFaultsPoisonBlobs(t *testing.T) {
	suite := faultcount.New(t, "poison")
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
		why      string
	}{
		"unknown":             {"gzip", 1, []byte("x"), "no encoding"},
		"bomb":                {Zstd, 100, pack(make([]byte, 10<<20)), "more bytes than was said"},
		"too short":           {Zstd, 100, pack(make([]byte, 99)), "unexpected EOF"},
		"raw too long":        {Raw, 2, []byte("xxx"), "more bytes than was said"},
		"raw too short":       {Raw, 4, []byte("xxx"), "unexpected EOF"},
		"not compressed":      {Zstd, 4, []byte("xxxx"), "magic number"},
		"sparse: nothing":     {Sparse, 4, pack(nil), "EOF"},
		"sparse: many":        {Sparse, 4, pack([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}), "cannot be read"},
		"sparse: beyond":      {Sparse, 4, pack([]byte{1, 2, 3, 'x', 'x', 'x'}), "not in order"},
		"sparse: overlap":     {Sparse, 9, pack([]byte{2, 0, 3, 2, 2, 'x', 'x', 'x', 'x', 'x'}), "not in order"},
		"sparse: empty part":  {Sparse, 9, pack([]byte{1, 0, 0}), "not in order"},
		"sparse: too short":   {Sparse, 9, pack([]byte{1, 0, 3, 'x'}), "unexpected EOF"},
		"sparse: more behind": {Sparse, 9, pack([]byte{1, 0, 1, 'x', 'y'}), "more bytes than was said"},
	} {
		t.Run(name, func(t *testing.T) {
			suite.Case()
			var n int64
			r, err := DecodeBlob(t.Context(), bytes.NewReader(test.data), test.encoding, test.size)
			if err == nil {
				defer r.Close()
				n, err = io.Copy(io.Discard, r)
			}
			if err == nil || n > test.size || !strings.Contains(err.Error(), test.why) {
				suite.Wrong(t, "%d bytes were given of %d; refused because %v; want %q", n, test.size, err, test.why)
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
