package testroot

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// recorder stands in for a test, to see what the gate does to it. Only the
// methods the gate calls are there; any other would panic on the nil TB.
type recorder struct {
	testing.TB
	skipped, failed string
	dir             string
	cleanups        []func()
}

func (r *recorder) Helper()           {}
func (r *recorder) TempDir() string   { return r.dir }
func (r *recorder) Cleanup(fn func()) { r.cleanups = append(r.cleanups, fn) }
func (r *recorder) Error(args ...any) { r.failed = fmt.Sprint(args...) }
func (r *recorder) Fatal(args ...any) { r.failed = fmt.Sprint(args...) }
func (r *recorder) Skipf(format string, args ...any) {
	r.skipped = fmt.Sprintf(format, args...)
}
func (r *recorder) Errorf(format string, args ...any) {
	r.failed = fmt.Sprintf(format, args...)
}
func (r *recorder) Fatalf(format string, args ...any) {
	r.failed = fmt.Sprintf(format, args...)
}

func TestCheckMountsSeesLeftover(t *testing.T) {
	Require(t)
	dir := t.TempDir()
	r := &recorder{dir: dir}
	CheckMounts(r)
	if err := unix.Mount("none", dir, "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	r.cleanups[0]()
	if err := unix.Unmount(dir, 0); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(r.failed, dir) {
		t.Errorf("a mount on %s was left, the check said %q", dir, r.failed)
	}
}
