package cache

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// manyRecords writes records with a blob each and a layer that all have.
func manyRecords(b *testing.B, s *Store, n int) []Key {
	b.Helper()
	common := testRecord(b, s, "common")
	keys := make([]Key, n)
	for i := range n {
		r := *common
		r.Format, r.Description = recordFormat, fmt.Sprintf("record %d\n%0*d", i, 4000, i)
		r.Key, r.Duration = KeyOf(r.Description), time.Duration(i)*time.Millisecond
		content := []byte(r.Description[:20])
		r.Outputs = map[string]Blob{"out": {DigestBytes(content), int64(len(content))}}
		data := must[[]byte](b)(r.encode())
		for path, data := range map[string][]byte{s.hashPath(recordsDir, r.Key): data, s.BlobPath(r.Outputs["out"].Digest): content} {
			check(b, os.MkdirAll(filepath.Dir(path), 0o700))
			check(b, os.WriteFile(path, data, 0o400))
		}
		keys[i] = r.Key
	}
	return keys
}

// BenchmarkTrim chooses half of a store, lists it and measures it.
func BenchmarkTrim(b *testing.B) {
	for _, n := range []int{1000, 10000, 100000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			dir := storeOf(b, func(s *Store) { manyRecords(b, s, n) })
			s := openStore(b, dir, Options{ReadOnly: true})
			size := totalOf(b, s)
			b.Run("choose", func(b *testing.B) {
				for b.Loop() {
					must[*TrimReport](b)(s.Trim(b.Context(), TrimOptions{MaxSize: size / 2, DryRun: true}))
				}
			})
			b.Run("ls", func(b *testing.B) {
				for b.Loop() {
					must[[]Held](b)(s.Contents(b.Context()))
				}
			})
			b.Run("du", func(b *testing.B) {
				for b.Loop() {
					totalOf(b, s)
				}
			})
		})
	}
}

// BenchmarkLeases is what leases and uses of 80 records cost a null build.
func BenchmarkLeases(b *testing.B) {
	s := newStore(b)
	keys := manyRecords(b, s, 80)
	for b.Loop() {
		b.StopTimer()
		check(b, s.leases.end())
		b.StartTimer()
		for _, k := range keys {
			check(b, s.lease(k, func() error { return s.touch(k) }))
		}
	}
}
