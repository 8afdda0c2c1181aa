package cache

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

// The sizes are those of a Debian 12 root with a kernel, python and sshd: 17,412
// entries, of which 14,109 are files and 953 symbolic links. 42 % of the files
// have at most 4 KiB; the sizes here are spread so that the sum is about the
// same, 730 MB.
const (
	benchDirs  = 2350
	benchFiles = 14109
	benchLinks = 953
)

// benchSize draws a file size: four in ten up to 4 KiB, half up to 64 KiB, the
// rest up to 1 MiB.
func benchSize(r *rand.Rand) int {
	switch p := r.IntN(100); {
	case p < 42:
		return r.IntN(4 << 10)
	case p < 94:
		return r.IntN(64 << 10)
	default:
		return r.IntN(1 << 20)
	}
}

// benchTree makes the files and returns their number of bytes.
func benchTree(b *testing.B, dir string) (bytes int64) {
	b.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	content := make([]byte, 1<<20)
	for i := range content {
		content[i] = byte(r.Uint32())
	}
	name := func(i int) string { return fmt.Sprintf("%s/dir%02d/sub%04d", dir, i%50, i) }
	for i := range benchDirs {
		check(b, os.MkdirAll(name(i), 0o755))
	}
	for i := range benchFiles {
		size := benchSize(r)
		bytes += int64(size)
		content[0], content[1] = byte(i), byte(i>>8)
		check(b, os.WriteFile(fmt.Sprintf("%s/file%d", name(i%benchDirs), i), content[:size], 0o644))
	}
	for i := range benchLinks {
		check(b, os.Symlink("../target", fmt.Sprintf("%s/link%d", name(i%benchDirs), i)))
	}
	return bytes
}

// BenchmarkCommitLayer hashes a whole root and moves it into the store, from
// where it is taken back for the next round.
func BenchmarkCommitLayer(b *testing.B) {
	s := newStore(b)
	upper := must[string](b)(s.TempDir("upper"))
	b.SetBytes(benchTree(b, upper))
	b.ReportAllocs()
	for b.Loop() {
		layer := must[Layer](b)(s.CommitLayer(upper, LayerOptions{Volatile: []string{"mnt/var/log/**"}}))
		b.StopTimer()
		check(b, os.Rename(must[string](b)(s.LayerDir(layer.Digest)), upper))
		check(b, os.RemoveAll(s.hashPath(layersDir, layer.Digest)))
		b.StartTimer()
	}
}

func benchListing() *Listing {
	var l Listing
	at := time.Unix(1700000000, 123456789).UTC()
	for i := range 400 {
		dir := fmt.Sprintf("mnt/usr/share/doc/package-%04d", i)
		l.Entries = append(l.Entries, Entry{Path: dir, Type: TypeDir, Mode: 0o755, ModTime: at})
		for j := range 43 {
			path := fmt.Sprintf("%s/file-%02d", dir, j)
			l.Entries = append(l.Entries, Entry{Path: path, Type: TypeFile, Mode: 0o644, ModTime: at, Size: 12345, Digest: DigestBytes([]byte(path))})
		}
	}
	for _, dir := range []string{"mnt/usr/share/doc", "mnt/usr/share", "mnt/usr", "mnt"} {
		l.Entries = append([]Entry{{Path: dir, Type: TypeDir, Mode: 0o755, ModTime: at}}, l.Entries...)
	}
	return &l
}

func BenchmarkParseListing(b *testing.B) {
	text, _ := benchListing().AppendText(nil)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if l := must[*Listing](b)(ParseListing(text)); len(l.Entries) != 17604 {
			b.Fatalf("%d entries", len(l.Entries))
		}
	}
}

func BenchmarkListingDigest(b *testing.B) {
	l := benchListing()
	b.ReportAllocs()
	for b.Loop() {
		l.Digest()
	}
}

// BenchmarkLookup looks up a chain of 80 nodes, as many hooks as a plain Debian
// image has, of which the last names 60 layers: a null build.
func BenchmarkLookup(b *testing.B) {
	s := newStore(b)
	var layers []Digest
	var keys []Key
	for i := range 80 {
		if i < 60 {
			layers = append(layers, testLayer(b, s, fmt.Sprint(i)))
		}
		r := testRecord(b, s, fmt.Sprintf("node %d\n%0*d", i, 4000, i))
		r.Layers = layers
		check(b, s.Put(r))
		keys = append(keys, r.Key)
	}
	for _, fresh := range []bool{true, false} {
		name := map[bool]string{true: "first", false: "again"}[fresh]
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if fresh {
					s.checked.states = nil
				}
				for _, k := range keys {
					must[*Record](b)(s.Lookup(k))
				}
			}
		})
	}
}

// BenchmarkOpen opens and closes a store that is there.
func BenchmarkOpen(b *testing.B) {
	dir := newStore(b).Dir()
	for _, readOnly := range []bool{false, true} {
		b.Run(fmt.Sprintf("ReadOnly=%t", readOnly), func(b *testing.B) {
			for b.Loop() {
				s := must[*Store](b)(Open(dir, Options{ReadOnly: readOnly}))
				check(b, s.Close())
			}
		})
	}
}

// BenchmarkPutSmall puts small layers with their records, and syncs once.
func BenchmarkPutSmall(b *testing.B) {
	s := newStore(b)
	i := 0
	for b.Loop() {
		for range 100 {
			i++
			check(b, s.Put(testRecord(b, s, fmt.Sprint(i))))
		}
		check(b, s.Sync())
	}
}
