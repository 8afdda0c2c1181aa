package qcow2

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const k = 1 << 10

// Sizes and places around the boundaries of sectors, clusters and tables. For
// clusters of 512 bytes an L2 table maps 32 KiB, a refcount block counts 128 KiB.
var tests = map[string]struct {
	size  int64
	parts []part
}{
	"empty":                  {0, nil},
	"one byte":               {1, []part{{0, []byte{1}}}},
	"a hole":                 {10 << 20, nil},
	"zeros on disk":          {300 * k, []part{{0, make([]byte, 200*k)}}},
	"not a sector":           {70_001, []part{{0, text(1, 70_001)}}},
	"less than a cluster":    {64*k + 512, []part{{64 * k, text(2, 512)}}},
	"a cluster less a byte":  {64*k - 1, []part{{0, text(3, 64*k-1)}}},
	"a byte after a hole":    {256 * k, []part{{200_000, []byte{1}}}},
	"noise":                  {200 * k, []part{{0, noise(4, 200*k)}}},
	"text":                   {1 << 20, []part{{0, text(5, 1<<20)}}},
	"text between noise":     {640 * k, slices.Concat(mixed(0, 64*k, 10))},
	"one value":              {4 << 20, []part{{0, bytes.Repeat([]byte{7}, 4<<20)}}},
	"blocks in turns":        {1 << 20, slices.Concat(every(8*k, 4*k, 1<<20))},
	"end of an L2 table":     {513 << 20, []part{{512<<20 - 100*k, text(6, 200*k)}}},
	"three L2 tables of six": {3000 << 20, []part{{0, text(7, k)}, {1600 << 20, noise(8, 70*k)}, {3000<<20 - 1, []byte{9}}}},
}

func mixed(at int64, size, n int) (parts []part) {
	for i := range n {
		data := text(i, size)
		if i%3 == 0 {
			data = noise(i, size)
		}
		parts = append(parts, part{at + int64(i*size), data})
	}
	return parts
}

func every(step, length int64, end int64) (parts []part) {
	for at := int64(0); at < end; at += step {
		parts = append(parts, part{at, text(int(at), int(length))})
	}
	return parts
}

var variants = []Options{
	{}, {ClusterSize: 512}, {ClusterSize: 2 << 20}, {ClusterSize: 4 * k, Workers: 3},
	{Compression: Zstd}, {Compression: Zstd, Level: 1, ClusterSize: 512}, {Compression: Zstd, Level: 7, ClusterSize: 2 << 20},
	{Compression: None}, {Compression: None, ClusterSize: 512},
}

func TestWrite(t *testing.T) {
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			raw := sparse(t, dir, test.size, test.parts...)
			for i, o := range variants {
				if testing.Short() && i%3 != 0 {
					continue // with the race detector each takes seconds
				}
				t.Run(fmt.Sprintf("%s %d %d", o.Compression, o.Level, o.ClusterSize), func(t *testing.T) {
					image := filepath.Join(dir, "image")
					if err := writeFile(t.Context(), image, raw, o); err != nil {
						t.Fatal(err)
					}
					checkImage(t, image, test.size, test.parts, o)
					needQemu(t)
					checkQemu(t, raw, image)
				})
			}
		})
	}
}

// checkImage reads the image without qemu-img.
func checkImage(t test, image string, size int64, parts []part, o Options) *reader {
	t.Helper()
	file, err := os.ReadFile(image)
	if err != nil {
		t.Fatal(err)
	}
	r, err := readImage(file)
	if err != nil {
		t.Fatal(err)
	}
	if r.size != (size+511)/512*512 {
		t.Errorf("the disk has %d bytes, the raw file %d", r.size, size)
	}
	want := clusters(parts, r.clusterSize)
	for i, data := range want {
		if !bytes.Equal(r.guest[i], data) {
			t.Fatalf("guest cluster %d is another", i)
		}
	}
	if len(r.guest) != len(want) {
		t.Errorf("%d guest clusters are stored, want %d", len(r.guest), len(want))
	}
	if o.Compression == None && r.compressed > 0 {
		t.Errorf("%d clusters are compressed", r.compressed)
	}
	if wantLength := map[bool]uint32{true: 112, false: 104}[o.Compression == Zstd]; r.length != wantLength {
		t.Errorf("header of %d bytes, want %d", r.length, wantLength)
	}
	if (r.features != 0) != (o.Compression == Zstd) {
		t.Errorf("incompatible features %#x", r.features)
	}
	return r
}

