package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/internal/faultcount"
)

// A sufferer builds one image again and again on a store that faults happen to.
// The elements are the same in all builds: so is the image, whatever happened.
type sufferer struct {
	*program
	suite *faultcount.Suite
	tree  map[string]string // of the image
	fat   string            // what the partition for EFI holds
}

// efiLayout has a FAT filesystem, which tools fill by writing to its device.
const efiLayout = `
- local_loop: {name: image0}
- partitioning:
    base: image0
    label: gpt
    partitions:
      - {name: ESP, type: EF00, size: 8MiB, mkfs: {type: vfat, mount: {mount_point: /boot/efi, fstab: {options: defaults}}}}
      - {name: root, type: "8300", size: 100%, mkfs: {mount: {mount_point: /, fstab: {fsck-passno: 1}}}}
`

// fatFile is a file for that, at the same place in each image.
const fatFile = "EFI/DATA.BIN"

func newSufferer(t *testing.T, name string) *sufferer {
	t.Helper()
	p := newProgram(t)
	p.env = append(p.env, "DIB_BLOCK_DEVICE_CONFIG="+efiLayout, "DIB_IMAGE_SIZE=0.03")
	p.write("elements/app/root.d/50-etc", "#!/bin/sh\nset -e\necho text > \"$TARGET_ROOT/etc/early\"\n")
	p.write("elements/app/install.d/50-late", `#!/bin/sh
set -e
cat /etc/early > /etc/late
mkdir -p /boot/efi/EFI
yes fat | head -c 3000000 > /boot/efi/`+fatFile+"\n")
	p.write("elements/app/finalise.d/50-last", "#!/bin/sh\nset -e\n: \"$DIB_LAST\"\necho end > /etc/end\n")
	p.write("elements/app/cleanup.d/50-beside", "#!/bin/sh\nset -e\necho beside > \"$IMAGE_NAME.note\"\n")
	s := &sufferer{program: p, suite: faultcount.New(t, name)}
	s.last("first")
	s.run(s.build(p.path("out"))...)
	s.tree, s.fat = s.treeOf(p.path("out")), s.fatOf(p.path("out"))
	p.tool("rm", "-rf", "out")
	return s
}

// last makes the next build one for which only the disk has to be made anew.
func (s *sufferer) last(value string) { s.set("DIB_LAST", value) }

// on moves the store.
func (s *sufferer) on(dir string) { s.set("DIBGRAPH_CACHE", dir) }

func (s *sufferer) store() string {
	for _, entry := range s.env {
		if dir, ok := strings.CutPrefix(entry, "DIBGRAPH_CACHE="); ok {
			return dir
		}
	}
	return ""
}

func (p *program) set(name, value string) {
	p.env = slices.DeleteFunc(p.env, func(entry string) bool { return strings.HasPrefix(entry, name+"=") })
	p.env = append(p.env, name+"="+value)
}

var sufferedOutputs = []string{"image.raw", "image.qcow2", "image.tar", "image.note"}

// build is the command for all outputs in a directory, which it makes.
func (s *sufferer) build(out string, more ...string) []string {
	s.t.Helper()
	if err := os.MkdirAll(out, 0o755); err != nil {
		s.t.Fatal(err)
	}
	return append([]string{"build", "--progress", "json", "-n", "-t", "raw,qcow2,tar", "-o", out + "/image", "tiny", "app"}, more...)
}

// treeOf describes what is in the tar file of an image.
func (s *sufferer) treeOf(out string) map[string]string {
	s.t.Helper()
	dir := s.t.TempDir()
	defer os.RemoveAll(dir)
	return describeTar(s.program, dir, filepath.Join(out, "image.tar"))
}

// fatOf returns what the partition for EFI holds, which begins after a MiB.
func (s *sufferer) fatOf(out string) string {
	s.t.Helper()
	return s.tool("mtype", "-i", filepath.Join(out, "image.raw")+"@@1M", "::/"+fatFile)
}

