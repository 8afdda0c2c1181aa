package cache

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// commits checks that any tree becomes a layer whose listing says what was put,
// and whose files are those that were put.
func commits(t *testing.T, privileged bool) {
	s := newStore(t)
	rapid.Check(t, func(rt *rapid.T) {
		made := anyTree(privileged).Draw(rt, "tree")
		upper := made.put(t, s)
		layer := must[Layer](t)(s.CommitLayer(upper, LayerOptions{}))
		if exists(upper) {
			t.Error("upper is still there")
		}
		if len(made.Entries) == 0 {
			if layer != (Layer{}) {
				t.Errorf("CommitLayer of nothing = %+v", layer)
			}
			return
		}
		want := Layer{made.Listing.Digest(), len(made.Entries), made.Bytes()}
		if layer != want {
			t.Errorf("CommitLayer = %+v, want %+v", layer, want)
		}
		got := must[*Listing](t)(s.Listing(layer.Digest))
		for i := range got.Entries {
			// The times of an equal layer that was put before stay.
			made.Entries[i].ModTime = got.Entries[i].ModTime
		}
		if !reflect.DeepEqual(got.Entries, made.Entries) {
			t.Errorf("Listing =\n%+v, want\n%+v", got.Entries, made.Entries)
		}
		check(t, compareTree(must[string](t)(s.LayerDir(layer.Digest)), &made.Listing))
	})
}

func TestLayerComesBack(t *testing.T) { commits(t, false) }

func TestListingKeepsTimes(t *testing.T) {
	s := newStore(t)
	upper := files(t, s, "a")
	at := time.Unix(-3, 999_999_999).UTC()
	check(t, os.Chtimes(upper+"/a", at, at))
	layer := must[Layer](t)(s.CommitLayer(upper, LayerOptions{}))
	if got := must[*Listing](t)(s.Listing(layer.Digest)).Find("a").ModTime; got != at {
		t.Errorf("ModTime = %v, want %v", got, at)
	}
}

// The same tree with other times is the same layer; a tree that differs in
// anything else is another one.
func TestLayerDigest(t *testing.T) {
	s := newStore(t)
	commit := func(change func(upper string)) Digest {
		upper := files(t, s, "d/", "d/f", "g")
		change(upper)
		return must[Layer](t)(s.CommitLayer(upper, LayerOptions{})).Digest
	}
	seen := map[Digest]string{commit(func(string) {}): "nothing"}
	later := time.Now().Add(time.Hour)
	if d := commit(func(u string) { check(t, os.Chtimes(u+"/d/f", later, later)) }); seen[d] == "" {
		t.Error("other times are another layer")
	}
	for name, change := range map[string]func(u string){
		"content":       func(u string) { check(t, os.WriteFile(u+"/g", []byte("content of h"), 0o644)) },
		"size":          func(u string) { check(t, os.WriteFile(u+"/g", nil, 0o644)) },
		"mode":          func(u string) { check(t, os.Chmod(u+"/g", 0o600)) },
		"set-id":        func(u string) { check(t, os.Chmod(u+"/g", 0o644|fs.ModeSetuid)) },
		"dir mode":      func(u string) { check(t, os.Chmod(u+"/d", 0o700)) },
		"name":          func(u string) { check(t, os.Rename(u+"/g", u+"/h")) },
		"move":          func(u string) { check(t, os.Rename(u+"/g", u+"/d/g")) },
		"new":           func(u string) { check(t, os.Mkdir(u+"/new", 0o755)) },
		"remove":        func(u string) { check(t, os.Remove(u+"/g")) },
		"xattr":         func(u string) { check(t, unix.Setxattr(u+"/g", "user.x", []byte("1"), 0)) },
		"xattr value":   func(u string) { check(t, unix.Setxattr(u+"/g", "user.x", []byte("2"), 0)) },
		"dir xattr":     func(u string) { check(t, unix.Setxattr(u+"/d", "user.x", []byte("1"), 0)) },
		"whiteout":      func(u string) { check(t, os.Remove(u+"/g")); check(t, unix.Mknod(u+"/g", unix.S_IFCHR, 0)) },
		"symlink":       func(u string) { check(t, os.Remove(u+"/g")); check(t, os.Symlink("d", u+"/g")) },
		"other symlink": func(u string) { check(t, os.Remove(u+"/g")); check(t, os.Symlink("e", u+"/g")) },
		"hard link":     func(u string) { check(t, os.Remove(u+"/g")); check(t, os.Link(u+"/d/f", u+"/g")) },
		"no hard link": func(u string) {
			check(t, os.WriteFile(u+"/g", []byte("content of d/f"), 0o644))
		},
	} {
		d := commit(change)
		if other, ok := seen[d]; ok {
			t.Errorf("%s and %s are the same layer", name, other)
		}
		seen[d] = name
	}
}

