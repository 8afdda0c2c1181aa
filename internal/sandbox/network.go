package sandbox

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// WithoutNetwork calls do so that commands which it starts have no network but
// a loopback interface of their own. Only those: not this process, and not what
// do leaves to other goroutines. Call it from a program.
func WithoutNetwork(do func() error) error {
	result := make(chan error)
	go func() {
		// A thread's namespace is what its children get. The goroutine never
		// unlocks it, so that the thread ends with it and runs nothing else.
		runtime.LockOSThread()
		if err := leaveNetwork(); err != nil {
			result <- fmt.Errorf("sandbox: run without a network: %w", err)
			return
		}
		result <- do()
	}()
	return <-result
}

func leaveNetwork() error {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("make a network namespace: %w", err)
	}
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("make a socket: %w", err)
	}
	defer unix.Close(socket)
	loopback, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(socket, unix.SIOCGIFFLAGS, loopback); err != nil {
		return fmt.Errorf("read the flags of the loopback interface: %w", err)
	}
	loopback.SetUint16(loopback.Uint16() | unix.IFF_UP)
	if err := unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, loopback); err != nil {
		return fmt.Errorf("switch the loopback interface on: %w", err)
	}
	return nil
}
