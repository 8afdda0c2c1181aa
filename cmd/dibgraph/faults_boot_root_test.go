package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/internal/faultcount"
	"github.com/dibgraph/dibgraph/internal/testroot"
)

// The machine goes down in the middle of a build: the filesystem of the store
// keeps only what it had written to its disk by then, and the next build, under
// another boot id, believes nothing that may not have been.
func TestFaultsUncleanBoot(t *testing.T) {
	testroot.Require(t)
	moments := 3
	if faultcount.Full() {
		moments = 50
	}
	s := newSufferer(t, "unclean boot")
	d := newSmallDisk(t, 256)
	s.on(d.path("store"))
	b := &boots{sufferer: s, disk: d}
	started := time.Now()
	b.run(s.build(d.path("out"))...)
	b.whole = time.Since(started)
	for i := range moments {
		b.goDown(i)
		if t.Failed() {
			t.Fatalf("after boot %d", i)
		}
	}
	if faultcount.Full() && b.busy < moments/4 {
		t.Errorf("the machine went down in the middle of a build %d times of %d", b.busy, moments)
	}
}

type boots struct {
	*sufferer
	disk  *smallDisk
	whole time.Duration // that a build takes
	busy  int           // how often a build was running
}

// goDown builds until the filesystem goes down at a random moment.
func (b *boots) goDown(i int) {
	b.t.Helper()
	b.suite.Case()
	after := fmt.Sprintf("boot %d", i)
	// Most go on with what there is; some begin with nothing.
	if i%5 == 0 {
		b.tool("rm", "-rf", b.disk.path("store"), b.disk.path("out"))
		unix.Sync()
	}
	b.last(after)
	cmd := b.command(b.build(b.disk.path("out"))...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		ended <- err
	case <-time.After(time.Duration(rand.Int64N(int64(b.whole)))):
		b.busy++
	}
	b.disk.goDown()
	// Nothing of it is written any more, as after a loss of power; what runs
	// is no part of that, and goes.
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	var exit *exec.ExitError
	if err := <-ended; err != nil && !errors.As(err, &exit) {
		b.t.Fatal(err)
	}
	b.disk.mountAgain(false)
	for _, what := range b.processes() {
		b.suite.Leak(b.t, "%s: %s", after, what)
	}
	b.comeUp(i, after)
}

// comeUp looks at the store and builds, in another boot.
func (b *boots) comeUp(i int, after string) {
	b.t.Helper()
	// What was delivered may be anything by now, under its name too: it is made
	// again whatever it is.
	args := b.build(b.disk.path("out"))
	for _, command := range [][]string{append([]string{"plan"}, args[3:]...), {"cache", "ls"}, {"builds"}} {
		if said, err := b.inBoot(i, command...); err != nil {
			b.suite.Wrong(b.t, "%s: %s: %v\n%s", after, command[0], err, said)
		}
	}
	said, err := b.inBoot(i, args...)
	if err != nil {
		b.suite.Wrong(b.t, "%s: the next build: %v\n%s", after, err, said)
		return
	}
	b.aside(after)
	b.checkOutputs(b.disk.path("out"), after)
	for _, name := range sufferedOutputs {
		if _, err := os.Lstat(b.disk.path("out/" + name)); err != nil {
			b.suite.Wrong(b.t, "%s: the next build: %v", after, err)
		}
	}
	b.checkLeft(after, b.disk)
	b.verify(after, true)
	if said, err := b.inBoot(i, args...); err != nil || len(nodesWith(said, func(status string) bool { return status == "ran" })) > 0 {
		b.suite.Wrong(b.t, "%s: the build after that ran something: %v\n%s", after, err, said)
	}
}

// aside takes away what the build set aside as not its own: a file that the
// machine went down over is not what was delivered.
func (b *boots) aside(after string) {
	b.t.Helper()
	for _, name := range b.tellNames(b.disk.path("out")) {
		if strings.HasPrefix(name, "image-") {
			b.t.Logf("%s: %s was set aside", after, name)
			b.tool("rm", filepath.Join(b.disk.path("out"), name))
		}
	}
}

// inBoot runs dibgraph under the boot id of a boot of its own.
func (b *boots) inBoot(i int, args ...string) (string, error) {
	b.t.Helper()
	id := fmt.Sprintf("home/boot-%d", i)
	b.write(id, fmt.Sprintf("%08d-0000-4000-8000-000000000000\n", i))
	const script = `mount --bind "$1" /proc/sys/kernel/random/boot_id && shift && exec dibgraph "$@"`
	cmd := exec.Command("unshare", append([]string{"--mount", "sh", "-c", script, "sh", b.path(id)}, args...)...)
	cmd.Dir, cmd.Env = b.dir, b.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// goDown ends all writing to the disk at once, without writing what the kernel
// has in memory: its journal neither.
func (d *smallDisk) goDown() {
	d.t.Helper()
	dir, err := os.Open(d.dir)
	if err != nil {
		d.t.Fatal(err)
	}
	defer dir.Close()
	// EXT4_IOC_SHUTDOWN and EXT4_GOING_FLAGS_NOLOGFLUSH of fs/ext4/ext4.h.
	const shutdown, noLogFlush = 0x8004587D, 2
	flags := uint32(noLogFlush)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, dir.Fd(), shutdown, uintptr(unsafe.Pointer(&flags))); errno != 0 {
		d.t.Fatalf("take %s down: %v", d.dir, errno)
	}
}