// checkOutputs checks that what has the name of an output is it, and is whole.
func (s *sufferer) checkOutputs(out, after string) {
	s.t.Helper()
	there := func(name string) bool {
		_, err := os.Lstat(filepath.Join(out, name))
		return err == nil
	}
	raw := filepath.Join(out, "image.raw")
	if there("image.raw") {
		s.tool("e2fsck", "-fn", raw+"?offset="+"9437184")
		if s.fatOf(out) != s.fat {
			s.suite.Wrong(s.t, "%s: the file on the FAT of image.raw is another one", after)
		}
		s.checkRaw(raw, after)
	}
	if there("image.raw") && there("image.qcow2") {
		s.tool("qemu-img", "compare", raw, filepath.Join(out, "image.qcow2"))
	}
	if there("image.tar") && !equalTrees(s.t, s.treeOf(out), s.tree) {
		s.suite.Wrong(s.t, "%s: the tree of image.tar is another one", after)
	}
	for _, name := range s.tellNames(out) {
		if !slices.Contains(sufferedOutputs, name) {
			s.suite.Leak(s.t, "%s: %s in the directory of the outputs", after, name)
		}
	}
}

// checkRaw compares some of what is in a filesystem with the tree.
func (s *sufferer) checkRaw(raw, after string) {
	s.t.Helper()
	dir := s.t.TempDir()
	defer os.RemoveAll(dir)
	s.tool("debugfs", "-R", "rdump / "+dir, raw+"?offset=9437184")
	got := describeTree(s.t, dir)
	want := 0
	for name, text := range s.tree {
		if !strings.HasPrefix(text, "-") || strings.HasPrefix(name, "boot/efi/") {
			continue // rdump makes no special files
		}
		want++
		if got[name] != text {
			s.suite.Wrong(s.t, "%s: %s of image.raw is %q, want %q", after, name, got[name], text)
		}
	}
	if want == 0 {
		s.t.Error("there is no file to compare")
	}
}

func (s *sufferer) tellNames(dir string) []string {
	s.t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		s.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// checkLeft counts what a build left that has ended: processes, loop devices and
// mounts, and whatever is not finished in the store.
func (s *sufferer) checkLeft(after string, disks ...*smallDisk) {
	s.t.Helper()
	var left []string
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		left = append(s.processes(), s.loops()...)
		for _, d := range disks {
			left = append(left, loopsOf(s.t, d.dir+"/")...)
		}
		if len(left) == 0 || time.Now().After(deadline) {
			break
		}
	}
	for _, dir := range []string{"tmp", "trash", "pending"} {
		for _, name := range s.tellNames(filepath.Join(s.store(), dir)) {
			left = append(left, filepath.Join(dir, name)+" in the store")
		}
	}
	for _, what := range left {
		s.suite.Leak(s.t, "%s: %s", after, what)
	}
}

// verify checks the store as a whole, without changing it.
func (s *sufferer) verify(after string, full bool) {
	s.t.Helper()
	store, err := cache.Open(s.store(), cache.Options{ReadOnly: true})
	if err != nil {
		s.suite.Wrong(s.t, "%s: the store does not open: %v", after, err)
		return
	}
	if err := store.Verify(s.t.Context(), full, func(problem cache.Problem) { s.suite.Wrong(s.t, "%s: %s", after, problem) }); err != nil {
		s.suite.Wrong(s.t, "%s: the store cannot be verified: %v", after, err)
	}
	if err := store.Close(); err != nil {
		s.t.Error(err)
	}
}

// goOn builds once the fault is mended: what was finished does not run again,
// and the image is right.
func (s *sufferer) goOn(after, out, progressBefore string) {
	s.t.Helper()
	said, err := s.output(s.build(out)...)
	if err != nil {
		s.suite.Wrong(s.t, "%s: the next build: %v\n%s", after, err, said)
		return
	}
	finished := nodesWith(progressBefore, func(status string) bool { return status == "ran" || status == "hit" })
	for name := range nodesWith(said, func(status string) bool { return status == "ran" }) {
		if finished[name] {
			s.suite.Wrong(s.t, "%s: %s ran again after it was finished", after, name)
		}
	}
	for _, name := range sufferedOutputs {
		if _, err := os.Lstat(filepath.Join(out, name)); err != nil {
			s.suite.Wrong(s.t, "%s: the next build: %v", after, err)
		}
	}
	s.checkOutputs(out, after+", and a next build")
}

// clear counts a message that does not say what is the matter.
func (s *sufferer) clear(after, said string, wants ...string) {
	s.t.Helper()
	for _, want := range wants {
		if !strings.Contains(said, want) {
			s.suite.Wrong(s.t, "%s: %q is not in the message:\n%s", after, want, said)
		}
	}
}
