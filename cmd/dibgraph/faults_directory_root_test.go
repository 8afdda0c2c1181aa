package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/cache/remote/faulty"
	"github.com/dibgraph/dibgraph/internal/faultcount"
)

// What can happen to a directory as a whole.
var directoryStates = []struct {
	name, says string
	// make leaves a directory in that state, and returns what ends it.
	make func(dir string) (end func() error, err error)
}{
	{"full", "no space left", mounted("size=64k", 0)},
	{"read-only", "read-only", mounted("size=64k", unix.MS_RDONLY)},
	{"a file", "not a directory", aFile("")},
	{"a file for objects", "not a directory", aFile("ac")},
	{"a file for contents", "not a directory", aFile("cas")},
}

func mounted(options string, flags uintptr) func(string) (func() error, error) {
	return func(dir string) (func() error, error) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
		return func() error { return unix.Unmount(dir, 0) }, unix.Mount("shared", dir, "tmpfs", flags, options)
	}
}

func aFile(name string) func(string) (func() error, error) {
	return func(dir string) (func() error, error) {
		file := filepath.Join(dir, name)
		return func() error { return os.Remove(file) },
			errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, nil, 0o644))
	}
}

// A directory that machines share, whatever happens to it or to files in it,
// makes no build fail and no image another one.
func TestFaultsDirectory(t *testing.T) {
	k := newDoubter(t, faultcount.New(t, "remote dir"))
	shared := t.TempDir()
	k.place = func(name string) string { return "dir:" + filepath.Join(shared, name) }
	k.fill()
	cases := 0
	sampled := func() bool { cases++; return faultcount.Full() || cases%10 == 4 }
	for _, damage := range faulty.Damages() {
		for _, of := range []faulty.Kind{faulty.Everything, faulty.Objects, faulty.Contents} {
			for _, oneIn := range []uint64{1, 2} {
				if sampled() {
					k.tryTakeDamaged(cases, shared, damage, of, oneIn)
				}
			}
		}
		if sampled() {
			k.tryGiveDamaged(cases, shared, damage)
		}
		if damage.Says == "" && sampled() {
			k.tryMend(cases, shared, damage)
		}
	}
	for _, state := range directoryStates {
		if sampled() {
			k.tryState(cases, shared, state.name, state.says, state.make)
		}
	}
}

// tryTakeDamaged builds with what a damaged copy of the directory has, and then
// with the directory itself.
func (k *doubter) tryTakeDamaged(i int, shared string, d faulty.Damage, of faulty.Kind, oneIn uint64) {
	k.t.Helper()
	turn := i % 2 * (10 + i)
	k.suite.Case()
	k.what = fmt.Sprintf("take turn %d: %s for %s, one in %d", turn, d.Name, of, oneIn)
	damaged := filepath.Join(shared, fmt.Sprint("case", i))
	k.tool("rm", "-rf", "store")
	k.tool("cp", "-a", filepath.Join(shared, "full"), damaged)
	if n, err := faulty.DamageFiles(damaged, d, of, oneIn, uint64(i)); err != nil || n == 0 && oneIn == 1 {
		k.t.Fatalf("%s: damaged %d files, %v", k.what, n, err)
	}
	_, said := k.builds(k.program, turn, k.from("dir:"+damaged)...)
	k.checkReason(said, d.Says)
	// It is well again.
	k.tool("rm", "-rf", damaged)
	k.tool("cp", "-a", filepath.Join(shared, "full"), damaged)
	if ran := k.well(k.program, 1, k.from("dir:"+damaged)...); ran != 0 {
		k.suite.Wrong(k.t, "%s: %d nodes ran with a directory that is well again and has everything", k.what, ran)
	}
	k.tool("rm", "-rf", damaged)
}

