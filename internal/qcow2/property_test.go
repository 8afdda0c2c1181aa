package qcow2

import (
	"context"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"
)

// Any sparse file is read back the same, whatever the options. Sizes and
// offsets are near the boundaries of clusters.
func TestWriteProperty(t *testing.T) {
	dir := t.TempDir()
	if testing.Short() {
		t.Skip("short: the tables do for the race detector")
	}
	rapid.Check(t, func(t *rapid.T) {
		o := Options{
			Compression: rapid.SampledFrom([]string{Zlib, Zstd, None}).Draw(t, "compression"),
			ClusterSize: 1 << rapid.IntRange(9, 18).Draw(t, "cluster bits"),
			Workers:     rapid.IntRange(1, 4).Draw(t, "workers"),
		}
		near := rapid.Custom(func(t *rapid.T) int64 {
			n := rapid.Int64Range(0, 40).Draw(t, "clusters")*int64(o.ClusterSize) + rapid.Int64Range(-2, 2).Draw(t, "bytes")
			return max(0, n)
		})
		size := near.Draw(t, "size") + near.Draw(t, "more")
		var parts []part
		for i := range rapid.IntRange(0, 6).Draw(t, "parts") {
			at := near.Draw(t, "at")
			length := min(near.Draw(t, "length"), size-at)
			if length <= 0 {
				continue
			}
			data := rapid.SampledFrom([]func(seed, n int) []byte{text, noise, nothing}).Draw(t, "kind")(i, int(length))
			parts = append(parts, part{at, data})
		}
		raw := filepath.Join(dir, "raw")
		makeSparse(t, raw, size, parts...)
		image := filepath.Join(dir, "image")
		if err := writeFile(context.Background(), image, raw, o); err != nil {
			t.Fatal(err)
		}
		checkImage(t, image, size, parts, o)
		if haveQemu() {
			checkQemu(t, raw, image)
		}
	})
}

func nothing(_, n int) []byte { return make([]byte, n) }
