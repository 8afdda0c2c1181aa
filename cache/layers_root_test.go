package cache

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/internal/mount"
	"github.com/dibgraph/dibgraph/internal/overlay"
	"github.com/dibgraph/dibgraph/internal/testroot"
)

// A stack is layers on a base, to run steps on as a builder does.
type stack struct {
	t      testing.TB
	s      *Store
	base   string
	layers []Digest // bottom first
}

func newStack(t testing.TB, s *Store, base string) *stack { return &stack{t: t, s: s, base: base} }

// lower returns the directories to mount, bottom first.
func (k *stack) lower() []string {
	dirs := []string{k.base}
	for _, d := range Distinct(k.layers) {
		dirs = append(dirs, must[string](k.t)(k.s.LayerDir(d)))
	}
	return dirs
}

// step runs change in a writable mount of the stack and puts the layer on top.
func (k *stack) step(change func(root string)) Layer {
	k.t.Helper()
	upper, work := must[string](k.t)(k.s.TempDir("upper")), must[string](k.t)(k.s.TempDir("work"))
	var left []Entry
	o := mount.Overlay{Lower: topFirst(k.lower()), Upper: upper, Work: work, Volatile: true}
	k.mounted(o, func(root string) {
		change(root)
		check(k.t, overlay.Relink(o, root))
		left = k.scan(root)
	})
	k.s.Discard(work)
	layer := must[Layer](k.t)(k.s.CommitLayer(upper, LayerOptions{}))
	if !layer.Digest.IsZero() {
		k.layers = append(k.layers, layer.Digest)
	}
	if got := k.view(k.lower()); !sameFiles(got, left) {
		k.t.Errorf("the stack shows\n%+v, the step left\n%+v", got, left)
	}
	return layer
}

// view returns what is seen in a read-only mount of directories, bottom first.
func (k *stack) view(lower []string) []Entry {
	k.t.Helper()
	var seen []Entry
	k.mounted(mount.Overlay{Lower: topFirst(lower)}, func(root string) { seen = k.scan(root) })
	return seen
}

func (k *stack) scan(root string) []Entry {
	k.t.Helper()
	seen := scan{root: root, volatile: func(string) bool { return false }}
	check(k.t, seen.run())
	for _, e := range seen.listing.Entries {
		if e.Whiteout {
			k.t.Errorf("a whiteout is seen at %q", e.Path)
		}
	}
	return seen.listing.Entries
}

// sameFiles compares but for hard links, which depend on the layers that the
// names are in, and times, which an equal layer may have put before.
func sameFiles(a, b []Entry) bool {
	return slices.EqualFunc(a, b, func(x, y Entry) bool {
		x.HardLink, x.ModTime = y.HardLink, y.ModTime
		return reflect.DeepEqual(x, y)
	})
}

func (k *stack) mounted(o mount.Overlay, f func(root string)) {
	k.t.Helper()
	target := must[string](k.t)(k.s.TempDir("mount"))
	check(k.t, o.Mount(target))
	defer func() {
		if err := mount.Unmount(target); err != nil {
			k.t.Error(err)
		}
	}()
	f(target)
}

func topFirst(dirs []string) []string {
	dirs = slices.Clone(dirs)
	slices.Reverse(dirs)
	return dirs
}

func rootStore(t *testing.T) *Store {
	testroot.Require(t)
	testroot.CheckMounts(t)
	return newStore(t)
}

func TestLayerComesBackRoot(t *testing.T) {
	testroot.Require(t)
	commits(t, true)
}