// tryGiveDamaged gives to a directory with damaged objects, which mends them.
func (k *doubter) tryGiveDamaged(i int, shared string, d faulty.Damage) {
	k.t.Helper()
	turn := 10 + i
	k.suite.Case()
	k.what = fmt.Sprintf("give turn %d: %s for objects", turn, d.Name)
	damaged := filepath.Join(shared, fmt.Sprint("case", i))
	k.tool("rm", "-rf", "store")
	k.tool("cp", "-a", k.warm, "store")
	k.tool("cp", "-a", filepath.Join(shared, "full"), damaged)
	if n, err := faulty.DamageFiles(damaged, d, faulty.Objects, 1, uint64(i)); err != nil || n == 0 {
		k.t.Fatalf("%s: damaged %d files, %v", k.what, n, err)
	}
	_, said := k.builds(k.program, turn, k.to("dir:"+damaged)...)
	k.checkReason(said, d.Says)
	// What cannot be read is not replaced.
	k.tool("find", filepath.Join(damaged, "ac"), "-mindepth", "1", "!", "-type", "f", "-delete")
	k.goesOn(turn, "dir:"+damaged)
	k.checkWhole(damaged)
	k.tool("rm", "-rf", damaged)
}

// tryMend takes from a directory whose contents are damaged and gives to it, on a
// machine that has nothing, which leaves it as good as new.
func (k *doubter) tryMend(i int, shared string, d faulty.Damage) {
	k.t.Helper()
	turn := 10 + i
	k.suite.Case()
	k.what = fmt.Sprintf("mend turn %d: %s for contents", turn, d.Name)
	damaged := filepath.Join(shared, fmt.Sprint("case", i))
	k.tool("rm", "-rf", "store")
	k.tool("cp", "-a", filepath.Join(shared, "full"), damaged)
	if n, err := faulty.DamageFiles(damaged, d, faulty.Contents, 1, uint64(i)); err != nil || n == 0 {
		k.t.Fatalf("%s: damaged %d files, %v", k.what, n, err)
	}
	place := "dir:" + damaged
	if _, said := k.builds(k.program, turn, append(k.to(place), k.from(place)...)...); !strings.Contains(said, "made again") {
		k.t.Errorf("%s: nothing had to be made again:\n%s", k.what, said)
	}
	k.checkWhole(damaged)
	// One that needs the image, and one that needs what is below it.
	for _, next := range []int{turn, turn + 1000} {
		second := k.elsewhere("home/second")
		if _, said := k.builds(second, next, k.from(place)...); strings.Contains(said, "made again") {
			k.suite.Wrong(k.t, "%s: not all contents are mended:\n%s", k.what, said)
		}
		k.tool("rm", "-rf", "home/second")
	}
	k.tool("rm", "-rf", damaged)
}

// tryState takes from a directory in some state and gives to it, and then gives
// to it again when it is well.
func (k *doubter) tryState(i int, shared, name, says string, prepare func(string) (func() error, error)) {
	k.t.Helper()
	turn := 10 + i
	k.suite.Case()
	k.what = fmt.Sprintf("give turn %d: %s", turn, name)
	dir := filepath.Join(shared, fmt.Sprint("case", i))
	k.tool("rm", "-rf", "store")
	k.tool("cp", "-a", k.warm, "store")
	end, err := prepare(dir)
	if err != nil {
		k.t.Fatal(err)
	}
	_, said := k.builds(k.program, turn, append(k.to("dir:"+dir), k.from("dir:"+dir)...)...)
	if !k.checkReason(said, says) {
		k.suite.Wrong(k.t, "%s: it is not said why the directory is left out:\n%s", k.what, said)
	}
	if name != "a file" { // which has nothing in it
		k.checkWhole(dir)
	}
	if err := end(); err != nil {
		k.t.Fatal(err)
	}
	k.goesOn(turn, "dir:"+dir)
	k.tool("rm", "-rf", dir)
}

// checkWhole looks for files in a shared directory that were not finished.
func (k *doubter) checkWhole(dir string) {
	k.t.Helper()
	if left := k.tool("find", dir, "-name", ".new-*"); left != "" {
		k.suite.Leak(k.t, "%s: in the directory:\n%s", k.what, left)
	}
}