func TestCommitEmptyUpper(t *testing.T) {
	s := newStore(t)
	upper := files(t, s)
	layer := must[Layer](t)(s.CommitLayer(upper, LayerOptions{}))
	if layer != (Layer{}) || exists(upper) {
		t.Errorf("CommitLayer = %v, want the zero Layer; upper is there: %t", layer, exists(upper))
	}
	if names := must[[]string](t)(readNames(s.path(layersDir))); len(names) != 0 {
		t.Errorf("layers has %q", names)
	}
}

func TestCommitTwice(t *testing.T) {
	s := newStore(t)
	first := must[Layer](t)(s.CommitLayer(files(t, s, "a", "b"), LayerOptions{}))
	dir := must[string](t)(s.LayerDir(first.Digest))
	before := must[fs.FileInfo](t)(os.Stat(dir))
	upper := files(t, s, "a", "b")
	second := must[Layer](t)(s.CommitLayer(upper, LayerOptions{}))
	if first != second || exists(upper) {
		t.Errorf("second layer %+v, first %+v", second, first)
	}
	if !os.SameFile(before, must[fs.FileInfo](t)(os.Stat(dir))) {
		t.Error("the first layer was replaced")
	}
}

func TestCommitAtOnce(t *testing.T) {
	s := newStore(t)
	errs := make(chan error)
	for range 8 {
		upper := files(t, s, "a", "b")
		go func() {
			_, err := s.CommitLayer(upper, LayerOptions{})
			errs <- err
		}()
	}
	for range 8 {
		check(t, <-errs)
	}
	check(t, s.Verify(t.Context(), true, func(p Problem) { t.Error(p) }))
	if names := must[[]string](t)(readNames(s.owner.dir)); !slices.Equal(names, []string{leaseFile, "lock"}) {
		t.Errorf("left in tmp: %q, want the leases and the lock only", names)
	}
}

func TestVolatileFiles(t *testing.T) {
	s := newStore(t)
	commit := func(log, other string, patterns ...string) Digest {
		upper := files(t, s, "log/")
		check(t, os.WriteFile(upper+"/log/x", []byte(log), 0o644))
		check(t, os.WriteFile(upper+"/other", []byte(other), 0o644))
		return must[Layer](t)(s.CommitLayer(upper, LayerOptions{Volatile: patterns})).Digest
	}
	first := commit("at nine", "o", "log/**")
	if got := commit("at half past ten", "o", "log/**"); got != first {
		t.Error("another log is another layer")
	}
	if got := commit("at nine", "changed", "log/**"); got == first {
		t.Error("another file that is not volatile is the same layer")
	}
	if got := commit("at nine", "o"); got == first {
		t.Error("without the pattern the layer is the same")
	}
	if got := must[[]byte](t)(os.ReadFile(must[string](t)(s.LayerDir(first)) + "/log/x")); string(got) != "at nine" {
		t.Errorf("the log is %q, want the bytes as they were", got)
	}
	e := must[*Listing](t)(s.Listing(first)).Find("log/x")
	if !e.Volatile || e.Size != 7 || e.Digest != DigestBytes([]byte("at nine")) {
		t.Errorf("entry = %+v, want the real size and digest", e)
	}
	if _, err := s.CommitLayer(files(t, s, "a"), LayerOptions{Volatile: []string{"["}}); err == nil {
		t.Error("an invalid pattern was accepted")
	}
}

func TestSocketsAreDropped(t *testing.T) {
	s := newStore(t)
	// A path of a socket is at most 107 bytes, so it is made by a short one.
	upper := files(t, s, "a", "m/", "z")
	t.Chdir(upper)
	for _, path := range []string{"m/socket", "s"} {
		l := must[net.Listener](t)(net.Listen("unix", path))
		l.(*net.UnixListener).SetUnlinkOnClose(false)
		check(t, l.Close())
		if !exists(path) {
			t.Fatal("there is no socket to drop")
		}
	}
	t.Chdir("/")
	layer := must[Layer](t)(s.CommitLayer(upper, LayerOptions{}))
	if got := paths(t, must[string](t)(s.LayerDir(layer.Digest))); !slices.Equal(got, []string{"a", "m", "z"}) {
		t.Errorf("the layer has %q", got)
	}
	want := must[Layer](t)(s.CommitLayer(files(t, s, "a", "m/", "z"), LayerOptions{}))
	if layer != want {
		t.Errorf("the layer is %+v, without sockets it is %+v", layer, want)
	}
}

