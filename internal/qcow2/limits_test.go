package qcow2

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The bytes belong to the version, which is part of the keys of images: when
// this fails, because of a new compression library for example, both change.
func TestVersion(t *testing.T) {
	dir := t.TempDir()
	raw := sparse(t, dir, 700<<20, append(mixed(100*k, 50_000, 20), part{600 << 20, text(1, 300*k)})...)
	got := map[string]string{}
	for _, c := range []string{Zlib, Zstd, None} {
		image := filepath.Join(dir, "image")
		if err := writeFile(t.Context(), image, raw, Options{Compression: c}); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(image)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(data)
		got[c] = hex.EncodeToString(sum[:8])
	}
	want := map[string]string{Zlib: "3f56dbf112ed6908", Zstd: "e957a5702e983c8b", None: "bdc64e865814146c"}
	if Version != "2" {
		t.Errorf("version %q: give the digests of it", Version)
	}
	for c := range want {
		if got[c] != want[c] {
			t.Errorf("%s: %s, want %s", c, got[c], want[c])
		}
	}
}

// Large disks with little in them take little, of time too.
func TestWriteLarge(t *testing.T) {
	needQemu(t)
	dir := t.TempDir()
	for _, o := range []Options{{}, {ClusterSize: 2 << 20, Compression: Zstd}} {
		const size = 3<<40 + 512
		parts := []part{{0, text(1, 100)}, {1<<40 - 70_000, noise(2, 200_000)}, {size - 1, []byte{1}}}
		raw, image := sparse(t, dir, size, parts...), filepath.Join(dir, "image")
		if err := writeFile(t.Context(), image, raw, o); err != nil {
			t.Fatal(err)
		}
		checkImage(t, image, size, parts, o)
		qemu(t, "check", image)
		if n := fileInfo(t, image).Size(); n > 20<<20 {
			t.Errorf("%+v: %d bytes", o, n)
		}
		// Where qemu-img sees data is where clusters hold any.
		var extents []struct {
			Start, Length int64
			Data          bool
		}
		if err := json.Unmarshal([]byte(qemu(t, "map", "--output=json", image)), &extents); err != nil {
			t.Fatal(err)
		}
		c := max(int64(o.ClusterSize), 64*k)
		if o.ClusterSize == 0 {
			c = 64 * k
		}
		want := clusters(parts, c)
		var seen int64
		for _, e := range extents {
			for at := e.Start; e.Data && at < e.Start+e.Length; at += c {
				seen++
				if want[at/c] == nil {
					t.Errorf("%+v: data at %d", o, at)
				}
			}
		}
		if seen != int64(len(want)) {
			t.Errorf("%+v: data in %d clusters, want %d", o, seen, len(want))
		}
	}
}

// Refcount blocks are written as soon as they are full, so that any number of
// them takes little memory. One counts 8 MiB here.
func TestRefcountBlocks(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "image"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	o, err := Options{ClusterSize: 4 * k}.complete()
	if err != nil {
		t.Fatal(err)
	}
	const size = 64 << 20
	im, err := newImage(f, size, o)
	if err != nil {
		t.Fatal(err)
	}
	for guest := range int64(size / (4 * k)) {
		c := cluster{data: noise(1, 4*k)}
		if guest%4 == 0 {
			c = cluster{data: c.data[:1000], compressed: true}
		}
		if err := im.add(guest, c); err != nil {
			t.Fatal(err)
		}
		// Standard clusters come 2 MiB at a time.
		if len(im.refs.open) > 2 {
			t.Fatalf("%d refcount blocks are kept", len(im.refs.open))
		}
	}
	if err := im.finish(); err != nil {
		t.Fatal(err)
	}
	if want := (im.next + 2047) / 2048; im.refs.written() != want || want < 6 {
		t.Errorf("%d refcount blocks for %d clusters", im.refs.written(), im.next)
	}
	needQemu(t)
	qemu(t, "check", f.Name())
}

