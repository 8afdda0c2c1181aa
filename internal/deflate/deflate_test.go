package deflate

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/dibgraph/dibgraph/internal/deflate/inflate"
)

// check encodes data with an encoder, which may have been used, and returns the
// result: a reader with a small window gives the data back, the standard library
// too, a new encoder does the same, and so much room is enough, but a byte less
// is not.
func check(t interface {
	Helper()
	Fatalf(string, ...any)
}, e *Encoder, data []byte) []byte {
	t.Helper()
	to := make([]byte, len(data)+len(data)/1000+100)
	n, ok := e.Encode(to, data)
	if !ok {
		t.Fatalf("%d bytes do not fit into %d", len(data), len(to))
	}
	encoded := to[:n]
	if got, used, err := inflate.Data(encoded, Window); err != nil || used != n || !bytes.Equal(got, data) {
		t.Fatalf("%d bytes: %v; %d bytes, of %d used %d", len(data), err, len(got), n, used)
	}
	if got, err := io.ReadAll(flate.NewReader(bytes.NewReader(encoded))); err != nil || !bytes.Equal(got, data) {
		t.Fatalf("%d bytes, by the standard library: %v; %d bytes", len(data), err, len(got))
	}
	exact := append(make([]byte, n), "untouched"...)
	if n, ok := new(Encoder).Encode(exact[:n], data); !ok || !bytes.Equal(exact[:n], encoded) {
		t.Fatalf("%d bytes: a new encoder makes %d others (%t), want %d", len(data), n, ok, len(encoded))
	}
	if string(exact[n:]) != "untouched" {
		t.Fatalf("%d bytes: written behind the end", len(data))
	}
	if n, ok := e.Encode(exact[:n-1], data); ok {
		t.Fatalf("%d bytes: %d of %d written", len(data), n, len(encoded))
	}
	if string(exact[n:]) != "untouched" {
		t.Fatalf("%d bytes: written behind the end of what is too small", len(data))
	}
	return encoded
}

// All sizes around those of blocks, chunks and clusters, of all kinds of data.
// The bounds keep the results from getting worse by mistake.
func TestEncode(t *testing.T) {
	e := new(Encoder)
	for _, test := range []struct {
		name string
		data func(n int) []byte
		most float64 // of the size
	}{
		{"zero", func(n int) []byte { return make([]byte, n) }, 0.005},
		{"equal", func(n int) []byte { return bytes.Repeat([]byte{200}, n) }, 0.005},
		{"noise", func(n int) []byte { return noise(1, n) }, 1.001},
		{"text", func(n int) []byte { return text(2, n) }, 0.55},
		{"few symbols", func(n int) []byte { return skewed(3, n) }, 0.45},
		{"edge of the window", func(n int) []byte { return repeated(noise(4, Window), n) }, 0.15},
		{"beyond the window", func(n int) []byte { return repeated(noise(5, Window+1), n) }, 1.001},
		{"noise, then text", func(n int) []byte { return append(noise(6, n/2), text(7, n-n/2)...) }, 0.9},
	} {
		for _, n := range []int{
			0, 1, 2, 3, 4, 5, 7, 8, 9, 100, 512, 4094, 4095, 4096, 4097, 10_000,
			blockSize - 1, blockSize, blockSize + 1, blockSize + 4, chunkSize - 1, chunkSize, chunkSize + 1, chunkSize + blockSize + 5, 2 << 20,
		} {
			data := test.data(n)
			encoded := check(t, e, data)
			if n >= blockSize && float64(len(encoded)) > test.most*float64(n) {
				t.Errorf("%s: %d of %d bytes, want %.3f at most", test.name, len(encoded), n, test.most)
			}
		}
	}
}

// Data of pieces that are new, or copied from close to the edges of the window
// and of matches.
func TestEncodeProperty(t *testing.T) {
	e := new(Encoder)
	rapid.Check(t, func(t *rapid.T) {
		var data []byte
		for range rapid.IntRange(0, 40).Draw(t, "pieces") {
			n := rapid.OneOf(rapid.IntRange(1, 20), rapid.IntRange(250, 270), rapid.IntRange(1, 5000)).Draw(t, "length")
			seed := rapid.IntRange(0, 5).Draw(t, "seed")
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				data = append(data, noise(seed, n)...)
			case 1:
				data = append(data, text(seed, n)...)
			case 2:
				data = append(data, skewed(seed, n)...)
			case 3:
				distance := rapid.OneOf(rapid.IntRange(1, 10), rapid.IntRange(Window-5, Window+5), rapid.IntRange(1, 70_000)).Draw(t, "distance")
				for range n {
					if distance <= len(data) {
						data = append(data, data[len(data)-distance])
					}
				}
			}
		}
		check(t, e, data)
	})
}

func FuzzEncode(f *testing.F) {
	for _, seed := range [][]byte{nil, {0}, []byte("aaaaaaaaaaaaaaaaaaab"), text(1, 3000), noise(2, 300), skewed(3, 5000)} {
		f.Add(seed, uint32(0))
		f.Add(seed, uint32(70_000))
	}
	f.Fuzz(func(t *testing.T, data []byte, size uint32) {
		if n := int(size % (chunkSize + blockSize)); n > len(data) && len(data) > 0 {
			data = repeated(data, n)
		}
		e := new(Encoder)
		e.Encode(make([]byte, 100_000), text(4, 70_000))
		check(t, e, data)
	})
}

