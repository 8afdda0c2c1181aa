package sandbox

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// killPatience is how long KillOthers waits for killed processes to go. Only one
// that waits for a device does not go at once.
const killPatience = 30 * time.Second

// KillOthers kills every other process of the program's PID namespace, except
// init, and returns when all of them are gone and reaped: none holds a file or a
// mount any more. Call it from a program, with no command running. An error names
// the processes that do not die.
func KillOthers() error {
	if os.Args[0] != programName {
		panic("sandbox: KillOthers outside a sandbox") // it would kill the machine
	}
	deadline := time.Now().Add(killPatience)
	for pause := 50 * time.Microsecond; ; pause = min(2*pause, 20*time.Millisecond) {
		// -1 is every process of the namespace but init and the caller. Again in
		// each round: one may have forked while the others were being killed.
		if err := unix.Kill(-1, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("kill the other processes of the sandbox: %w", err)
		}
		others, err := others()
		if err != nil || len(others) == 0 {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("kill the other processes of the sandbox: still there after %v: %s", killPatience, describe(others))
		}
		time.Sleep(pause)
	}
}

// others lists the processes of the namespace besides init and this one.
func others() ([]int, error) {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	defer proc.Close()
	names, err := proc.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil && pid != 1 && pid != os.Getpid() {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

func describe(pids []int) string {
	var names []string
	for _, pid := range pids {
		// One that has gone in the meantime is shown without a name.
		name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		names = append(names, fmt.Sprintf("%s (pid %d)", strings.TrimSpace(string(name)), pid))
	}
	return strings.Join(names, ", ")
}