// What a mount of a stack shows is what the steps saw at their end.
func TestOverlayLayers(t *testing.T) {
	s := rootStore(t)
	base := files(t, s, "keep", "replace", "remove", "d/", "d/x", "e/", "e/y", "mode")
	check(t, os.Link(base+"/keep", base+"/keep2"))
	k := newStack(t, s, base)
	layer := k.step(func(root string) {
		check(t, os.WriteFile(root+"/replace", []byte("new"), 0o600))
		check(t, os.Remove(root+"/remove"))
		check(t, os.RemoveAll(root+"/d"))
		check(t, os.Mkdir(root+"/d", 0o755)) // opaque
		check(t, os.RemoveAll(root+"/e"))
		check(t, os.Chmod(root+"/mode", 0o4711))
		check(t, unix.Lsetxattr(root+"/mode", "security.capability", []byte(netRaw), 0))
		check(t, unix.Lsetxattr(root+"/mode", "user.note", []byte("\x00\xff"), 0))
		check(t, os.Mkdir(root+"/new", 0o1777))
		check(t, os.Chmod(root+"/new", 0o777|os.ModeSticky))
		check(t, os.WriteFile(root+"/new/a", []byte("linked"), 0o644))
		check(t, os.Link(root+"/new/a", root+"/new/b"))
		check(t, os.Symlink("/no where", root+"/new/link"))
		check(t, unix.Mkfifo(root+"/new/pipe", 0o600))
		check(t, unix.Mknod(root+"/new/tty", unix.S_IFCHR|0o620, int(unix.Mkdev(5, 1))))
		check(t, unix.Mknod(root+"/new/disk", unix.S_IFBLK|0o660, int(unix.Mkdev(259, 300))))
		check(t, os.Lchown(root+"/new/disk", 12, 34))
		check(t, os.WriteFile(root+"/new/odd \n\xff\"\\", nil, 0o644))
		sparse := must[*os.File](t)(os.Create(root + "/new/sparse"))
		check(t, sparse.Truncate(1<<30))
		_, err := sparse.WriteAt([]byte("end"), 1<<30)
		check(t, err)
		check(t, sparse.Close())
		for _, name := range []string{"system.posix_acl_access", "system.posix_acl_default"} {
			check(t, unix.Lsetxattr(root+"/new", name, []byte(aclForUser1000), 0))
		}
	})

	l := must[*Listing](t)(s.Listing(layer.Digest))
	for _, path := range []string{"remove", "e"} {
		if e := l.Find(path); e == nil || !e.Whiteout || e.HardLink != "" {
			t.Errorf("entry of %s = %+v, want a whiteout", path, e)
		}
	}
	if e := l.Find("d"); !e.Opaque {
		t.Errorf("entry of d = %+v, want it opaque", e)
	}
	if e := l.Find("new/b"); e.HardLink != "new/a" || e.Digest != DigestBytes([]byte("linked")) {
		t.Errorf("entry of new/b = %+v, want a hard link to new/a", e)
	}
	if e := l.Find("new"); len(e.Xattrs) != 2 || e.Mode&0o1000 == 0 {
		t.Errorf("entry of new = %+v, want two ACLs and the sticky bit", e)
	}
	if e := l.Find("new/disk"); e.Rdev != unix.Mkdev(259, 300) || e.UID != 12 || e.GID != 34 {
		t.Errorf("entry of new/disk = %+v", e)
	}
	if e := l.Find("keep"); e != nil {
		t.Errorf("entry of keep = %+v, want none: it was not written", e)
	}
	if n := allocated(t, k.lower()[1]+"/new/sparse"); n > 64 {
		t.Errorf("the sparse file has %d blocks", n)
	}
	check(t, s.Verify(t.Context(), true, func(p Problem) { t.Error(p) }))
}

// An access control list with an entry for user 1000, as the kernel stores it:
// version 2, then tag, permissions and id of each entry.
const aclForUser1000 = "\x02\x00\x00\x00" +
	"\x01\x00\x07\x00\xff\xff\xff\xff" + // owner rwx
	"\x02\x00\x05\x00\xe8\x03\x00\x00" + // user 1000 r-x
	"\x04\x00\x05\x00\xff\xff\xff\xff" + // group r-x
	"\x10\x00\x05\x00\xff\xff\xff\xff" + // mask r-x
	"\x20\x00\x05\x00\xff\xff\xff\xff" // others r-x

// The notes of overlayfs, which tell one machine and one run from another, are
// on no file of a layer.
func TestOverlayNotesAreStripped(t *testing.T) {
	s := rootStore(t)
	noted := 0
	make := func() (Digest, string) {
		k := newStack(t, s, files(t, s, "d/", "d/x", "f", "l"))
		check(t, os.Link(k.lower()[0]+"/l", k.lower()[0]+"/l2"))
		upper, work := must[string](t)(s.TempDir("upper")), must[string](t)(s.TempDir("work"))
		k.mounted(mount.Overlay{Lower: k.lower(), Upper: upper, Work: work}, func(root string) {
			check(t, os.Chmod(root+"/f", 0o600))
			check(t, os.Remove(root+"/d/x"))
			check(t, os.Chmod(root+"/l", 0o600))
			check(t, unix.Lsetxattr(root+"/f", "trusted.note", []byte("x"), 0))
		})
		noted += len(overlayNotes(t, upper))
		layer := must[Layer](t)(s.CommitLayer(upper, LayerOptions{}))
		return layer.Digest, must[string](t)(s.LayerDir(layer.Digest))
	}
	first, dir := make()
	if noted == 0 {
		t.Fatal("overlayfs left no notes: the test shows nothing")
	}
	if got := overlayNotes(t, dir); len(got) != 0 {
		t.Errorf("in the layer: %q", got)
	}
	if second, _ := make(); second != first {
		t.Error("the same step twice makes two layers")
	}
}

// overlayNotes lists the trusted attributes in a tree, but for opaque.
func overlayNotes(t *testing.T, dir string) []string {
	var notes []string
	for _, path := range append(paths(t, dir), "") {
		var r attributeReader
		names := must[string](t)(r.list(filepath.Join(dir, path)))
		for name := range strings.SplitSeq(names, "\x00") {
			if strings.HasPrefix(name, "trusted.") && name != overlayPrefix+"opaque" {
				notes = append(notes, path+": "+name)
			}
		}
	}
	return notes
}

