package qcow2

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/zeebo/blake3"
	"golang.org/x/sys/unix"
)

// BenchmarkWrite converts the raw image that DIBGRAPH_BENCH_RAW names, or one
// of 64 MiB of this machine's programs, and lets qemu-img do the same with
// the compression on. What counts is the ratio in one run.
func BenchmarkWrite(b *testing.B) {
	raw := benchRaw(b)
	for _, o := range []Options{{}, {Workers: 1}, {Compression: Zstd}, {Compression: Zstd, Level: 1}, {Compression: Zstd, Level: 7}, {Compression: None}} {
		b.Run(fmt.Sprintf("dibgraph/%s,%d,workers=%d", o.Compression, o.Level, o.Workers), func(b *testing.B) {
			bench(b, raw, func(to string) {
				if err := writeFile(b.Context(), to, raw, o); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
	for _, options := range [][]string{
		{"-c"}, {"-c", "-W", "-m", "8"}, {"-c", "-o", "compression_type=zstd", "-W", "-m", "8"}, nil,
	} {
		b.Run(fmt.Sprint("qemu-img/", options), func(b *testing.B) {
			needQemu(b)
			bench(b, raw, func(to string) {
				args := append([]string{"convert", "-f", "raw", "-O", "qcow2"}, options...)
				if out, err := exec.Command("qemu-img", append(args, raw, to)...).CombinedOutput(); err != nil {
					b.Fatalf("%v\n%s", err, out)
				}
			})
		})
	}
}

// BenchmarkReuse converts the raw image again after one MiB of it changed, with
// the clusters of the image before: that is what counts against BenchmarkWrite.
func BenchmarkReuse(b *testing.B) {
	raw, dir := benchRaw(b), b.TempDir()
	changed, before := filepath.Join(dir, "changed"), filepath.Join(dir, "before")
	if out, err := exec.Command("cp", "--sparse=always", raw, changed).CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	var index bytes.Buffer
	digest := func(data []byte) [DigestSize]byte { return blake3.Sum256(data) } // as in builds
	if err := writeFile(b.Context(), before, raw, Options{Reuse: &Reuse{Digest: digest, NewIndex: &index}}); err != nil {
		b.Fatal(err)
	}
	f, err := os.OpenFile(changed, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	_, err = f.WriteAt(text(1, 1<<20), 16<<20)
	if err := errors.Join(err, f.Close()); err != nil {
		b.Fatal(err)
	}
	earlier, err := os.Open(before)
	if err != nil {
		b.Fatal(err)
	}
	defer earlier.Close()
	var last Reuse
	bench(b, changed, func(to string) {
		last = Reuse{Digest: digest, Image: earlier, Index: index.Bytes(), NewIndex: &bytes.Buffer{}}
		if err := writeFile(b.Context(), to, changed, Options{Reuse: &last}); err != nil {
			b.Fatal(err)
		}
	})
	b.ReportMetric(float64(last.Compressed), "compressed")
	b.ReportMetric(float64(last.Taken), "taken")
}

func bench(b *testing.B, raw string, write func(to string)) {
	to := filepath.Join(b.TempDir(), "image")
	before := cpuTime(b)
	for b.Loop() {
		write(to)
	}
	b.StopTimer()
	b.ReportMetric((cpuTime(b)-before).Seconds()/float64(b.N), "cpu-s/op")
	b.ReportMetric(float64(fileInfo(b, to).Size())/1e6, "MB")
	if haveQemu() {
		qemu(b, "compare", "-f", "raw", "-F", "qcow2", raw, to)
	}
}

// cpuTime is what this process and its children have used.
func cpuTime(b *testing.B) (sum time.Duration) {
	b.Helper()
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var usage unix.Rusage
		if err := unix.Getrusage(who, &usage); err != nil {
			b.Fatal(err)
		}
		sum += time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	return sum
}

// benchRaw returns a raw image: programs compress like the content of most.
func benchRaw(b *testing.B) string {
	if path := os.Getenv("DIBGRAPH_BENCH_RAW"); path != "" {
		return path
	}
	const size, block = 64 << 20, 4096
	var parts []part
	var at int64
	files, err := filepath.Glob("/usr/bin/*")
	if err != nil {
		b.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil || at+int64(len(data)) > size {
			continue // a directory, or not ours to read
		}
		parts = append(parts, part{at, data})
		at = roundUp(at+int64(len(data)), block)
	}
	return sparse(b, b.TempDir(), 2*size, parts...)
}
