package observe

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/dibgraph/dibgraph/internal/mount"
	"github.com/dibgraph/dibgraph/internal/testroot"
)

// BenchmarkOpen is a child process that opens 20,000 files, about what installing
// a kernel with its tools and building its initramfs touches.
func BenchmarkOpen(b *testing.B) {
	testroot.Require(b)
	const files = 20000
	dir := b.TempDir()
	for i := range files {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), bytes.Repeat([]byte("x"), 100), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	if err := mount.Bind(dir, dir, true); err != nil {
		b.Fatal(err)
	}
	defer mount.Unmount(dir)
	for _, observed := range []bool{false, true} {
		b.Run(fmt.Sprint("observed=", observed), func(b *testing.B) {
			for b.Loop() {
				open20k(b, dir, observed)
			}
		})
	}
}

func open20k(b *testing.B, dir string, observed bool) {
	var o *Observer
	if observed {
		var err error
		if o, err = Start(dir); err != nil {
			b.Fatal(err)
		}
	}
	child := exec.Command("/proc/self/exe")
	child.Args = []string{openerName, dir}
	if out, err := child.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	if o != nil {
		if opened, err := o.Stop(); err != nil || len(opened) != 20001 {
			b.Fatalf("%d opened, %v", len(opened), err)
		}
	}
}