func TestUnfitAttributes(t *testing.T) {
	s := rootStore(t)
	for _, test := range []struct{ name, value string }{
		{"trusted.overlay.redirect", "/elsewhere"},
		{"trusted.overlay.metacopy", ""},
		{"trusted.overlay.whiteout", "y"},
		{"trusted.overlay.opaque", "x"},
		{"trusted.overlay.overlay.opaque", "y"},
	} {
		upper := files(t, s, "a", "d/", "z")
		check(t, unix.Lsetxattr(upper+"/a", "trusted.overlay.origin", nil, 0))
		check(t, unix.Lsetxattr(upper+"/d", test.name, []byte(test.value), 0))
		_, err := s.CommitLayer(upper, LayerOptions{})
		if err == nil || !strings.Contains(err.Error(), `"d"`) || !strings.Contains(err.Error(), test.name) {
			t.Errorf("%s: error = %v, want one with the path and the attribute", test.name, err)
			continue
		}
		if got := overlayNotes(t, upper); len(got) == 0 {
			t.Errorf("%s: upper was changed before the error", test.name)
		}
	}
}

// A hook in the mount can set such an attribute: the kernel escapes it.
func TestEscapedAttribute(t *testing.T) {
	s := rootStore(t)
	k := newStack(t, s, files(t, s, "a"))
	upper, work := must[string](t)(s.TempDir("upper")), must[string](t)(s.TempDir("work"))
	k.mounted(mount.Overlay{Lower: k.lower(), Upper: upper, Work: work}, func(root string) {
		check(t, os.Mkdir(root+"/dir", 0o755))
		check(t, unix.Lsetxattr(root+"/dir", "trusted.overlay.opaque", []byte("y"), 0))
	})
	_, err := s.CommitLayer(upper, LayerOptions{})
	if err == nil || !strings.Contains(err.Error(), `"dir"`) || !strings.Contains(err.Error(), "set as trusted.overlay.opaque") {
		t.Errorf("error = %v, want one with the path and the attribute as it was set", err)
	}
}

// The same step run twice with another in between makes the same layer twice.
func TestLayerTwiceInStack(t *testing.T) {
	s := rootStore(t)
	k := newStack(t, s, files(t, s, "d/", "d/x"))
	write := func(root string) {
		check(t, os.WriteFile(root+"/d/new", nil, 0o644))
		check(t, os.WriteFile(root+"/d/x", []byte("y"), 0o644))
	}
	k.step(write)
	k.step(func(root string) { check(t, os.Remove(root+"/d/new")) })
	k.step(write)
	if len(k.layers) != 3 || k.layers[0] != k.layers[2] {
		t.Fatalf("layers = %v, want the first again", k.layers)
	}
	if got, want := Distinct(k.layers), k.layers[1:]; !slices.Equal(got, want) {
		t.Errorf("Distinct = %v, want %v", got, want)
	}
	var seen []string
	for _, e := range k.view(k.lower()) {
		seen = append(seen, e.Path)
	}
	if want := []string{"d", "d/new", "d/x"}; !slices.Equal(seen, want) {
		t.Errorf("the stack shows %q, want %q", seen, want)
	}
}

func init() {
	// plan looks up a key in a store that it may only read, or not even that.
	helpers["plan"] = func(args []string) error {
		k, err := ParseKey(args[1])
		if err != nil {
			return err
		}
		s, err := Open(args[0], Options{ReadOnly: true})
		if err != nil {
			return err
		}
		_, err = s.Lookup(k)
		return err
	}
}

// Another user's store is an error, not a store in which everything misses. If
// its owner lets others read the records, they get hits.
func TestReadOnlyStoreOfAnother(t *testing.T) {
	testroot.Require(t)
	// The directories of the test are root's own; this one is for all.
	dir := must[string](t)(os.MkdirTemp("", "dibgraph-cache-test"))
	t.Cleanup(func() { check(t, os.RemoveAll(dir)) })
	check(t, os.Chmod(dir, 0o755))
	exe := must[[]byte](t)(os.ReadFile("/proc/self/exe"))
	check(t, os.WriteFile(dir+"/helper", exe, 0o755))
	s, err := Open(dir+"/store", Options{})
	check(t, err)
	r := testRecord(t, s, "r")
	check(t, s.Put(r))
	check(t, s.Close())
	plan := func() (string, error) {
		cmd := exec.CommandContext(t.Context(), dir+"/helper", dir+"/store", r.Key.String())
		cmd.Env = []string{helperVariable + "=plan"}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := plan(); err == nil || !strings.Contains(out, "permission denied") {
		t.Errorf("a store that may not be read: %s (%v)", out, err)
	}
	for _, name := range []string{recordsDir, shapesDir, pendingDir, historyDir} {
		check(t, exec.Command("chmod", "-R", "a+rX", s.path(name)).Run())
	}
	if out, err := plan(); err != nil {
		t.Errorf("a store whose records may be read: %s (%v)", out, err)
	}
}
