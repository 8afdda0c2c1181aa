package ext4

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/internal/copytree"
	"github.com/dibgraph/dibgraph/internal/loop"
	"github.com/dibgraph/dibgraph/internal/testroot"
)

// BenchmarkDisk makes an ext4 filesystem with a journal of a directory of this machine,
// /usr/share unless DIBGRAPH_BENCH_TREE names another, in a file that is on the
// disk in the end: by this package, by the kernel with several programs that copy, and by
// mke2fs. The floor is a file with as many bytes of content. What counts is the
// ratio of two in one run; cpu-s is the time of processors without that of the
// kernel's own threads, of which only those need any that go through a loop device.
func BenchmarkDisk(b *testing.B) {
	testroot.Require(b)
	source := os.Getenv("DIBGRAPH_BENCH_TREE")
	if source == "" {
		source = "/usr/share"
	}
	size, content := measure(b, source)
	image := filepath.Join(b.TempDir(), "image")
	for _, way := range []struct {
		name string
		make func()
	}{
		{"floor", func() { writeZeros(b, image, content) }},
		{"dibgraph", func() {
			mkfs(b, image, size, "^has_journal")
			must(b, fillFile(b, image, Options{Source: source}))
			addJournal(b, image)
		}},
		{"dibgraph kernel", func() {
			onLoop(b, image, size, func(target string) { must(b, copytree.Copy(b.Context(), source, target, copytree.Options{})) })
			addJournal(b, image)
		}},
		{"peer cp", func() {
			onLoop(b, image, size, func(target string) { run(b, "cp", "-a", source+"/.", target) }, "has_journal")
		}},
		{"peer rsync", func() {
			onLoop(b, image, size, func(target string) { run(b, "rsync", "-aHAX", source+"/", target) }, "has_journal")
		}},
		{"peer tar", func() {
			onLoop(b, image, size, func(target string) {
				run(b, "sh", "-c", `tar -C "$0" --xattrs --acls -cf - . | tar -C "$1" --xattrs --acls --numeric-owner -xf -`, source, target)
			}, "has_journal")
		}},
		{"peer mke2fs -d", func() { mkfs(b, image, size, "has_journal", "-d", source) }},
	} {
		b.Run(way.name, func(b *testing.B) {
			if _, err := exec.LookPath("rsync"); way.name == "peer rsync" && err != nil {
				b.Skip("rsync is not installed")
			}
			before := cpuTime(b)
			for b.Loop() {
				must(b, os.RemoveAll(image))
				way.make()
				sync(b, image)
			}
			b.ReportMetric((cpuTime(b)-before).Seconds()/float64(b.N), "cpu-s/op")
			b.ReportMetric(float64(content)/1e6, "MB")
		})
	}
}

// BenchmarkManyFiles writes 100,000 small files, and reports how much memory the
// process had at most meanwhile, of which the runtime and the tests have a few megabytes.
func BenchmarkManyFiles(b *testing.B) {
	testroot.Require(b)
	const count, inDirectory = 100_000, 1000
	source := b.TempDir()
	for i := range count {
		dir := filepath.Join(source, strconv.Itoa(i/inDirectory))
		if i%inDirectory == 0 {
			must(b, os.Mkdir(dir, 0o755))
		}
		must(b, os.WriteFile(filepath.Join(dir, "one-of-many-"+strconv.Itoa(i)), []byte("small\n"), 0o644))
	}
	image := filepath.Join(b.TempDir(), "image")
	defer debug.SetGCPercent(debug.SetGCPercent(50)) // as in the program that makes disks
	for b.Loop() {
		mkfs(b, image, 1<<30, "^has_journal")
		debug.FreeOSMemory()
		must(b, os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)) // the peak counts from now
		must(b, fillFile(b, image, Options{Source: source}))
		b.ReportMetric(peakMemory(b), "peak-MB")
	}
}

// peakMemory is how much memory the process had at most, in megabytes.
func peakMemory(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	must(b, err)
	_, peak, _ := strings.Cut(string(status), "VmHWM:")
	kilobytes, err := strconv.Atoi(strings.Fields(peak)[0])
	must(b, err)
	return float64(kilobytes) * 1024 / 1e6
}

// measure returns the size that a filesystem for a tree needs, and the bytes of its files.
func measure(b *testing.B, source string) (size, content int64) {
	b.Helper()
	must(b, filepath.WalkDir(source, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			content += info.Size()
			size += up(info.Size(), 4096)
		}
		return err
	}))
	return up(size*5/3+64<<20, 1<<20), content
}

func writeZeros(b *testing.B, path string, size int64) {
	b.Helper()
	file, err := os.Create(path)
	must(b, err)
	buffer := make([]byte, 1<<20)
	for ; size > 0; size -= int64(len(buffer)) {
		_, err := file.Write(buffer[:min(size, int64(len(buffer)))])
		must(b, err)
	}
	must(b, file.Close())
}

func mkfs(b *testing.B, image string, size int64, features string, more ...string) {
	b.Helper()
	must(b, os.WriteFile(image, nil, 0o600), os.Truncate(image, size))
	args := append([]string{"-q", "-F", "-i", "4096", "-O", features}, more...)
	run(b, "mkfs.ext4", append(args, image)...)
}

func addJournal(b *testing.B, image string) {
	b.Helper()
	run(b, "tune2fs", "-j", image)
}

func onLoop(b *testing.B, image string, size int64, copy func(target string), features ...string) {
	b.Helper()
	mkfs(b, image, size, append(features, "^has_journal")[0])
	device, err := loop.Attach(image, loop.Options{})
	must(b, err)
	target := b.TempDir()
	must(b, unix.Mount(device.Path, target, "ext4", unix.MS_NOATIME, ""))
	copy(target)
	must(b, unix.Unmount(target, 0), device.Close())
}

func sync(b *testing.B, image string) {
	b.Helper()
	file, err := os.OpenFile(image, os.O_RDWR, 0)
	must(b, err)
	_, err = file.Seek(0, io.SeekEnd)
	must(b, errors.Join(err, file.Sync(), file.Close()))
}

// cpuTime is what this process and its children have used.
func cpuTime(b *testing.B) (sum time.Duration) {
	b.Helper()
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var usage unix.Rusage
		must(b, unix.Getrusage(who, &usage))
		sum += time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	return sum
}
