package copytree

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/internal/testroot"
)

func run(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

// BenchmarkCopy copies the machine's own /usr/share and /usr/lib/python3 (a
// tree like that of an image: many small files, some big ones) to a tmpfs, by
// this package and by cp -a. The ratio of the two is the figure that matters.
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
			target := filepath.Join(b.TempDir(), "target")
			for b.Loop() {
				b.StopTimer()
				if err := os.Mkdir(target, 0o755); err != nil {
					b.Fatal(err)
				}
				if err := unix.Mount("bench", target, "tmpfs", 0, ""); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				test.copy(b, target)
				b.StopTimer()
				if err := unix.Unmount(target, 0); err != nil {
					b.Fatal(err)
				}
				if err := os.Remove(target); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}
