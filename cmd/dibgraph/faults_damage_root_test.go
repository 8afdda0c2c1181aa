package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/dibgraph/dibgraph/internal/faultcount"
	"github.com/dibgraph/dibgraph/internal/testroot"
)

// damages are what happens to a file of the store, or to one and another of its
// kind.
var damages = []struct {
	name string
	do   func(file, other string) error
}{
	{"garbage", func(file, _ string) error { return os.WriteFile(file, []byte("\x00garbage\n{"), 0o600) }},
	{"truncated", func(file, _ string) error {
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		return os.Truncate(file, info.Size()/2)
	}},
	{"empty", func(file, _ string) error { return os.Truncate(file, 0) }},
	{"missing", func(file, _ string) error { return os.Remove(file) }},
	{"swapped", func(file, other string) error {
		return errors.Join(os.Rename(file, file+"~"), os.Rename(other, file), os.Rename(file+"~", other))
	}},
}

// kinds are the files of a store, by the pattern of their paths.
var kinds = []struct{ name, pattern string }{
	{"record", "records/*/*"}, {"listing", "layers/*/*/listing"}, {"meta", "layers/*/*/meta"},
	{"tree", "layers/*/*/tree/mnt/etc/*"}, {"blob", "blobs/*/*"}, {"shapes", "shapes/*/*"},
	{"history", "history/*/*"}, {"receipt", "delivered/*/*"}, {"build", "builds/*"},
	{"tag", "CACHEDIR.TAG"}, {"lock", "lock"},
}

// A file of the store that is damaged, whatever it is, makes no image wrong and
// no command fail: what it was part of is made again, in the same build or when
// the next edit needs it. Changed bytes of a file in a layer that has its size
// are for a full verification.
func TestFaultsDamage(t *testing.T) {
	testroot.Require(t)
	suite := faultcount.New(t, "damaged store")
	some, workers := 1, 1
	if faultcount.Full() {
		some, workers = 12, 2*runtime.GOMAXPROCS(0)
	}
	for worker := range workers {
		t.Run(fmt.Sprint(worker), func(t *testing.T) {
			k := newDamager(t, suite)
			for number, kind := range kinds {
				k.tryKind(number, kind.name, k.files(kind.pattern), some, func(i int) bool { return (i+number)%workers == worker })
			}
		})
	}
}

// files returns those of a kind.
func (k *damager) files(pattern string) []string {
	k.t.Helper()
	files, err := filepath.Glob(k.path("first-store/" + pattern))
	if err != nil || len(files) == 0 {
		k.t.Fatalf("files of %s: %v, %v", pattern, files, err)
	}
	return slices.DeleteFunc(files, notRegular)
}

// tryKind tries all damages on some files of a kind: those that are mine.
func (k *damager) tryKind(number int, kind string, files []string, some int, mine func(i int) bool) {
	k.t.Helper()
	some = min(some, len(files))
	for i := range some {
		if !mine(i) {
			continue
		}
		file, other := files[i*len(files)/some], files[(i*len(files)/some+1)%len(files)]
		for at, damage := range damages {
			// The short form tries each damage on some kinds.
			if !faultcount.Full() && (at+number)%3 != 0 {
				continue
			}
			if damage.name == "swapped" && sameSize(file, other) {
				continue
			}
			k.try(kind+" "+damage.name, file, other, damage.do)
		}
	}
}

// notRegular reports whether a name is no file with bytes that can be damaged.
func notRegular(file string) bool {
	info, err := os.Lstat(file)
	return err != nil || !info.Mode().IsRegular()
}

// sameSize also says so of a file and itself.
func sameSize(a, b string) bool {
	one, err := os.Stat(a)
	two, otherErr := os.Stat(b)
	return err == nil && otherErr == nil && one.Size() == two.Size()
}

// A damager tries damages, each on a copy of one store.
type damager struct {
	*program
	suite *faultcount.Suite
	tree  map[string]string
}

var shortBuild = []string{"build", "-n", "-t", "raw,tar", "-o", "image", "tiny", "app"}

func newDamager(t *testing.T, suite *faultcount.Suite) *damager {
	t.Helper()
	k := &damager{program: newProgram(t), suite: suite}
	k.write("elements/app/root.d/50-etc", "#!/bin/sh\nset -e\necho text > \"$TARGET_ROOT/etc/early\"\n")
	k.write("elements/app/install.d/50-turn", "#!/bin/sh\n: \"$DIB_TURN\"\ncat /etc/early > /etc/late\n")
	k.turn(0)
	k.run(shortBuild...)
	k.tree = k.result()
	k.tool("mv", "store", "first-store")
	k.tool("mv", "image.raw", "first.raw")
	k.tool("mv", "image.tar", "first.tar")
	return k
}

func (k *damager) result() map[string]string {
	k.t.Helper()
	dir := k.t.TempDir()
	defer os.RemoveAll(dir)
	return describeTar(k.program, dir, "image.tar")
}

// try damages a file of first-store, in a copy of it, and looks at what the
// commands do then. The last build is one for which most has to run.
func (k *damager) try(name, file, other string, damage func(file, other string) error) {
	k.t.Helper()
	k.suite.Case()
	k.turn(0)
	k.tool("rm", "-rf", "store", "image.raw", "image.tar")
	k.tool("cp", "-a", "first-store", "store")
	in := strings.NewReplacer("/first-store/", "/store/")
	if err := damage(in.Replace(file), in.Replace(other)); err != nil {
		k.t.Fatal(err)
	}
	name = fmt.Sprintf("%s (%s)", name, strings.TrimPrefix(file, k.path("first-store/")))
	for turn := range 2 {
		k.turn(turn)
		for _, args := range [][]string{{"plan", "-n", "-t", "raw,tar", "-o", "image", "tiny", "app"}, shortBuild, {"explain"}} {
			if said, err := k.output(args...); err != nil {
				k.suite.Wrong(k.t, "%s: dibgraph %s: %v\n%s", name, args[0], err, said)
				return
			}
		}
		if !equalTrees(k.t, k.result(), k.tree) {
			k.suite.Wrong(k.t, "%s: the image of build %d is another one", name, turn+1)
		}
		k.tool("e2fsck", "-fn", "image.raw")
	}
}

// output runs dibgraph and returns all that it said.
func (p *program) output(args ...string) (string, error) {
	out, err := p.command(args...).CombinedOutput()
	return string(out), err
}
