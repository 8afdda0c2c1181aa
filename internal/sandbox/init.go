package sandbox

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/dibgraph/dibgraph/internal/mount"
	"golang.org/x/sys/unix"
)

// hostName is the same on every machine, because a hook may write it somewhere.
const hostName = "dibgraph"

// runInit is PID 1 of the namespace. It is a process of its own, apart from the
// program, because an init has to reap every process that loses its parent, and
// waiting for any child would take away the exit status of the program's own
// commands. Arguments as for runProgram.
func runInit(args []string) int {
	// Init has no default actions for signals; the Go runtime would add some,
	// and a hook's "kill 1" would end the build.
	signal.Notify(make(chan os.Signal, 1))
	name, extra, err := arguments(args)
	go dieWithParent()
	if err == nil {
		err = closeOnExec()
	}
	if err == nil {
		err = setUp()
	}
	var pid int
	if err == nil {
		pid, err = startProgram(name, extra)
	}
	if err != nil {
		return send(os.NewFile(resultFD, "result"), nil, err)
	}
	for fd := inputFD; fd < initExtraFD+extra; fd++ {
		// Init keeps nothing open that is the program's, above all not the
		// write end of the result, of which Run waits for the end.
		if fd != livenessFD {
			unix.Close(fd)
		}
	}
	return reapUntil(pid)
}

// dieWithParent ends init, and so the namespace, when the process of Run is gone:
// it alone has the other end of the pipe. The parent-death signal does the same,
// but is set only after the clone.
func dieWithParent() {
	err := unix.SetNonblock(livenessFD, false)
	for err == nil || errors.Is(err, unix.EINTR) {
		var n int
		if n, err = unix.Read(livenessFD, make([]byte, 1)); n == 0 && err == nil {
			break
		}
	}
	// An error means, like the end, that nobody watches this process any more.
	os.Exit(1)
}

func setUp() error {
	if err := mount.MakePrivate(); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	flags := uintptr(unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC)
	if err := mount.Type("proc", "proc", "/proc", flags, ""); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	if err := unix.Sethostname([]byte(hostName)); err != nil {
		return fmt.Errorf("sandbox: set host name: %w", err)
	}
	unix.Umask(0o022)
	return nil
}

func startProgram(name string, extra int) (pid int, err error) {
	files := []uintptr{0, 1, 2, inputFD, resultFD}
	for i := range extra {
		files = append(files, uintptr(initExtraFD+i))
	}
	args := []string{programName, name, strconv.Itoa(extra)}
	pid, err = syscall.ForkExec("/proc/self/exe", args, &syscall.ProcAttr{Env: environment, Files: files})
	if err != nil {
		return 0, fmt.Errorf("sandbox: start program %q: %w", name, err)
	}
	return pid, nil
}

// reapUntil waits for children, adopted ones too, until the program has ended,
// and gives the exit status that tells Run how.
func reapUntil(program int) int {
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return 1 // no children, although the program has not been waited for
		case pid == program && status.Signaled():
			return signalStatus + int(status.Signal())
		case pid == program && status.Exited():
			return status.ExitStatus()
		}
	}
}
