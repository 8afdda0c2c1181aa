package loop

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/internal/partition"
	"github.com/dibgraph/dibgraph/internal/testroot"
)

// holdEnv makes the test binary attach the file it names, with a mounted
// filesystem and a partition if asked, say which device it got, and wait to be killed.
const holdEnv = "DIBGRAPH_LOOP_TEST_HOLD"

func TestMain(m *testing.M) {
	if path := os.Getenv(holdEnv); path != "" {
		hold(path)
	}
	os.Exit(m.Run())
}

func hold(path string) {
	device, err := Attach(path, Options{})
	if err == nil {
		_, err = partition.Add(device.File(), 1, 1<<20, 1<<20)
	}
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	fmt.Println(device.Path)
	testroot.WaitForKill()
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func image(t *testing.T, size int64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image.raw")
	must(t, os.WriteFile(path, nil, 0o600), os.Truncate(path, size))
	return path
}

func TestAttach(t *testing.T) {
	testroot.Require(t)
	path := image(t, 1<<20)
	device, err := Attach(path, Options{})
	must(t, err)
	if !device.Attached() {
		t.Errorf("%s is not attached", device.Path)
	}
	_, err = device.File().WriteAt([]byte("through the device"), 4096)
	must(t, err, device.Close())
	if device.Attached() {
		t.Errorf("%s is still attached after Close", device.Path)
	}
	content, err := os.ReadFile(path)
	must(t, err)
	if !bytes.HasPrefix(content[4096:], []byte("through the device")) {
		t.Errorf("the file has %q where the device was written", content[4096:4120])
	}
}

func TestAttachOptions(t *testing.T) {
	testroot.Require(t)
	for _, test := range []struct {
		options Options
		sector  int
		size    uint64
	}{
		{Options{}, 512, 1 << 20},
		{Options{BlockSize: 4096}, 4096, 1 << 20},
		{Options{ReadOnly: true}, 512, 1 << 20},
		{Options{DirectIO: true, BlockSize: 4096}, 4096, 1 << 20},
		{Options{Offset: 64 << 10, SizeLimit: 128 << 10}, 512, 128 << 10},
		{Options{Offset: 512}, 512, 1<<20 - 512},
	} {
		device, err := Attach(image(t, 1<<20), test.options)
		must(t, err)
		fd := int(device.File().Fd())
		sector, err := unix.IoctlGetInt(fd, unix.BLKSSZGET)
		must(t, err)
		end, err := device.File().Seek(0, 2)
		must(t, err)
		if sector != test.sector || uint64(end) != test.size {
			t.Errorf("%+v: sectors of %d bytes, size %d; want %d, %d", test.options, sector, end, test.sector, test.size)
		}
		info, err := unix.IoctlLoopGetStatus64(fd)
		must(t, err)
		if info.Flags&ownFlags != ownFlags {
			t.Errorf("%+v: flags %#x; want autoclear and partscan", test.options, info.Flags)
		}
		if readOnly := info.Flags&unix.LO_FLAGS_READ_ONLY != 0; readOnly != test.options.ReadOnly {
			t.Errorf("%+v: read-only %t", test.options, readOnly)
		}
		must(t, device.Close())
	}
}

func TestAttachInSteps(t *testing.T) {
	testroot.Require(t)
	file, err := os.OpenFile(image(t, 1<<20), os.O_RDWR, 0)
	must(t, err)
	defer file.Close()
	for range attempts {
		control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
		must(t, err)
		number, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
		must(t, err, control.Close())
		device, err := openNode(fmt.Sprintf("/dev/loop%d", number), number, false)
		must(t, err)
		err = configureInSteps(device, file, unix.LoopInfo64{Offset: 4096}, 4096, false)
		if errors.Is(err, unix.EBUSY) {
			must(t, device.Close())
			continue
		}
		must(t, err)
		info, err := unix.IoctlLoopGetStatus64(int(device.Fd()))
		must(t, err)
		if info.Flags&unix.LO_FLAGS_AUTOCLEAR == 0 || info.Offset != 4096 {
			t.Errorf("flags %#x, offset %d; want autoclear, 4096", info.Flags, info.Offset)
		}
		must(t, device.Close())
		return
	}
	t.Fatal("no free device")
}

func TestAttachRefuses(t *testing.T) {
	testroot.Require(t)
	for _, options := range []Options{{BlockSize: 511}, {BlockSize: 1 << 20}, {BlockSize: 768}, {Offset: 7}, {SizeLimit: -512}} {
		if device, err := Attach(image(t, 1<<20), options); err == nil {
			t.Errorf("Attach with %+v made %s, want an error", options, device.Path)
			must(t, device.Close())
		}
	}
	if _, err := Attach(filepath.Join(t.TempDir(), "none"), Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Attach of a missing file = %v, want ErrNotExist", err)
	}
}

// More devices than the driver starts with, from many goroutines at once.
func TestAttachInParallel(t *testing.T) {
	testroot.Require(t)
	const count = 24
	var group sync.WaitGroup
	devices := make([]*Device, count)
	paths := make([]string, count)
	for i := range count {
		paths[i] = image(t, 64<<10)
	}
	for i := range count {
		group.Go(func() {
			device, err := Attach(paths[i], Options{})
			if err != nil {
				t.Error(err)
				return
			}
			devices[i] = device
			if _, err := device.File().WriteAt([]byte(paths[i]), 0); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for i, device := range devices {
		if device == nil {
			continue
		}
		must(t, device.Close())
		if content, err := os.ReadFile(paths[i]); err != nil || !bytes.HasPrefix(content, []byte(paths[i])) {
			t.Errorf("%s: the file of another device: %v", device.Path, err)
		}
	}
}

func TestOpenNodeCreatesIt(t *testing.T) {
	testroot.Require(t)
	path := filepath.Join(t.TempDir(), "loop0")
	file, err := openNode(path, 0, true)
	must(t, err)
	defer file.Close()
	var stat unix.Stat_t
	must(t, unix.Fstat(int(file.Fd()), &stat))
	if want := unix.Mkdev(7, 0); stat.Mode&unix.S_IFMT != unix.S_IFBLK || stat.Rdev != want {
		t.Errorf("mode %o, device %x; want a block device %x", stat.Mode, stat.Rdev, want)
	}
}

func TestKilledOwnerLeavesNothing(t *testing.T) {
	testroot.Require(t)
	path := image(t, 4<<20)
	owner := exec.Command("/proc/self/exe")
	owner.Env = []string{holdEnv + "=" + path}
	out, err := owner.StdoutPipe()
	must(t, err, owner.Start())
	line := make([]byte, 200)
	n, err := out.Read(line)
	must(t, err)
	device := Device{Path: strings.TrimSpace(string(line[:n]))}
	if !device.Attached() {
		t.Fatalf("%q is not attached", device.Path)
	}
	node := partition.Path(device.Path, 1)
	if _, err := os.Stat(node); err != nil {
		t.Errorf("the partition of a running owner is gone: %v", err)
	}

	must(t, owner.Process.Signal(syscall.SIGKILL))
	if err := owner.Wait(); err == nil {
		t.Error("the owner ended without an error")
	}
	if device.Attached() {
		t.Errorf("%s outlives its owner", device.Path)
	}
	if _, err := os.Stat("/sys/class/block/" + filepath.Base(node)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("partition %s outlives its device: %v", node, err)
	}
}

// Whoever gets the device next gets it without old partitions.
func TestAttachForgetsOldPartitions(t *testing.T) {
	testroot.Require(t)
	device, err := Attach(image(t, 4<<20), Options{})
	must(t, err)
	_, err = partition.Add(device.File(), 3, 1<<20, 1<<20)
	// Without Close: as after a kill.
	must(t, err, device.file.Close())

	file, err := os.OpenFile(device.Path, os.O_RDWR, 0)
	must(t, err, claim(file), file.Close())
	if _, err := os.Stat(partition.Path("/sys/class/block/"+filepath.Base(device.Path), 3)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the old partition is still there: %v", err)
	}
}
