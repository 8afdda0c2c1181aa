package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/elements"
	"github.com/dibgraph/dibgraph/internal/compat"
	"github.com/dibgraph/dibgraph/internal/qemu"
)

// A compatSite is a directory in which both programs build the image of a case:
// "ours" is where dibgraph puts it, "theirs" is diskimage-builder's.
type compatSite struct {
	*program
	c      *compatCase
	shared string
}

// newCompatSite makes the site of a case. All of them share a directory with a
// store, since they have most in common.
func newCompatSite(t *testing.T, c *compatCase, shared string) *compatSite {
	t.Helper()
	own, err := filepath.Abs(filepath.Join("testdata", "compat"))
	if err != nil {
		t.Fatal(err)
	}
	// The same names in each run, since some are written into images.
	s := &compatSite{&program{t: t, dir: filepath.Join(shared, "cases", c.name)}, c, shared}
	if err := errors.Join(os.RemoveAll(s.dir), os.MkdirAll(s.dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"ours", "theirs", "tmp", "files"} {
		s.tool("mkdir", dir)
	}
	s.env = append([]string{
		"PATH=" + compatPath(),
		"HOME=" + s.path("home"),
		"DIBGRAPH_CACHE=" + filepath.Join(shared, "store"),
		"DIB_IMAGE_CACHE=" + s.path("cache"),
		"DIB_RELEASE=" + release,
		"DIB_APT_SOURCES_CONF=" + strings.TrimSpace(aptSources(t)),
		"DIB_DISTRIBUTION_MIRROR=" + elements.HostMirrors(os.DirFS("/"))["DIBGRAPH_DEBIAN_MIRROR"],
		"ELEMENTS_PATH=" + s.path("overrides") + ":" + s.path("elements") + ":" + own + ":" + foreignElements,
	}, c.env...)
	s.write("home/.ssh/authorized_keys", "ssh-ed25519 AAAA someone\n")
	s.write("elements/.keep", "")
	s.write("overrides/.keep", "")
	for _, name := range slices.Sorted(maps.Keys(c.files)) {
		s.write(name, c.files[name])
	}
	if c.small {
		s.env = append(s.env, "DIB_LOCAL_IMAGE="+s.base())
	}
	if c.given != nil {
		c.given(s)
	}
	for i := range s.env {
		s.env[i] = strings.ReplaceAll(s.env[i], "$CASE", s.dir)
	}
	return s
}

// compatPath is where both programs look for others: dibgraph, see TestMain, and
// what Debian has, whose Python knows diskimage-builder.
func compatPath() string {
	own, _, _ := strings.Cut(os.Getenv("PATH"), string(os.PathListSeparator))
	return own + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
}

// args are the options and elements of the case, as both programs take them.
func (s *compatSite) args() []string {
	var args []string
	for _, option := range s.c.options {
		args = append(args, strings.ReplaceAll(option, "$CASE", s.dir))
	}
	return append(append(args, "-o", "image"), s.c.elements...)
}

// base makes the small system that cases put in the place of a whole one.
func (s *compatSite) base() string {
	s.t.Helper()
	base := filepath.Join(s.shared, "base.tar")
	if _, err := os.Stat(base); err == nil {
		return base
	}
	args := []string{"--variant=minbase", "--skip=cleanup/apt/lists", "--include=busybox,gnupg,python3,sudo,systemd-sysv,udev", release, base + ".new"}
	cmd := exec.Command("mmdebstrap", append(args, strings.Split(s.sources(), "\n")...)...)
	cmd.Args = append(cmd.Args, "--format=tar")
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%q: %v\n%s", cmd.Args, err, out)
	}
	if err := os.Rename(base+".new", base); err != nil {
		s.t.Fatal(err)
	}
	return base
}

// sources are the lines of an apt's configuration for the mirrors of all images.
func (s *compatSite) sources() string {
	s.t.Helper()
	var lines []string
	for line := range strings.Lines(aptSources(s.t)) {
		_, source, _ := strings.Cut(strings.TrimSpace(line), ":")
		lines = append(lines, source)
	}
	return strings.Join(lines, "\n")
}

// dibgraph builds the image with dibgraph.
func (s *compatSite) dibgraph() string {
	s.t.Helper()
	name, args := "dibgraph", append([]string{"build"}, s.args()...)
	if s.c.program != "" {
		name, args = s.c.program, s.args()
	}
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = s.path("ours"), s.env
	said, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("%s %q: %v\n%s", name, args, err, said)
	}
	return string(said)
}

// dibgraphAgain builds the image once more, for which nothing must run.
func (s *compatSite) dibgraphAgain() {
	s.t.Helper()
	if said := s.dibgraph(); !strings.Contains(said, "nothing ran") {
		s.t.Errorf("a second build ran something:\n%s", said)
	}
}

// boots starts the disk of dibgraph and waits for its login prompt on the serial
// console.
func (s *compatSite) boots(firmware qemu.Firmware) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), bootPatience)
	defer cancel()
	format := "qcow2"
	if _, err := os.Stat(s.outputOf("ours", format)); err != nil {
		format = "raw"
	}
	console, err := qemu.Boot(ctx, s.outputOf("ours", format), qemu.Options{Format: format, Firmware: firmware, Memory: 1024})
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() {
		if err := console.Close(); err != nil {
			s.t.Error(err)
		}
	}()
	if _, err := console.Expect(ctx, `\blogin: `); err != nil {
		s.t.Errorf("the image does not boot: %v", err)
	}
}

