package testroot

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Variable is the environment variable that asks for the root tests.
const Variable = "DIBGRAPH_TEST_ROOT"

// Require skips the test unless Variable is "1"; if it is, Require fails the
// test at once on a machine that is not fit: not root, no right to make a mount
// namespace, or no loop devices.
func Require(t testing.TB) {
	t.Helper()
	if os.Getenv(Variable) != "1" {
		t.Skipf("needs root, mounts and loop devices: set %s=1 to run it", Variable)
	}
	if err := fit(); err != nil {
		t.Fatalf("%s=1 is set, but this machine cannot run root tests: %v", Variable, err)
	}
}

// fit is decided once per test binary; the answer cannot change under it.
var fit = sync.OnceValue(func() error {
	if uid := os.Geteuid(); uid != 0 {
		return fmt.Errorf("effective user is %d, not 0", uid)
	}
	return errors.Join(canUnshare(), canLoop())
})

// canUnshare asks a child process to do it: a thread of this one that changed
// its mount namespace could be the main thread, and then /proc/self would show
// the tests another namespace than theirs.
func canUnshare() error {
	child := exec.Command("/bin/true")
	child.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS,
	}
	if err := child.Run(); err != nil {
		return fmt.Errorf("run a process in namespaces of its own: %w", err)
	}
	return nil
}

func canLoop() error {
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("loop devices: %w", err)
	}
	return control.Close()
}
