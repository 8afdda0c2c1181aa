package qcow2

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// written is an image with its index, and what Write said of it.
type written struct {
	image, index []byte
	reuse        Reuse
}

// convert writes an image of parts, with clusters of an earlier one.
func convert(t *testing.T, size int64, parts []part, o Options, earlier *written) *written {
	t.Helper()
	dir := t.TempDir()
	var index bytes.Buffer
	w := &written{reuse: Reuse{Digest: func(b []byte) [DigestSize]byte { return sha256.Sum256(b) }, NewIndex: &index}}
	if earlier != nil {
		w.reuse.Image, w.reuse.Index = bytes.NewReader(earlier.image), earlier.index
	}
	o.Reuse = &w.reuse
	path := filepath.Join(dir, "image")
	if err := writeFile(t.Context(), path, sparse(t, dir, size, parts...), o); err != nil {
		t.Fatal(err)
	}
	checkImage(t, path, size, parts, o)
	var err error
	if w.image, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	w.index = index.Bytes()
	return w
}

// The same bytes with and without an earlier image, the index too, and all that
// is in the earlier one is taken from it.
func TestReuse(t *testing.T) {
	const size = 40 << 16
	first := mixed(0, 64*k, 20)
	moved := mixed(5<<16, 64*k, 20)
	changed := slices.Clone(first)
	changed[4] = part{4 << 16, text(99, 64*k)}
	for _, o := range []Options{{}, {Workers: 1}, {Compression: Zstd, Level: 3}, {ClusterSize: 4 * k}} {
		perPart := int64(1)
		if o.ClusterSize != 0 {
			perPart = 16
		}
		earlier := convert(t, size, first, o, nil)
		if earlier.reuse.Taken != 0 || earlier.reuse.Compressed != 20*perPart {
			t.Errorf("%+v: first: %d taken, %d compressed", o, earlier.reuse.Taken, earlier.reuse.Compressed)
		}
		for name, test := range map[string]struct {
			parts      []part
			compressed int64
		}{
			"the same":    {first, 0},
			"one changed": {changed, perPart},
			"all moved":   {moved, 0},
			"twice":       {slices.Concat(first, mixed(20<<16, 64*k, 20)), 0},
		} {
			t.Run(fmt.Sprintf("%s %d %s", o.Compression, o.ClusterSize, name), func(t *testing.T) {
				fresh := convert(t, size, test.parts, o, nil)
				again := convert(t, size, test.parts, o, earlier)
				if again.reuse.Compressed != test.compressed {
					t.Errorf("%d clusters were compressed, want %d; %d taken", again.reuse.Compressed, test.compressed, again.reuse.Taken)
				}
				if !bytes.Equal(again.image, fresh.image) {
					t.Error("the image is another than without the earlier one")
				}
				if !bytes.Equal(again.index, fresh.index) {
					t.Error("the index is another than without the earlier image")
				}
			})
		}
	}
}

// Whatever is wrong with the earlier image or its index, the new image is right.
func TestReuseDamaged(t *testing.T) {
	const size = 20 << 16
	parts := mixed(0, 64*k, 20)
	good := convert(t, size, parts, Options{}, nil)
	flip := func(data []byte, at int) []byte {
		data = slices.Clone(data)
		data[at] ^= 1
		return data
	}
	body := len(indexLine(Options{Compression: Zlib, ClusterSize: 64 * k}))
	var all []byte // an index with each bit of offsets and lengths set
	all = append(all, good.index...)
	for at := body; at < len(all); at += recordSize {
		for i := DigestSize + checkSize; i < recordSize; i++ {
			all[at+i] = 0xff
		}
	}
	for name, test := range map[string]struct {
		earlier    written
		compressed int64
	}{
		// The first two clusters are of the header and the L1 table.
		"a bit of a cluster":           {written{image: flip(good.image, 128*k+10), index: good.index}, 1},
		"the image is empty":           {written{index: good.index}, 13},
		"the image is cut":             {written{image: good.image[:len(good.image)/2], index: good.index}, -1},
		"the line":                     {written{image: good.image, index: flip(good.index, 3)}, 20},
		"other options":                {written{image: good.image, index: convert(t, size, parts, Options{Compression: Zstd}, nil).index}, 20},
		"the index is empty":           {written{image: good.image}, 20},
		"the index is cut":             {written{image: good.image, index: good.index[:len(good.index)-7]}, 20},
		"offsets out of all bounds":    {written{image: good.image, index: all}, 20},
		"a bit of a check":             {written{image: good.image, index: flip(good.index, checkOf(good.index, body))}, 1},
		"records in no order":          {written{image: good.image, index: append(slices.Clone(good.index), good.index[body:]...)}, -1},
		"nothing is wrong, to compare": {*good, 0},
	} {
		t.Run(name, func(t *testing.T) {
			again := convert(t, size, parts, Options{}, &test.earlier)
			if !bytes.Equal(again.image, good.image) {
				t.Error("the image is another")
			}
			if !bytes.Equal(again.index, good.index) {
				t.Error("the index is another")
			}
			if test.compressed >= 0 && again.reuse.Compressed != test.compressed {
				t.Errorf("%d clusters were compressed, want %d", again.reuse.Compressed, test.compressed)
			}
		})
	}
}

// checkOf returns where the check of the first record is whose cluster became smaller.
func checkOf(index []byte, body int) int {
	for at := body; ; at += recordSize {
		if !bytes.Equal(index[at+recordSize-4:at+recordSize], make([]byte, 4)) {
			return at + DigestSize
		}
	}
}