// outputOf returns the path of an output of one of both programs.
func (s *compatSite) outputOf(side, extension string) string {
	return filepath.Join(s.dir, side, "image."+extension)
}

// diskimageBuilder builds the image with the original, unless it has been built
// before, and returns how long that took.
func (s *compatSite) diskimageBuilder() time.Duration {
	s.t.Helper()
	kept := filepath.Join(s.shared, "theirs", s.c.name)
	if os.Getenv(compatReference) != "" {
		if _, err := os.Stat(kept); err == nil {
			s.tool("cp", "-a", kept+"/.", "theirs")
			return 0
		}
	}
	start := time.Now()
	s.runOriginal()
	if os.Getenv(compatReference) != "" {
		s.tool("mkdir", "-p", kept+".new")
		s.tool("cp", "-a", "theirs/.", kept+".new")
		s.tool("mv", kept+".new", kept)
	}
	return time.Since(start)
}

// runOriginal runs diskimage-builder.
func (s *compatSite) runOriginal() {
	s.t.Helper()
	command, err := original(s.dir, cmp.Or(s.c.program, diskImageCreate))
	if err != nil {
		s.t.Fatal(err)
	}
	command = append(command, s.args()...)
	cmd := exec.CommandContext(s.t.Context(), command[0], command[1:]...)
	cmd.Dir = s.path("theirs")
	cmd.Env = append(slices.DeleteFunc(slices.Clone(s.env), func(entry string) bool { return strings.HasPrefix(entry, "DIBGRAPH_") }), "TMPDIR="+s.path("tmp"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	s.t.Cleanup(s.detachLoops)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.write("theirs.log", string(out))
		s.t.Fatalf("diskimage-builder: %v\n%s", err, lastLines(out, 40))
	}
}

// original returns the command that runs a program of diskimage-builder where its mounts
// and processes go away with it, and where its tools, which are put below dir, are
// those that this machine can do with.
func original(dir, program string) ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	tools := filepath.Join(dir, "sbin")
	// In containers dmsetup is asked for device nodes, which are there already.
	err = errors.Join(os.Mkdir(tools, 0o755), os.Symlink(self, filepath.Join(tools, "kpartx")), os.Symlink("/bin/true", filepath.Join(tools, "dmsetup")))
	return []string{
		"unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private",
		"sh", "-c", `mount -t overlay -o "lowerdir=$0:/usr/sbin" tools /usr/sbin && exec "$@"`, tools, filepath.Join("/usr/bin", program),
	}, err
}

// detachLoops detaches what diskimage-builder leaves attached when it fails.
func (s *compatSite) detachLoops() {
	for line := range strings.Lines(s.tool("losetup", "--list", "--noheadings", "--output", "NAME,BACK-FILE")) {
		if device, file, _ := strings.Cut(line, " "); strings.Contains(file, s.path("tmp")) {
			s.tool("losetup", "-d", device)
		}
	}
}

func lastLines(out []byte, n int) string {
	lines := strings.Split(strings.TrimRight(string(out), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// compare compares all that both programs made.
func (s *compatSite) compare() compat.Result {
	s.t.Helper()
	return compat.Compare(s.result("ours"), s.result("theirs"), compatRules())
}

// result reads the tree of the image, and the files beside the outputs.
func (s *compatSite) result(side string) compat.Tree {
	s.t.Helper()
	tree := compat.Tree{}
	if archive := s.outputOf(side, "tar"); s.exists(archive) {
		tree = s.readTar("cat", archive)
	} else if squash := s.outputOf(side, "squash"); s.exists(squash) {
		unpacked := side + ".tree"
		s.tool("unsquashfs", "-quiet", "-no-progress", "-dest", unpacked, squash)
		tree = s.readDir(unpacked)
	}
	beside := s.readDir(side)
	for name, e := range beside {
		if name != "." && !isOutput(name) {
			tree["beside/"+name] = e
		}
	}
	if disk := s.disk(side); disk != nil {
		tree[diskEntry] = disk
	}
	return tree
}

func (s *compatSite) exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// readDir reads a tree of the site.
func (s *compatSite) readDir(name string) compat.Tree {
	s.t.Helper()
	return s.readTar("tar", "-C", s.path(name), "--format=pax", "--xattrs", "--xattrs-include=*", "--numeric-owner", "-cf", "-", ".")
}

// isOutput tells images and their checksums from other files beside them.
func isOutput(name string) bool {
	name = strings.TrimSuffix(strings.TrimSuffix(name, ".md5"), ".sha256")
	return slices.Contains([]string{"image.tar", "image.raw", "image.qcow2", "image.tgz", "image.squash"}, name)
}

// readTar reads the archive that a command prints.
func (s *compatSite) readTar(name string, args ...string) compat.Tree {
	s.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stderr = os.Stderr
	archive, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	tree, err := compat.ReadTar(archive)
	_, rest := io.Copy(io.Discard, archive)
	if err := errors.Join(err, rest, cmd.Wait()); err != nil {
		s.t.Fatal(err)
	}
	return tree
}
