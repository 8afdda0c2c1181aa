package host

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dibgraph/dibgraph/internal/mount"
	"github.com/dibgraph/dibgraph/internal/testroot"
)

func kernelOf(t *testing.T, store string) map[string]Finding {
	t.Helper()
	byName := map[string]Finding{}
	for _, f := range (Machine{}).Kernel(t.Context(), store) {
		byName[f.What] = f
	}
	return byName
}

// A machine that runs root tests has what builds need, and the trial changes
// nothing on it.
func TestKernel(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	dir := t.TempDir()
	found := kernelOf(t, filepath.Join(dir, "not/yet"))
	for _, what := range []string{"root", "namespaces", "overlay", "loop devices", "partition nodes"} {
		if f := found[what]; f.State != OK {
			t.Errorf("%s: %+v, want ok", what, f)
		}
	}
	for _, what := range []string{"mount API", "fanotify", "vfat", "xfs", "device mapper", "other architectures"} {
		if f, ok := found[what]; !ok || f.State == Missing {
			t.Errorf("%s: %+v, want ok or degraded", what, f)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("the trial has left %v, %v", left, err)
	}
}

// On an overlay, which a container's own filesystem is, no overlay can have its
// upper: the answer names the filesystem and the way out.
func TestKernelOfStoreOnOverlay(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	dir := t.TempDir()
	for _, name := range []string{"lower", "upper", "work", "merged"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	merged := filepath.Join(dir, "merged")
	o := mount.Overlay{Lower: []string{filepath.Join(dir, "lower")}, Upper: filepath.Join(dir, "upper"), Work: filepath.Join(dir, "work")}
	if err := o.Mount(merged); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := mount.Unmount(merged); err != nil {
			t.Error(err)
		}
	})
	f := kernelOf(t, merged)["overlay"]
	if f.State != Missing || !strings.Contains(f.Detail, "on overlay") || !strings.Contains(f.Fix, "--cache-dir") {
		t.Errorf("store on an overlay: %+v, want missing, with the filesystem and --cache-dir", f)
	}
}

func TestKernelOfStoreThatIsReadOnly(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	dir := t.TempDir()
	if err := mount.Bind(dir, dir, true); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := mount.Unmount(dir); err != nil {
			t.Error(err)
		}
	})
	if f := kernelOf(t, dir)["store"]; f.State != Missing || !strings.Contains(f.Detail, "read-only") {
		t.Errorf("store on a read-only mount: %+v, want missing", f)
	}
}
