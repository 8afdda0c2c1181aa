package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/dibgraph/dibgraph/internal/faultcount"
	"github.com/dibgraph/dibgraph/internal/testroot"
)

// A filesystem that becomes full, at whatever write, makes the build fail and
// say so, and leaves nothing; with room, the next build goes on.
func TestFaultsFullDisk(t *testing.T) {
	testroot.Require(t)
	s := newSufferer(t, "full disk")
	d := newSmallDisk(t, 96)
	f := &filler{sufferer: s, disk: d}
	s.tool("cp", "-a", "store", "first-store")

	s.on(d.path("store"))
	f.steps("a new store with", f.nothing, d.leave, s.path("out"), 16<<10, 512<<10)
	f.steps("a new store with", f.nothing, d.leave, s.path("out"), 512<<10, 64<<20)
	s.last("second")
	f.steps("a store that needs a disk, with", f.first, d.leave, s.path("out"), 8<<10, 128<<10)
	f.steps("a store that needs a disk, with", f.first, d.leave, s.path("out"), 256<<10, 64<<20)
	s.on(s.path("store"))
	f.steps("a destination with", f.nothing, d.leave, d.path("out"), 512<<10, 64<<20)
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

// steps tries with more and more room, until the build succeeds or there is so
// much room as in to. The short form tries a few of the steps.
func (f *filler) steps(what string, prepare func(), leave func(int64), out string, step, to int64) {
	f.t.Helper()
	if !faultcount.Full() {
		step = to / 2
	}
	for room := int64(0); room < to && !f.t.Failed(); room += step {
		prepare()
		f.tool("rm", "-rf", "out")
		if err := os.MkdirAll(out, 0o755); err != nil {
			f.t.Fatal(err)
		}
		leave(room)
		if f.try(fmt.Sprintf("%s room for %d KiB", what, room>>10), out) {
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