// clusters returns what is not zero.
func clusters(parts []part, size int64) map[int64][]byte {
	all := make(map[int64][]byte)
	for _, p := range parts {
		for at, data := p.at, p.data; len(data) > 0; {
			c := all[at/size]
			if c == nil {
				c = make([]byte, size)
				all[at/size] = c
			}
			n := copy(c[at%size:], data)
			at, data = at+int64(n), data[n:]
		}
	}
	maps.DeleteFunc(all, func(_ int64, c []byte) bool { return bytes.Equal(c, make([]byte, size)) })
	return all
}

// What does not become smaller is stored as it is.
func TestWriteIncompressible(t *testing.T) {
	for _, o := range []Options{{}, {Compression: Zstd}} {
		dir := t.TempDir()
		parts := mixed(0, 64*k, 10)
		image := filepath.Join(dir, "image")
		if err := writeFile(t.Context(), image, sparse(t, dir, 640*k, parts...), o); err != nil {
			t.Fatal(err)
		}
		if r := checkImage(t, image, 640*k, parts, o); r.standard != 4 || r.compressed != 6 {
			t.Errorf("%+v: %d standard, %d compressed clusters, want 4 and 6", o, r.standard, r.compressed)
		}
	}
}

// The number of workers does not show in the bytes, nor does where the
// filesystem has holes.
func TestWriteDeterministic(t *testing.T) {
	dir := t.TempDir()
	parts := append(mixed(0, 100_000, 40), part{40 << 20, text(9, 1<<20)})
	sparseRaw := sparse(t, dir, 50<<20, parts...)
	dense := sparse(t, dir, 50<<20, append([]part{{0, make([]byte, 50<<20)}}, parts...)...)
	counts := []int{1, 2, 3, 16}
	if testing.Short() {
		counts = []int{1, 3}
	}
	for _, compression := range []string{Zlib, Zstd, None} {
		var first []byte
		for _, workers := range counts {
			for _, raw := range []string{sparseRaw, dense} {
				image := filepath.Join(dir, "image")
				if err := writeFile(t.Context(), image, raw, Options{Compression: compression, Workers: workers}); err != nil {
					t.Fatal(err)
				}
				data, err := os.ReadFile(image)
				if err != nil {
					t.Fatal(err)
				}
				if first == nil {
					first = data
				}
				if !bytes.Equal(data, first) {
					t.Errorf("%s with %d workers: another image", compression, workers)
				}
			}
		}
	}
}

// What was in the file before does not show through.
func TestWriteOver(t *testing.T) {
	dir := t.TempDir()
	image := sparse(t, dir, 1<<20, part{0, noise(1, 1<<20)})
	parts := mixed(0, 64*k, 5)
	if err := writeFile(t.Context(), image, sparse(t, dir, 320*k, parts...), Options{}); err != nil {
		t.Fatal(err)
	}
	w, err := os.OpenFile(image, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	raw, err := os.Open(sparse(t, dir, 640*k, mixed(0, 64*k, 10)...))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if err := Write(t.Context(), w, raw, Options{}); err != nil {
		t.Fatal(err)
	}
	checkImage(t, image, 640*k, mixed(0, 64*k, 10), Options{})
}

func TestWriteErrors(t *testing.T) {
	dir := t.TempDir()
	for _, test := range []struct {
		o    Options
		size int64
		want string
	}{
		{Options{ClusterSize: 1000}, 0, "cluster size 1000 is not a power of two"},
		{Options{ClusterSize: 256}, 0, "from 512 to"},
		{Options{ClusterSize: 4 << 20}, 0, "from 512 to"},
		{Options{ClusterSize: -512}, 0, "from 512 to"},
		{Options{Compression: "lzma"}, 0, `"lzma" is none of`},
		{Options{Level: 6}, 0, "level 6"},
		{Options{Compression: Zstd, Level: 23}, 0, "level 23"},
		{Options{Compression: Zstd, Level: -1}, 0, "level -1"},
		{Options{Workers: -1}, 0, "workers"},
		{Options{ClusterSize: 512}, 128<<30 + 1, "at most 137438953472"},
	} {
		image := filepath.Join(dir, "image")
		err := writeFile(t.Context(), image, sparse(t, dir, test.size), test.o)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v, want %q", test.o, err, test.want)
		}
		if test.size == 0 && test.o.Check() == nil {
			t.Errorf("%+v: Check finds nothing", test.o)
		}
	}
}
