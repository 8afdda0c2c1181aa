package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dibgraph/dibgraph/internal/faultcount"
	"github.com/dibgraph/dibgraph/internal/testroot"
)

// A filesystem that becomes full, at whatever write, makes the build fail and
// say so, and leaves nothing; with room, the next build goes on.
func TestFaultsFullDisk(t *testing.T) {
	testroot.Require(t)
	s := newSufferer(t, "full disk")
	s.tool("cp", "-a", "store", "first-store")
	f := &filler{sufferer: s, disk: newSmallDisk(t, 96)}
	f.on(f.disk.path("store"))
	kib := func(n int64) { f.disk.leave(n << 10) }
	f.steps("a new store with room for %d KiB", f.nothing, kib, s.path("out"), 24, 512)
	f.steps("a new store with room for %d KiB", f.nothing, kib, s.path("out"), 2048, 64<<10)
	s.last("second")
	f.steps("a store that needs a disk, with room for %d KiB", f.first, kib, s.path("out"), 8, 128)
	f.steps("a store that needs a disk, with room for %d KiB", f.first, kib, s.path("out"), 1536, 64<<10)
	for _, room := range []int64{0, 4, 8, 64} {
		f.trim(room << 10)
	}
	f.on(s.path("store"))
	f.steps("a destination with room for %d KiB", f.nothing, kib, f.disk.path("out"), 2048, 64<<10)

	f.disk = newSmallDisk(t, 96, "-N", "4096")
	f.on(f.disk.path("store"))
	files := func(n int64) { f.disk.leaveFiles(uint64(n)) }
	f.steps("a new store with %d files left", f.nothing, files, s.path("out"), 90, 4000)
}

// A filler fills a disk more or less, and builds.
type filler struct {
	*sufferer
	disk *smallDisk
}

// nothing empties the disk, first also puts a store there in which the disk has
// to be made.
func (f *filler) nothing() {
	f.t.Helper()
	f.tool("rm", "-rf", f.disk.path("store"), f.disk.path("out"))
}

func (f *filler) first() {
	f.t.Helper()
	f.nothing()
	f.tool("cp", "-a", "first-store", f.disk.path("store"))
}

// trim empties the store of a disk that is full, which makes room, or says why
// it cannot. That needs a little room: for its lock and what it looks for.
func (f *filler) trim(room int64) {
	f.t.Helper()
	f.suite.Case()
	f.first()
	f.tool("rm", "-rf", "out")
	f.disk.leave(room)
	after := fmt.Sprintf("a trim with room for %d KiB", room>>10)
	before := f.disk.free()
	said, err := f.output("cache", "trim", "--max-size", "1KiB")
	if freed := f.disk.free() - before; err == nil && freed < 1<<20 {
		f.suite.Wrong(f.t, "%s: it made room for %d bytes only:\n%s", after, freed, said)
	}
	if over := strings.Contains(said, "over the limit"); err != nil && !over {
		f.clear(after, said, "no space left on device", "dibgraph: hint: make room")
		if room >= 8<<10 {
			f.suite.Wrong(f.t, "%s: %v\n%s", after, err, said)
		}
	}
	f.checkLeft(after, f.disk)
	f.disk.relieve()
	f.verify(after, false)
	f.goOn(after, f.path("out"), "")
}

// steps tries with more and more of what is left, until the build succeeds or
// there is as much as in to. The short form tries the first step and one more.
func (f *filler) steps(what string, prepare func(), leave func(int64), out string, step, to int64) {
	f.t.Helper()
	if !faultcount.Full() {
		step = to / 2
	}
	for left := int64(0); left < to && !f.t.Failed(); left += step {
		prepare()
		f.tool("rm", "-rf", "out")
		if err := os.MkdirAll(out, 0o755); err != nil {
			f.t.Fatal(err)
		}
		leave(left)
		if f.try(fmt.Sprintf(what, left), out) {
			return
		}
	}
}

// try builds with what room there is, and reports whether it sufficed.
func (f *filler) try(after, out string) bool {
	f.t.Helper()
	f.suite.Case()
	said, err := f.output(f.build(out, "--cache-min-free", "0")...)
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != exitFailed && exit.ExitCode() != exitCache) {
		f.suite.Wrong(f.t, "%s: the build ended with %v:\n%s", after, err, said)
	}
	f.checkLeft(after, f.disk)
	f.checkOutputs(out, after)
	f.disk.relieve()
	if _, err := os.Lstat(filepath.Join(f.store(), "VERSION")); err == nil {
		f.verify(after, false)
	}
	if err != nil {
		f.clear(after, said, "no space left on device", "dibgraph: hint: make room")
		f.goOn(after, out, said)
	}
	f.verify(after+", and a next build", faultcount.Full())
	return err == nil
}
