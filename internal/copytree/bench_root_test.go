package copytree

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/internal/loop"
	"github.com/dibgraph/dibgraph/internal/testroot"
)

func run(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

// BenchmarkCopy copies a directory of this machine, /usr/share unless
// DIBGRAPH_BENCH_TREE names another, to a new ext4 filesystem without a
// journal on a loop device, and unmounts that: by this package and by cp -a.
// What counts is the ratio of the two, in the same run.
func BenchmarkCopy(b *testing.B) {
	testroot.Require(b)
	source := os.Getenv("DIBGRAPH_BENCH_TREE")
	if source == "" {
		source = "/usr/share"
	}
	for _, test := range []struct {
		name string
		copy func(b *testing.B, target string)
	}{
		{"dibgraph", func(b *testing.B, target string) {
			if err := Copy(b.Context(), source, target, Options{}); err != nil {
				b.Fatal(err)
			}
		}},
		{"cp -a", func(b *testing.B, target string) { run(b, "cp", "-a", source+"/.", target) }},
	} {
		b.Run(test.name, func(b *testing.B) {
			image := filepath.Join(b.TempDir(), "image")
			target := b.TempDir()
			for b.Loop() {
				b.StopTimer()
				device := freshExt4(b, image, target)
				b.StartTimer()
				test.copy(b, target)
				if err := errors.Join(unix.Unmount(target, 0), device.Close()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func freshExt4(b *testing.B, image, target string) *loop.Device {
	b.Helper()
	if err := errors.Join(os.WriteFile(image, nil, 0o600), os.Truncate(image, 4<<30)); err != nil {
		b.Fatal(err)
	}
	run(b, "mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-i", "4096", image)
	device, err := loop.Attach(image, loop.Options{})
	if err != nil {
		b.Fatal(err)
	}
	if err := unix.Mount(device.Path, target, "ext4", unix.MS_NOATIME, "nobarrier"); err != nil {
		b.Fatal(err)
	}
	return device
}
