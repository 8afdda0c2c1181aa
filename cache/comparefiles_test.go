package cache

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"
)

func TestCompareFiles(t *testing.T) {
	block := func(n int) []byte { return make([]byte, n*compareBlock) }
	with := func(b []byte, at ...int) []byte {
		for _, i := range at {
			b[i] = 'x'
		}
		return b
	}
	dir := t.TempDir()
	for name, test := range map[string]struct {
		before, after        []byte
		first, bytes, blocks int64
	}{
		"same":           {[]byte("text"), []byte("text"), -1, 0, 0},
		"empty":          {nil, nil, -1, 0, 0},
		"first byte":     {[]byte("text"), []byte("next"), 0, 1, 1},
		"longer":         {[]byte("text"), []byte("texts"), 4, 1, 1},
		"shorter":        {[]byte("text"), nil, 0, 4, 1},
		"two blocks":     {block(40), with(block(40), 5, 6, 30*compareBlock), 5, 3, 2},
		"one block each": {with(block(3), 0), with(block(3), 2*compareBlock), 0, 2, 2},
		"tail in block":  {[]byte("text"), append([]byte("texT"), block(1)...), 3, 1 + compareBlock, 2},
		"tail at block":  {block(1), block(3), compareBlock, 2 * compareBlock, 2},
	} {
		before, after := filepath.Join(dir, "before"), filepath.Join(dir, "after")
		for path, content := range map[string][]byte{before: test.before, after: test.after} {
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		got, err := CompareFiles(before, after)
		if err != nil {
			t.Fatal(err)
		}
		got.counted = 0
		want := FileComparison{Before: int64(len(test.before)), After: int64(len(test.after)), First: test.first, Bytes: test.bytes, Blocks: test.blocks}
		if got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

// Holes are passed over, and nothing else is.
func TestCompareFilesSparse(t *testing.T) {
	dir := t.TempDir()
	const size = 64 * compareBlock
	rapid.Check(t, func(t *rapid.T) {
		var paths [2]string
		var contents [2][]byte
		for i, name := range []string{"before", "after"} {
			paths[i], contents[i] = filepath.Join(dir, name), make([]byte, size)
			f, err := os.Create(paths[i])
			if err != nil {
				t.Fatal(err)
			}
			if err := f.Truncate(size); err != nil {
				t.Fatal(err)
			}
			for range rapid.IntRange(0, 3).Draw(t, "writes") {
				at := rapid.Int64Range(0, size-1).Draw(t, "at")
				b := []byte{rapid.SampledFrom([]byte{0, 1, 2}).Draw(t, "byte")}
				contents[i][at] = b[0]
				if _, err := f.WriteAt(b, at); err != nil {
					t.Fatal(err)
				}
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
		got, err := CompareFiles(paths[0], paths[1])
		if err != nil {
			t.Fatal(err)
		}
		differing := int64(0)
		for i := range contents[0] {
			if contents[0][i] != contents[1][i] {
				differing++
			}
		}
		if got.Bytes != differing || got.Same() != bytes.Equal(contents[0], contents[1]) {
			t.Errorf("%+v, want %d differing bytes", got, differing)
		}
	})
}
