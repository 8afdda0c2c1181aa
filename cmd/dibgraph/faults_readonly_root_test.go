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

	"github.com/dibgraph/dibgraph/internal/faultcount"
	"github.com/dibgraph/dibgraph/internal/testroot"
)

// A store that cannot be written is read as ever, and no build begins on it.
// One that cannot be written any more fails the build, and is repaired by the
// next one.
func TestFaultsReadOnly(t *testing.T) {
	testroot.Require(t)
	s := newSufferer(t, "read-only")
	r := &reader{sufferer: s, disk: newSmallDisk(t, 128)}
	s.tool("cp", "-a", "store", r.disk.path("store"))
	s.on(r.disk.path("store"))
	r.readAsEver()
	r.disk.remount("ro")
	r.commandsRefuse()
	r.noStore()
	r.noDestination()
	r.disk.remount("rw")
	moments := 2
	if faultcount.Full() {
		moments = 40
	}
	for i := range moments {
		r.inTheMiddle(i)
		if t.Failed() {
			t.Fatalf("after moment %d", i)
		}
	}
}

type reader struct {
	*sufferer
	disk *smallDisk
}

// remount changes the mount of the disk, which nobody writes to.
func (d *smallDisk) remount(how string) {
	d.t.Helper()
	tool(d.t, "mount", "-o", "remount,"+how, d.dir)
}

// readAsEver compares what commands say that need not write.
func (r *reader) readAsEver() {
	r.t.Helper()
	for _, args := range [][]string{
		{"plan", "-n", "-t", "raw,qcow2,tar", "-o", r.path("home/image"), "tiny", "app"},
		{"explain"}, {"explain", "--json"}, {"log", "disk"}, {"show", "disk"}, {"why", "/etc/late"}, {"builds"},
		{"cache", "ls"}, {"cache", "du"}, {"cache", "trim", "--dry-run"}, {"graph", "-n", "tiny", "app"},
	} {
		r.suite.Case()
		name := "dibgraph " + strings.Join(args, " ")
		want, err := r.output(args...)
		if err != nil {
			r.t.Fatalf("%s: %v\n%s", name, err, want)
		}
		r.disk.remount("ro")
		got, err := r.output(args...)
		r.disk.remount("rw")
		if err != nil || got != want {
			r.suite.Wrong(r.t, "%s on a read-only store: %v\n%s\nwant:\n%s", name, err, got, want)
		}
	}
}

// refuses checks that a command fails before it does anything.
func (r *reader) refuses(what string, status int, hint string, args ...string) {
	r.t.Helper()
	r.suite.Case()
	said, err := r.output(args...)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != status {
		r.suite.Wrong(r.t, "%s: %v, want status %d\n%s", what, err, status, said)
		return
	}
	if strings.Contains(said, `"started"`) {
		r.suite.Wrong(r.t, "%s: something ran:\n%s", what, said)
	}
	r.clear(what, said, "read-only file system", "dibgraph: hint: "+hint)
	r.checkLeft(what, r.disk)
}

func (r *reader) commandsRefuse() {
	r.t.Helper()
	const hint = "make that filesystem writable"
	r.refuses("a build", exitCache, hint, r.build(r.path("home/out"))...)
	r.last("other")
	r.refuses("a build of something new", exitCache, hint, r.build(r.path("home/out"))...)
	r.refuses("a trim", exitCache, hint, "cache", "trim", "--max-size", "1MB")
	r.refuses("a pin", exitCache, hint, "cache", "pin", "tiny")
	if names := r.tellNames(r.path("home/out")); len(names) > 0 {
		r.suite.Wrong(r.t, "there are outputs: %q", names)
	}
}

