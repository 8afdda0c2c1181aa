package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// long are elements whose hooks leave processes, mounts and half-written files
// at most moments of a build.
var long = map[string]string{
	"elements/app/root.d/50-mount": `#!/bin/sh
set -e
mkdir -p "$TARGET_ROOT/mnt/memory"
mount -t tmpfs memory "$TARGET_ROOT/mnt/memory"
echo "turn $DIB_TURN" > "$TARGET_ROOT/etc/turn"
`,
	"elements/app/install.d/50-write": `#!/bin/sh
sleep 600 &
for i in 0 1 2 3 4 5 6 7 8 9; do
	echo part $i >> /etc/app
	sleep 0.01
done
`,
	"elements/app/finalise.d/50-write": `#!/bin/sh
for i in 0 1 2 3 4 5 6 7 8 9; do
	echo part $i >> /etc/final
	sleep 0.01
done
`,
}

const parts = "part 0\npart 1\npart 2\npart 3\npart 4\npart 5\npart 6\npart 7\npart 8\npart 9\n"

var longBuild = []string{"build", "--jobs", "2", "-n", "-t", "raw,tar", "-o", "image", "tiny", "app"}

// turn makes the next build one that has to run almost everything again.
func (p *program) turn(n int) {
	p.env = slices.DeleteFunc(p.env, func(entry string) bool { return strings.HasPrefix(entry, "DIB_TURN=") })
	p.env = append(p.env, fmt.Sprintf("DIB_TURN=%d", n))
}

// nothingLeft fails the test if a build that has ended left something behind.
func (p *program) nothingLeft() {
	p.t.Helper()
	for _, what := range p.leftBehind() {
		p.t.Errorf("left behind: %s", what)
	}
	p.checkOutputs()
}

// leftBehind waits for the kernel to clear away what a killed build had, and
// returns what is still there.
func (p *program) leftBehind() (left []string) {
	p.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		left = append(p.processes(), p.loops()...)
		if len(left) == 0 || time.Now().After(deadline) {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		p.t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, p.dir) {
			left = append(left, "mount "+line)
		}
	}
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains([]string{"elements", "home", "store", "image.raw", "image.tar"}, e.Name()) {
			left = append(left, e.Name())
		}
	}
	return left
}

// checkOutputs checks that what has the name of an output is whole.
func (p *program) checkOutputs() {
	p.t.Helper()
	for _, name := range []string{"image.raw", "image.tar"} {
		if _, err := os.Stat(p.path(name)); err == nil {
			p.checkOutput(name)
		}
	}
}

// checkOutput checks that an output is whole.
func (p *program) checkOutput(name string) {
	p.t.Helper()
	if name == "image.raw" {
		p.tool("e2fsck", "-fn", name)
		return
	}
	for _, file := range []string{"./etc/app", "./etc/final"} {
		if got := p.tool("tar", "-xOf", name, file); got != parts {
			p.t.Errorf("%s in %s is %q, want %q", file, name, got, parts)
		}
	}
}

func (p *program) checkNextBuild() {
	p.t.Helper()
	p.run(longBuild...)
	p.checkOutput("image.raw")
	p.checkOutput("image.tar")
	p.nothingLeft()
	for _, dir := range []string{"store/tmp", "store/trash", "store/pending"} {
		if litter := p.tool("find", dir, "-mindepth", "1"); litter != "" {
			p.t.Errorf("left behind in the store:\n%s", litter)
		}
	}
	if _, stderr := p.run(longBuild...); !strings.Contains(stderr, "nothing ran") {
		p.t.Errorf("a second build ran something:\n%s", stderr)
	}
}

// processes lists those that have anything open, or mounted, of the test's
// directory: by their environment, current directory or mounts.
func (p *program) processes() []string {
	var found []string
	files, err := filepath.Glob("/proc/[0-9]*/mountinfo")
	if err != nil {
		p.t.Fatal(err)
	}
	self, err := os.Readlink("/proc/self/ns/mnt")
	if err != nil {
		p.t.Fatal(err)
	}
	for _, file := range files {
		dir := filepath.Dir(file)
		environment, _ := os.ReadFile(filepath.Join(dir, "environ")) // gone by now, perhaps
		if strings.Contains(string(environment), p.dir) {
			found = append(found, describeProcess(dir))
			continue
		}
		if namespace, err := os.Readlink(filepath.Join(dir, "ns/mnt")); err != nil || namespace == self {
			continue
		}
		if mounts, _ := os.ReadFile(file); strings.Contains(string(mounts), p.dir) {
			found = append(found, describeProcess(dir))
		}
	}
	return found
}

func describeProcess(dir string) string {
	line, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
	return filepath.Base(dir) + ": " + strings.ReplaceAll(string(line), "\x00", " ")
}

// loops lists the loop devices of files in the test's directory.
func (p *program) loops() []string {
	p.t.Helper()
	return loopsOf(p.t, p.dir)
}

// loopsOf lists the loop devices of files whose paths begin so.
func loopsOf(t *testing.T, begin string) []string {
	t.Helper()
	files, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, file := range files {
		// Also one whose file is gone: "/… (deleted)".
		if name, _ := os.ReadFile(file); strings.HasPrefix(string(name), begin) {
			found = append(found, strings.TrimSpace(string(name)))
		}
	}
	return found
}

// An interrupt ends the build with its own exit status, and as cleanly.
func TestInterrupt(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(signal.String(), func(t *testing.T) {
			p := newProgram(t)
			p.turn(0)
			for name, text := range long {
				p.write(name, text)
			}
			p.write("elements/app/install.d/60-wait", "#!/bin/sh\necho waiting\nsleep 600\n")
			cmd := p.command(longBuild...)
			stderr, err := cmd.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			var said []string
			lines := bufio.NewScanner(stderr)
			for lines.Scan() {
				said = append(said, lines.Text())
				if strings.HasPrefix(lines.Text(), "run   install.d/60-wait") {
					if err := cmd.Process.Signal(signal); err != nil {
						t.Fatal(err)
					}
				}
			}
			err = cmd.Wait()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != exitInterrupted {
				t.Errorf("ended with %v, want exit status %d", err, exitInterrupted)
			}
			if len(said) == 0 || said[len(said)-1] != "dibgraph: interrupted" {
				t.Errorf("said last %q, want that it was interrupted", said)
			}
			p.nothingLeft()
			if out, _ := p.run("explain", "--json"); !strings.Contains(out, `"outcome": "interrupted"`) {
				t.Errorf("the history does not say that it was interrupted:\n%s", out)
			}
			p.write("elements/app/install.d/60-wait", "#!/bin/sh\n")
			p.checkNextBuild()
		})
	}
}
