package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/dibgraph/dibgraph/internal/command"
	"github.com/dibgraph/dibgraph/internal/mount"
	"golang.org/x/sys/unix"
)

// victimName is argv[0] of a process of this test binary that calls Run and is
// killed: what it leaves behind is what the test looks for.
const victimName = "dibgraph-sandbox-victim"

// A burden is what a sandbox holds when its parent is killed.
type burden struct {
	Image string // file with an ext4, to be mounted by a loop device
	Dir   string // mounted there, and an overlay on its subdirectories
	Mark  string // argument of a process that stays
}

func init() { Register("burden", carry) }

// runVictim is the victim: it starts the sandbox and waits.
func runVictim(args []string) int {
	var b burden
	if err := json.Unmarshal([]byte(args[0]), &b); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	err := Run(context.Background(), Config{Program: "burden", Input: b, Stdout: os.Stdout, Stderr: os.Stderr}, nil)
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// carry makes the loop device and the mounts, starts the process and stays.
func carry(ctx context.Context, in []byte) (any, error) {
	var b burden
	if err := json.Unmarshal(in, &b); err != nil {
		return nil, err
	}
	device, err := attach(b.Image)
	if err != nil {
		return nil, err
	}
	if err := mount.Type("ext4", device.Name(), b.Dir, 0, ""); err != nil {
		return nil, err
	}
	if err := device.Close(); err != nil { // the mount holds it from now on
		return nil, err
	}
	in1 := func(name string) string { return filepath.Join(b.Dir, name) }
	for _, name := range []string{"lower", "upper", "work", "merged"} {
		if err := os.Mkdir(in1(name), 0o755); err != nil {
			return nil, err
		}
	}
	o := mount.Overlay{Lower: []string{in1("lower")}, Upper: in1("upper"), Work: in1("work"), Volatile: true}
	if err := o.Mount(in1("merged")); err != nil {
		return nil, err
	}
	err = command.Cmd{Path: "sh", Dir: in1("merged"), Args: []string{"-c",
		"exec 9>file; setsid setsid sleep " + b.Mark + " >/dev/null 2>&1 & echo ready"}, Stdout: os.Stdout}.Run(ctx)
	return nil, errors.Join(err, sleepForever())
}

// attach attaches a file to a free loop device that clears itself.
func attach(image string) (*os.File, error) {
	backing, err := os.OpenFile(image, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer backing.Close()
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer control.Close()
	for range 20 { // another process may take the free one first
		n, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return nil, err
		}
		device, err := os.OpenFile(fmt.Sprintf("/dev/loop%d", n), os.O_RDWR, 0)
		if err != nil {
			return nil, err
		}
		config := unix.LoopConfig{Fd: uint32(backing.Fd())}
		config.Info.Flags = unix.LO_FLAGS_AUTOCLEAR
		if err = unix.IoctlLoopConfigure(int(device.Fd()), &config); err == nil {
			return device, nil
		}
		device.Close()
		if !errors.Is(err, unix.EBUSY) {
			return nil, err
		}
	}
	return nil, errors.New("no free loop device in 20 attempts")
}
