package sandbox

import (
	"bufio"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/internal/testroot"
)

// A SIGKILL of the process that called Run, in the middle of the work.
func TestKilledParentLeavesNothing(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	b := newBurden(t)
	victim, out := startVictim(t, b)
	line, err := bufio.NewReader(out).ReadString('\n')
	if line != "ready\n" {
		t.Fatalf("the victim said %q, %v", line, err)
	}
	seen(t, b.Mark)
	if len(loopsOf(t, b.Image)) == 0 {
		t.Fatal("the loop device does not show outside")
	}
	kill(t, victim)
	nothingLeft(t, b)
}

// The same at random moments of the start.
func TestParentKilledAtAnyMoment(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	for range 25 {
		b := newBurden(t)
		victim, _ := startVictim(t, b)
		// The whole start takes some 30 ms; a kill after that is the test above.
		time.Sleep(time.Duration(rand.IntN(40)) * time.Millisecond)
		kill(t, victim)
		nothingLeft(t, b)
	}
}

func newBurden(t *testing.T) burden {
	t.Helper()
	dir := t.TempDir()
	b := burden{Image: filepath.Join(dir, "image"), Dir: filepath.Join(dir, "mounted"), Mark: uniqueSeconds()}
	if err := os.Mkdir(b.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mkfs.ext4", "-q", b.Image, "8M").CombinedOutput(); err != nil {
		t.Fatalf("mkfs.ext4: %v: %s", err, out)
	}
	return b
}

func startVictim(t *testing.T, b burden) (*exec.Cmd, *os.File) {
	t.Helper()
	arg, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	t.Cleanup(func() { r.Close() })
	victim := exec.Command("/proc/self/exe")
	victim.Args = []string{victimName, string(arg)}
	victim.Stdout, victim.Stderr = w, os.Stderr
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	return victim, r
}

func kill(t *testing.T, victim *exec.Cmd) {
	t.Helper()
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	victim.Wait() // its status is the signal
}

// nothingLeft waits for the kernel to finish: after the death of the victim
// comes that of init, then of the rest, then the workers that unmount.
func nothingLeft(t *testing.T, b burden) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		alive, loops := processes(t, b.Mark), loopsOf(t, b.Image)
		if len(alive) == 0 && len(loops) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("left behind: processes %q, loop devices %q", alive, loops)
		}
	}
}

// loopsOf lists the loop devices attached to image.
func loopsOf(t *testing.T, image string) []string {
	t.Helper()
	files, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, file := range files {
		if name, _ := os.ReadFile(file); strings.HasPrefix(string(name), image) {
			found = append(found, file)
		}
	}
	return found
}