// After an error upper is as it was, and can be committed when it is repaired.
func TestCommitErrorLeavesUpper(t *testing.T) {
	s := newStore(t)
	digest := must[Layer](t)(s.CommitLayer(files(t, s, "a", "b"), LayerOptions{})).Digest
	shard := filepath.Dir(s.hashPath(layersDir, digest))
	for _, test := range []struct {
		name  string
		block func()
	}{
		{"a file in the way", func() { check(t, os.WriteFile(shard, nil, 0o600)) }},
		// Nothing is there, but nothing can be made either.
		{"a link to nothing", func() { check(t, os.Symlink("nothing", shard)) }},
	} {
		check(t, os.RemoveAll(shard))
		test.block()
		upper := files(t, s, "a", "b")
		if _, err := s.CommitLayer(upper, LayerOptions{}); err == nil || !strings.Contains(err.Error(), upper) {
			t.Errorf("%s: error = %v, want one that names upper", test.name, err)
		}
		if got := paths(t, upper); !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("%s: upper has %q", test.name, got)
		}
		check(t, os.Remove(shard))
		if got := must[Layer](t)(s.CommitLayer(upper, LayerOptions{})); got.Digest != digest {
			t.Errorf("%s: then digest = %s, want %s", test.name, got.Digest, digest)
		}
	}
}

// The mode of the upper directory is not in the digest, so it must not depend on
// who made it.
func TestLayerRootMode(t *testing.T) {
	s := newStore(t)
	upper := files(t, s, "a")
	check(t, os.Chmod(upper, 0o700))
	layer := must[Layer](t)(s.CommitLayer(upper, LayerOptions{}))
	dir := must[string](t)(s.LayerDir(layer.Digest))
	if mode := must[fs.FileInfo](t)(os.Stat(dir)).Mode().Perm(); mode != 0o755 {
		t.Errorf("mode = %v, want 0755", mode)
	}
}

func TestDamagedLayer(t *testing.T) {
	s := newStore(t)
	commit := func() Digest { return must[Layer](t)(s.CommitLayer(files(t, s, "a", "b"), LayerOptions{})).Digest }
	for name, spoil := range map[string]func(dir string){
		"no tree":      func(dir string) { check(t, os.RemoveAll(dir+"/tree")) },
		"file as tree": func(dir string) { check(t, os.RemoveAll(dir+"/tree")); check(t, os.WriteFile(dir+"/tree", nil, 0o600)) },
		"file missing": func(dir string) { check(t, os.Remove(dir+"/tree/a")) },
		"no listing":   func(dir string) { check(t, os.Remove(dir+"/listing")) },
		"no directory": func(dir string) { check(t, os.RemoveAll(dir)); check(t, os.WriteFile(dir, nil, 0o600)) },
		"another layer": func(dir string) {
			other := must[Layer](t)(s.CommitLayer(files(t, s, "a", "c"), LayerOptions{})).Digest
			check(t, os.RemoveAll(dir))
			check(t, os.Rename(s.hashPath(layersDir, other), dir))
		},
		"cut listing": func(dir string) { overwrite(t, dir+"/listing", listingFormat) },
	} {
		d := commit()
		must[string](t)(s.LayerDir(d))
		spoil(s.hashPath(layersDir, d))
		if _, err := s.LayerDir(d); !errors.Is(err, ErrMissing) || !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: LayerDir: %v, want ErrMissing and ErrDamaged", name, err)
		}
		if _, err := s.LayerDir(d); !errors.Is(err, ErrMissing) || errors.Is(err, ErrDamaged) {
			t.Errorf("%s: then LayerDir: %v, want ErrMissing", name, err)
		}
		if _, err := s.Listing(d); !errors.Is(err, ErrMissing) {
			t.Errorf("%s: then Listing: %v, want ErrMissing", name, err)
		}
	}
	// The listing has the right size, but says something else.
	d := commit()
	path := s.hashPath(layersDir, d) + "/listing"
	text := must[[]byte](t)(os.ReadFile(path))
	overwrite(t, path, strings.Replace(string(text), "f 644 ", "f 604 ", 1))
	if _, err := s.Listing(d); !errors.Is(err, ErrDamaged) {
		t.Errorf("Listing of another text: %v, want ErrDamaged", err)
	}
	if _, err := s.LayerDir(d); !errors.Is(err, ErrMissing) {
		t.Errorf("then LayerDir: %v, want ErrMissing", err)
	}
	// A damaged layer does not win over the one that is made anew.
	d = commit()
	check(t, os.Remove(s.hashPath(layersDir, d)+"/tree/a"))
	s.checked.forget(d)
	if again := commit(); again != d {
		t.Errorf("digest = %s, want %s", again, d)
	}
	if got := paths(t, must[string](t)(s.LayerDir(d))); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("the layer has %q", got)
	}
}

func TestMissingLayer(t *testing.T) {
	s := newStore(t)
	d := DigestBytes([]byte("none"))
	_, dirErr := s.LayerDir(d)
	_, listErr := s.Listing(d)
	_, squashErr := s.Squash(t.Context(), []Digest{d, d})
	for _, err := range []error{dirErr, listErr, squashErr} {
		if !errors.Is(err, ErrMissing) || errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), d.Short()) {
			t.Errorf("error = %v, want ErrMissing with the digest", err)
		}
	}
}
