package inflate

import (
	"bytes"
	"compress/flate"
	"math/rand/v2"
	"strconv"
	"testing"
)

// The window of the decoder is the proof of the other tests, so it must be
// able to refuse.
func TestInflate(t *testing.T) {
	far := append(noise(1, 5000), noise(1, 5000)...)
	for name, test := range map[string]struct {
		data         []byte
		level, least int
	}{
		"stored": {noise(2, 3000), flate.NoCompression, 0}, "text": {text(3, 9000), flate.BestCompression, 1},
		"huffman": {text(4, 9000), flate.HuffmanOnly, 0}, "fixed": {[]byte("aaaaaaaaaaaaaaab"), 6, 1}, "far": {far, 6, 5000},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			w, _ := flate.NewWriter(&b, test.level)
			w.Write(test.data)
			w.Close()
			used := b.Len()
			b.Write(make([]byte, 100)) // what comes after is not used
			got, n, err := Data(b.Bytes(), 1<<15)
			if err != nil || !bytes.Equal(got, test.data) || n != used {
				t.Errorf("%v, %d bytes of %d, used %d of %d", err, len(got), len(test.data), n, used)
			}
			if test.least > 0 {
				if _, _, err := Data(b.Bytes(), test.least-1); err == nil {
					t.Errorf("a window of %d is enough", test.least-1)
				}
			}
		})
	}
}

// noise returns n bytes that no compressor makes fewer.
func noise(seed, n int) []byte {
	data := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(seed)}).Read(data)
	return data
}

// text returns n bytes with matches at all distances.
func text(seed, n int) (b []byte) {
	r := rand.New(rand.NewPCG(uint64(seed), 0))
	for len(b) < n {
		b = strconv.AppendInt(b, int64(900*r.Float64()*r.Float64()), 10)
	}
	return b[:n]
}
