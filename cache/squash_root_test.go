package cache

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// mutate changes something in a mounted tree. Most changes are impossible most
// of the time, which is fine.
func mutate(t *rapid.T, root string) {
	path := func(label string) string {
		names := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 1, 3).Draw(t, label)
		return root + "/" + strings.Join(names, "/")
	}
	p := path("path")
	switch rapid.IntRange(0, 9).Draw(t, "change") {
	case 0, 1:
		_ = os.MkdirAll(p, 0o755)
	case 2, 3:
		_ = os.WriteFile(p, []byte(rapid.StringN(0, 3, 3).Draw(t, "content")), 0o644)
	case 4:
		_ = os.RemoveAll(p)
	case 5:
		_ = os.Remove(p)
	case 6:
		_ = os.Rename(p, path("to"))
	case 7:
		_ = os.Link(p, path("to"))
	case 8:
		_ = os.Chmod(p, 0o711)
	case 9:
		_ = os.Symlink("x", p)
	}
}

// A squashed run of layers, wherever it is in the stack, shows what the run shows.
func TestSquash(t *testing.T) {
	s := rootStore(t)
	rapid.Check(t, func(rt *rapid.T) {
		k := newStack(t, s, files(t, s, "hooks"))
		for range rapid.IntRange(2, 5).Draw(rt, "steps") {
			changes := rapid.IntRange(1, 8).Draw(rt, "changes")
			k.step(func(root string) {
				for range changes {
					mutate(rt, root)
				}
			})
		}
		layers := Distinct(k.layers)
		if len(layers) < 2 {
			return
		}
		from := rapid.IntRange(0, len(layers)-2).Draw(rt, "from")
		to := rapid.IntRange(from+2, len(layers)).Draw(rt, "to")
		squashed := must[string](t)(s.Squash(t.Context(), layers[from:to]))
		lower := slices.Concat(k.lower()[:1+from], []string{squashed}, k.lower()[1+to:])
		if got, want := k.view(lower), k.view(k.lower()); !reflect.DeepEqual(got, want) {
			rt.Errorf("squashed %d to %d of %d it shows\n%+v, want\n%+v", from, to, len(layers), got, want)
		}
	})
}

func TestSquashKeeps(t *testing.T) {
	s := rootStore(t)
	k := newStack(t, s, files(t, s, "base", "d/", "d/below"))
	a := k.step(func(root string) {
		check(t, os.Mkdir(root+"/new", 0o700))
		check(t, os.WriteFile(root+"/new/f", []byte("1"), 0o4755))
		check(t, os.Chmod(root+"/new/f", 0o755|os.ModeSetuid))
		check(t, unix.Lsetxattr(root+"/new/f", "security.capability", []byte(netRaw), 0))
		check(t, os.Link(root+"/new/f", root+"/new/g"))
		check(t, os.WriteFile(root+"/new/gone", nil, 0o644))
		check(t, os.Remove(root+"/d/below"))
		check(t, os.WriteFile(root+"/d/own", nil, 0o644))
	})
	b := k.step(func(root string) {
		check(t, os.Remove(root+"/new/gone"))
		check(t, os.Remove(root+"/base"))
		check(t, os.Lchown(root+"/new", 5, 6))
		check(t, unix.Lsetxattr(root+"/new", "system.posix_acl_default", []byte(aclForUser1000), 0))
		check(t, unix.Mknod(root+"/new/null", unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))))
	})
	layers := []Digest{a.Digest, b.Digest}
	want := k.view(k.lower())
	dir := must[string](t)(s.Squash(t.Context(), layers))
	if got := k.view([]string{k.lower()[0], dir}); !reflect.DeepEqual(got, want) {
		t.Errorf("it shows\n%+v, want\n%+v", got, want)
	}
	// The whiteouts of what is further below stay, that of the run's own is gone.
	if got, want := paths(t, dir), []string{"base", "d", "d/below", "d/own", "new", "new/f", "new/g", "new/null"}; !slices.Equal(got, want) {
		t.Errorf("the directory has %q, want %q", got, want)
	}
	before := inode(t, dir)
	if again := must[string](t)(s.Squash(t.Context(), layers)); again != dir || inode(t, again) != before {
		t.Error("it was squashed again")
	}
	if other := must[string](t)(s.Squash(t.Context(), []Digest{b.Digest, a.Digest})); other == dir {
		t.Error("another order is the same directory")
	}
	if one := must[string](t)(s.Squash(t.Context(), layers[:1])); one != k.lower()[1] {
		t.Errorf("one layer squashed is %q, want %q", one, k.lower()[1])
	}
	// A damaged one is made again, and one whose layers are damaged is given up.
	check(t, os.Remove(dir+"/base"))
	must[string](t)(s.Squash(t.Context(), layers))
	if !exists(dir + "/base") {
		t.Error("the damaged directory was used")
	}
	s.quarantineLayer(a.Digest)
	if exists(dir) {
		t.Error("it is still there without its layer")
	}
}

func inode(t *testing.T, path string) uint64 {
	var st unix.Stat_t
	check(t, lstat(path, &st))
	return st.Ino
}