// Codes are complete and within the limit, and as good as they can be where
// the limit does not matter: the sum of the weights of all inner nodes is a
// code's cost.
func TestCode(t *testing.T) {
	fibonacci := make([]uint32, 30)
	fibonacci[0], fibonacci[1] = 1, 1
	for i := range fibonacci[2:] {
		fibonacci[i+2] = fibonacci[i] + fibonacci[i+1]
	}
	for _, test := range []struct {
		name   string
		counts []uint32
		limit  int
		cost   int // 0 if only the limit counts
	}{
		{"none", make([]uint32, 30), 14, 0},
		{"the first", []uint32{5, 0, 0}, 14, 5},
		{"another", []uint32{0, 0, 5}, 14, 5},
		{"two", []uint32{0, 7, 5}, 14, 12},
		{"equal", []uint32{1, 1, 1, 1, 1, 1, 1, 1}, 7, 24},
		{"skewed", []uint32{1, 1, 2, 4}, 7, 1*3 + 1*3 + 2*2 + 4},
		{"too deep", fibonacci[:22], 14, 0},
		{"far too deep", fibonacci[:19], 7, 0},
		{"full", []uint32{1, 1, 1, 1, 1, 1, 9, 9, 9, 9, 9, 9, 9, 9, 90, 90, 90, 90, 900}, 5, 0},
	} {
		var c code
		c.make(test.counts, test.limit)
		sum, cost := 0, 0
		for i, length := range c.lengths {
			if int(length) > test.limit {
				t.Errorf("%s: symbol %d has %d bits, more than %d", test.name, i, length, test.limit)
			}
			if length > 0 {
				sum += 1 << (16 - length)
			}
			if i < len(test.counts) {
				cost += int(test.counts[i]) * int(length)
				if test.counts[i] > 0 && length == 0 {
					t.Errorf("%s: symbol %d has no code", test.name, i)
				}
			}
		}
		if sum != 1<<16 || test.cost > 0 && cost != test.cost {
			t.Errorf("%s: %v is 1/65536 times %d, cost %d, want %d", test.name, c.lengths[:len(test.counts)], sum, cost, test.cost)
		}
	}
}

// The fixed tables are what the format says at their edges.
func TestSymbols(t *testing.T) {
	for _, test := range []struct{ length, symbol, extra int }{
		{3, 257, 0}, {10, 264, 0}, {11, 265, 1}, {12, 265, 1}, {13, 266, 1}, {18, 268, 1}, {19, 269, 2}, {130, 280, 4}, {131, 281, 5}, {257, 284, 5}, {258, 285, 0},
	} {
		symbol := lengthSymbols[test.length-3]
		if got, extra := 257+int(symbol), int(lengthExtra(symbol)); got != test.symbol || extra != test.extra {
			t.Errorf("length %d: symbol %d with %d bits, want %d with %d", test.length, got, extra, test.symbol, test.extra)
		}
	}
	for _, test := range []struct{ distance, symbol, extra int }{
		{1, 0, 0}, {4, 3, 0}, {5, 4, 1}, {6, 4, 1}, {7, 5, 1}, {8, 5, 1}, {9, 6, 2}, {256, 15, 6}, {257, 16, 7}, {2048, 21, 9}, {2049, 22, 10}, {3072, 22, 10}, {3073, 23, 10}, {4096, 23, 10},
	} {
		symbol := int(distanceTable[distanceIndex(test.distance-1)])
		if extra := int(distanceExtra(symbol)); symbol != test.symbol || extra != test.extra {
			t.Errorf("distance %d: symbol %d with %d bits, want %d with %d", test.distance, symbol, extra, test.symbol, test.extra)
		}
	}
}

// An encoder takes no memory but its own.
func TestAllocations(t *testing.T) {
	e, to, data := new(Encoder), make([]byte, chunkSize), text(1, chunkSize)
	e.Encode(to, data)
	if n := testing.AllocsPerRun(10, func() { e.Encode(to, data) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func noise(seed, n int) []byte {
	data := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(seed)}).Read(data)
	return data
}

// text has matches of a few bytes at all distances.
func text(seed, n int) (b []byte) {
	r := rand.New(rand.NewPCG(uint64(seed), 0))
	for len(b) < n {
		b = fmt.Appendf(b, "%x ", int(900*r.Float64()*r.Float64())*7919)
	}
	return b[:n]
}

// skewed has symbols of which each occurs about half as often as the one before,
// so that codes are longer than the limit.
func skewed(seed, n int) []byte {
	r := rand.New(rand.NewPCG(uint64(seed), 1))
	b := make([]byte, n)
	for i := range b {
		for r.Uint32()&1 == 0 {
			b[i]++
		}
	}
	return b
}

func repeated(data []byte, n int) []byte {
	return bytes.Repeat(data, n/len(data)+1)[:n]
}
