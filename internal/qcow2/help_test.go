package qcow2

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
)

// writeFile is Write with names.
func writeFile(ctx context.Context, to, from string, o Options) error {
	raw, err := os.Open(from)
	if err != nil {
		return err
	}
	defer raw.Close()
	w, err := os.Create(to)
	if err != nil {
		return err
	}
	return errors.Join(Write(ctx, w, raw, o), w.Close())
}

// A test is a [testing.TB] or a rapid one.
type test interface {
	Helper()
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func haveQemu() bool {
	_, err := exec.LookPath("qemu-img")
	return err == nil
}

func needQemu(t testing.TB) {
	t.Helper()
	if !haveQemu() {
		t.Skip("qemu-img is not installed")
	}
}

// qemu runs qemu-img, which must succeed, and returns what it says.
func qemu(t test, args ...string) string {
	t.Helper()
	out, err := exec.Command("qemu-img", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("qemu-img %q: %v\n%s", args, err, out)
	}
	return string(out)
}

func fileInfo(t testing.TB, path string) os.FileInfo {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// noise returns n bytes that no compressor makes fewer.
func noise(seed, n int) []byte {
	data := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)}).Read(data)
	return data
}

// text returns n bytes that compress to about a third, with matches at all
// distances.
func text(seed, n int) []byte {
	r := rand.New(rand.NewPCG(uint64(seed), 0))
	words := make([]string, 3000)
	for i := range words {
		words[i] = strconv.FormatUint(r.Uint64(), 36)[:3+r.IntN(8)]
	}
	var b []byte
	for len(b) < n {
		b = append(b, words[int(float64(len(words))*r.Float64()*r.Float64())]...)
		b = append(b, ' ')
	}
	return b[:n]
}

// A part is data at an offset of a sparse file.
type part struct {
	at   int64
	data []byte
}

// sparse makes a file of a size with some data, and returns its name.
func sparse(t testing.TB, dir string, size int64, parts ...part) string {
	t.Helper()
	f, err := os.CreateTemp(dir, "raw")
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	makeSparse(t, f.Name(), size, parts...)
	return f.Name()
}

func makeSparse(t test, path string, size int64, parts ...part) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		if _, err := f.WriteAt(p.data, p.at); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(f.Truncate(size), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// checkQemu lets qemu-img look for errors and leaks, and compare the content.
func checkQemu(t test, raw, image string) {
	t.Helper()
	qemu(t, "check", "-f", "qcow2", image)
	qemu(t, "compare", "-f", "raw", "-F", "qcow2", raw, image)
}