// A writer that fails or is cancelled ends all it began, and leaves no header.
func TestWriteStops(t *testing.T) {
	dir := t.TempDir()
	var parts []part
	for i := range 40 {
		parts = append(parts, part{int64(i) << 20, text(i, 1<<20)})
	}
	raw := sparse(t, dir, 40<<20, parts...)
	before := runtime.NumGoroutine()
	stopped := errors.New("stopped")
	for name, write := range map[string]func(image string) error{
		"cancelled before": func(image string) error {
			ctx, cancel := context.WithCancelCause(t.Context())
			cancel(stopped)
			return writeFile(ctx, image, raw, Options{})
		},
		"cancelled meanwhile": func(image string) error {
			ctx, cancel := context.WithCancelCause(t.Context())
			go func() {
				for size := int64(0); size == 0; time.Sleep(time.Millisecond) {
					if info, err := os.Stat(image); err == nil {
						size = info.Size()
					}
				}
				cancel(stopped)
			}()
			return writeFile(ctx, image, raw, Options{Workers: 1})
		},
	} {
		image := filepath.Join(dir, name)
		if err := write(image); !errors.Is(err, stopped) {
			t.Errorf("%s: %v", name, err)
		}
		if data, err := os.ReadFile(image); err != nil || bytes.HasPrefix(data, []byte(magic)) {
			t.Errorf("%s: an image is left (%v)", name, err)
		}
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d goroutines more than before", runtime.NumGoroutine()-before)
}

// A file that cannot be written, be it a pipe, is an error.
func TestWriteFails(t *testing.T) {
	dir := t.TempDir()
	raw, err := os.Open(sparse(t, dir, 640*k, mixed(0, 64*k, 10)...))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	w, err := os.Open(raw.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := Write(t.Context(), w, raw, Options{}); !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EBADF) {
		t.Errorf("a file open for reading: %v", err)
	}
	closed, err := os.Create(filepath.Join(dir, "closed"))
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	if err := Write(t.Context(), w, closed, Options{}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a raw file that is closed: %v", err)
	}
}

// Whatever is asked for, batches and compressors stay within the limit.
func TestMemory(t *testing.T) {
	for _, o := range []Options{
		{}, {ClusterSize: 512}, {ClusterSize: 2 << 20}, {Compression: Zstd, Level: 22}, {Compression: Zstd, Level: 22, ClusterSize: 2 << 20},
	} {
		o.Workers = 1000
		c, err := o.complete()
		if err != nil {
			t.Fatal(err)
		}
		if used := c.batches()*c.batchMemory() + c.Workers*compressorMemory(c); used > memoryLimit || c.Workers < 2 {
			t.Errorf("%+v: %d bytes for %d workers", o, used, c.Workers)
		}
	}
}

// What compressors really take, by the heap after use.
func TestCompressorMemory(t *testing.T) {
	for _, o := range []Options{{}, {ClusterSize: 2 << 20}, {Compression: Zstd, Level: 1}, {Compression: Zstd}, {Compression: Zstd, Level: 7}, {Compression: Zstd, Level: 7, ClusterSize: 2 << 20}} {
		o, err := o.complete()
		if err != nil {
			t.Fatal(err)
		}
		in, to := text(1, o.ClusterSize), make([]byte, o.ClusterSize+slack)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		z, err := newCompressor(o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := z.compress(to, in); err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(z)
		if used := int(after.HeapAlloc) - int(before.HeapAlloc); used > compressorMemory(o) {
			t.Errorf("%+v: %d bytes, more than %d", o, used, compressorMemory(o))
		}
	}
}

// The reader of the tests finds what is wrong: a changed byte anywhere in the
// header or a table, or in compressed data.
func TestReader(t *testing.T) {
	dir := t.TempDir()
	image := filepath.Join(dir, "image")
	o := Options{ClusterSize: 512}
	parts := []part{{0, text(1, 20*k)}, {40 * k, noise(2, 4*k)}}
	if err := writeFile(t.Context(), image, sparse(t, dir, 64*k, parts...), o); err != nil {
		t.Fatal(err)
	}
	r := checkImage(t, image, 64*k, parts, o)
	table, block := int64(be64(r.file, 48)), int64(be64(r.file, int64(be64(r.file, 48))))
	l1 := int64(be64(r.file, 40))
	l2 := int64(be64(r.file, l1) &^ (1 << 63))
	for name, at := range map[string]int64{
		"magic": 0, "version": 7, "L1 table": 47, "refcount table": 55, "feature": 79, "refcount order": 99,
		"L1 flag": l1, "L1 offset": l1 + 6, "L2 sectors": l2 + 1, "L2 flags": l2, "L2 offset": l2 + 6,
		"refcount": block + 1, "refcount block": table + 6,
	} {
		file := slices.Clone(r.file)
		file[at] ^= 4
		if _, err := readImage(file); err == nil {
			t.Errorf("%s: nothing found", name)
		}
	}
}
