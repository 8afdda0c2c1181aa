package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/internal/faultcount"
	"github.com/dibgraph/dibgraph/internal/testroot"
)

// A SIGKILL at any moment leaves no mount, loop device, process or output that
// is not whole, and the store opens. The next build makes what a build from
// nothing makes, and runs nothing that the killed one had finished.
func TestFaultsKill(t *testing.T) {
	testroot.Require(t)
	moments, every := 100, 4
	if faultcount.Full() {
		moments, every = 1000, 1
	}
	suite := faultcount.New(t, "kill")
	workers := runtime.GOMAXPROCS(0)
	for worker := range workers {
		t.Run(fmt.Sprint(worker), func(t *testing.T) {
			k := newKiller(t, suite)
			for i := worker; i < moments; i += workers {
				k.try(i, i/workers%every == 0)
				if t.Failed() {
					t.Fatalf("after kill %d", i)
				}
			}
			if k.busy < moments/workers/4 {
				t.Errorf("at %d of %d moments a process or a loop device was seen", k.busy, moments/workers)
			}
			k.checkNextBuild()
		})
	}
}

// A killer kills builds in a directory of its own.
type killer struct {
	*program
	suite       *faultcount.Suite
	whole, rest time.Duration     // that a build takes from nothing, and after one
	tree        map[string]string // of the image, but for /etc/turn
	busy        int               // moments at which there was something to leave behind
}

func newKiller(t *testing.T, suite *faultcount.Suite) *killer {
	t.Helper()
	k := &killer{program: newProgram(t), suite: suite}
	for name, text := range long {
		k.write(name, text)
	}
	k.whole = k.timeBuild(0)
	k.tree = k.result(0)
	k.rest = k.timeBuild(1)
	return k
}

// timeBuild returns how long a build with a turn takes here.
func (k *killer) timeBuild(turn int) time.Duration {
	k.t.Helper()
	k.turn(turn)
	started := time.Now()
	k.run(longBuild...)
	return time.Since(started)
}

// result describes the image of a turn, which is also looked for in it.
func (k *killer) result(turn int) map[string]string {
	k.t.Helper()
	dir := k.t.TempDir()
	defer os.RemoveAll(dir)
	tree := describeTar(k.program, dir, "image.tar")
	said, err := os.ReadFile(filepath.Join(dir, "etc/turn"))
	if want := fmt.Sprintf("turn %d\n", turn); err != nil || string(said) != want {
		k.suite.Wrong(k.t, "/etc/turn is %q, want %q (%v)", said, want, err)
	}
	delete(tree, "etc/turn")
	return tree
}

// try kills a build, and builds again if so wanted.
func (k *killer) try(i int, again bool) {
	k.t.Helper()
	k.suite.Case()
	// Most builds have a root to go on from, and what earlier kills left; a few
	// begin with nothing.
	took := k.rest
	if i%10 == 0 {
		k.tool("rm", "-rf", "store", "image.raw", "image.tar")
		took = k.whole
	}
	k.turn(i)
	finished := k.kill(i, took)
	for _, what := range k.leftBehind() {
		k.suite.Leak(k.t, "%s", what)
	}
	k.checkOutputs()
	k.storeOpens()
	if again {
		k.checkGoesOn(i, finished)
	}
}

// kill kills a build at a moment, in one of three ways, and returns the nodes
// that it had finished.
func (k *killer) kill(i int, took time.Duration) map[string]bool {
	k.t.Helper()
	cmd := k.command(append(longBuild, "--progress", "json")...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	// How long a build takes changes with what else the machine does; every
	// other kill therefore comes a while after the first sandbox was seen.
	moment := time.Duration(rand.Int64N(int64(took) * 11 / 10))
	if i/2%2 == 1 {
		for deadline := time.Now().Add(20 * time.Second); len(k.children(cmd.Process.Pid)) == 0 && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		moment /= 3
	}
	time.Sleep(moment)
	children := k.children(cmd.Process.Pid)
	if len(children) > 0 || len(k.loops()) > 0 {
		k.busy++
	}
	// One that has ended already is not there any more, which is as well.
	switch {
	case i%3 == 1:
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	case i%3 == 2 && len(children) > 0:
		_ = syscall.Kill(children[0], syscall.SIGKILL)
	default:
		_ = cmd.Process.Kill()
	}
	hung := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		k.t.Fatal(err)
	}
	if !hung.Stop() {
		k.suite.Leak(k.t, "the build hung after its sandbox was killed:\n%s", &said)
	}
	return nodesWith(said.String(), func(status string) bool { return status == "ran" || status == "hit" })
}

// children returns the processes that a process started.
func (k *killer) children(pid int) []int {
	var pids []int
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // the pattern is right
	for _, list := range lists {
		text, _ := os.ReadFile(list) // gone by now, perhaps
		for _, field := range strings.Fields(string(text)) {
			var child int
			if _, err := fmt.Sscan(field, &child); err == nil {
				pids = append(pids, child)
			}
		}
	}
	return pids
}

// storeOpens checks that what a killed build left can be read as it is.
func (k *killer) storeOpens() {
	k.t.Helper()
	store, err := cache.Open(k.path("store"), cache.Options{ReadOnly: true})
	if err != nil {
		k.suite.Wrong(k.t, "the store does not open: %v", err)
		return
	}
	if err := store.Verify(k.t.Context(), false, func(problem cache.Problem) { k.suite.Wrong(k.t, "%s", problem) }); err != nil {
		k.suite.Wrong(k.t, "the store cannot be verified: %v", err)
	}
	if err := store.Close(); err != nil {
		k.t.Error(err)
	}
}

// checkGoesOn checks that the next build runs nothing again that is finished,
// and makes the right image.
func (k *killer) checkGoesOn(turn int, finished map[string]bool) {
	k.t.Helper()
	_, stderr := k.run(append(longBuild, "--progress", "json")...)
	for name := range nodesWith(stderr, func(status string) bool { return status == "ran" }) {
		if finished[name] {
			k.suite.Wrong(k.t, "%s ran again after it was finished", name)
		}
	}
	if !equalTrees(k.t, k.result(turn), k.tree) {
		k.suite.Wrong(k.t, "the image is another one than that of a clean build")
	}
	k.checkOutputs()
}

// nodesWith returns the nodes that the progress of a build, as JSON, says to be
// finished with a status.
func nodesWith(progress string, want func(status string) bool) map[string]bool {
	nodes := make(map[string]bool)
	for line := range strings.Lines(progress) {
		var e struct{ Event, Node, Status string }
		// The last line of a killed build may not be whole.
		if json.Unmarshal([]byte(line), &e) == nil && e.Event == "finished" && want(e.Status) {
			nodes[e.Node] = true
		}
	}
	return nodes
}
