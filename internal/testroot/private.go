package testroot

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
)

// privateEnv marks a test process that has a mount namespace of its own.
const privateEnv = "DIBGRAPH_TEST_PRIVATE_MOUNTS"

// RunPrivate runs the tests of a package, and returns their exit status, in a
// mount namespace of their own if root tests are asked for. Without that every
// sandbox that another test starts at the same time gets a copy of their
// mounts, and keeps filesystems in use after they are unmounted. It is for
// TestMain.
func RunPrivate(m *testing.M) int {
	if os.Getenv(Variable) == "1" && os.Getenv(privateEnv) == "" {
		return runPrivate()
	}
	return m.Run()
}

// runPrivate runs this program again, in a new mount namespace.
func runPrivate() int {
	// The death signal comes when the thread that started the process ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), privateEnv+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	// Package syscall makes all mounts of the new namespace private.
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return max(exit.ExitCode(), 1)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "run the tests in a private mount namespace:", err)
		return 1
	}
	return 0
}