// noStore is about a store that cannot be made.
func (r *reader) noStore() {
	r.t.Helper()
	r.on(r.disk.path("none"))
	r.refuses("a build that makes a store", exitCache, "make that filesystem writable", r.build(r.path("home/out"))...)
	r.suite.Case()
	if said, err := r.output("plan", "-n", "tiny", "app"); err != nil || !strings.Contains(said, "disk") {
		r.suite.Wrong(r.t, "a plan without a store: %v\n%s", err, said)
	}
}

// otherUser is about the store of root, which nobody else may read.
func (r *reader) otherUser() {
	r.t.Helper()
	for _, dir := range []string{filepath.Dir(r.dir), r.dir} {
		if err := os.Chmod(dir, 0o755); err != nil {
			r.t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"cache", "ls"}, {"builds"}, {"explain"}, {"cache", "trim"}, {"cache", "verify"}} {
		r.suite.Case()
		what := "dibgraph " + strings.Join(args, " ") + " as another user"
		cmd := exec.Command("setpriv", append([]string{"--reuid=65534", "--regid=65534", "--clear-groups", "dibgraph"}, args...)...)
		cmd.Dir, cmd.Env = "/", r.env
		said, err := cmd.CombinedOutput()
		if err == nil {
			r.suite.Wrong(r.t, "%s has read the store:\n%s", what, said)
		}
		r.clear(what, string(said), "permission denied", "dibgraph: hint: ")
	}
}

func (r *reader) noDestination() {
	r.t.Helper()
	r.on(r.path("store"))
	r.otherUser()
	r.refuses("a build to a read-only directory", exitFailed, "make that filesystem writable", r.build(r.disk.dir)...)
	r.on(r.disk.path("store"))
}

// inTheMiddle makes the filesystem of the store read-only at a random moment of
// a build, as an error of its disk does.
func (r *reader) inTheMiddle(i int) {
	r.t.Helper()
	r.suite.Case()
	after := fmt.Sprintf("moment %d", i)
	r.last(after)
	out := r.path("home/out")
	r.tool("rm", "-rf", out) // outputs of two builds would be no set
	if i%3 == 0 {
		r.tool("rm", "-rf", r.disk.path("store"))
	}
	r.tool("sync", "-f", r.disk.dir)
	cmd := r.command(r.build(out)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	time.Sleep(time.Duration(rand.IntN(2500)) * time.Millisecond)
	r.disk.fail()
	hung := time.AfterFunc(2*time.Minute, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	err := cmd.Wait()
	if !hung.Stop() {
		r.suite.Wrong(r.t, "%s: the build hung:\n%s", after, &said)
	}
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != exitFailed && exit.ExitCode() != exitCache) {
		r.suite.Wrong(r.t, "%s: the build ended with %v\n%s", after, err, &said)
	}
	if err != nil {
		r.clear(after, said.String(), "dibgraph: ")
		if !strings.Contains(said.String(), "read-only file system") && !strings.Contains(said.String(), "input/output error") {
			r.suite.Wrong(r.t, "%s: the message does not say what is the matter:\n%s", after, &said)
		}
	}
	r.checkOutputs(out, after)
	r.disk.mountAgain(true)
	for _, what := range append(r.processes(), append(r.loops(), loopsOf(r.t, r.disk.dir+"/")...)...) {
		r.suite.Leak(r.t, "%s: %s", after, what)
	}
	// Whether what is there is its own a store that was cut off may not know; a
	// file that may be another's is set aside.
	r.tool("rm", "-rf", out)
	r.goOn(after, out, "")
	r.checkLeft(after, r.disk)
	r.verify(after, true)
}

// fail makes the kernel find an error in the filesystem, for which it makes it
// read-only.
func (d *smallDisk) fail() {
	d.t.Helper()
	device := strings.TrimSpace(tool(d.t, "findmnt", "-no", "SOURCE", d.dir))
	if err := os.WriteFile(filepath.Join("/sys/fs/ext4", filepath.Base(device), "trigger_fs_error"), []byte("a test\n"), 0); err != nil {
		d.t.Fatal(err)
	}
}
