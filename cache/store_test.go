package cache

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpenLaysOut(t *testing.T) {
	dir := t.TempDir() + "/a/store"
	s := openStore(t, dir, Options{})
	if s.Dir() != dir {
		t.Errorf("Dir = %q, want %q", s.Dir(), dir)
	}
	if b := must[[]byte](t)(os.ReadFile(dir + "/VERSION")); string(b) != layoutVersion {
		t.Errorf("VERSION is %q", b)
	}
	tag := must[[]byte](t)(os.ReadFile(dir + "/CACHEDIR.TAG"))
	if !strings.HasPrefix(string(tag), "Signature: 8a477f597d28d172789f06886806bc55\n") {
		t.Errorf("CACHEDIR.TAG is %q", tag)
	}
	for _, name := range layoutDirs {
		info := must[fs.FileInfo](t)(os.Stat(filepath.Join(dir, name)))
		if !info.IsDir() || info.Mode().Perm() != 0o700 {
			t.Errorf("%s has mode %v, want a directory for the owner only", name, info.Mode())
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, test := range []struct {
		name, file, content string
		want                error
	}{
		{"newer version", "VERSION", "dibgraph store 999\n", ErrVersion},
		{"something else", "thesis.tex", "", ErrForeign},
		{"empty VERSION", "VERSION", "", ErrVersion},
	} {
		for _, readOnly := range []bool{false, true} {
			dir := t.TempDir()
			check(t, os.WriteFile(filepath.Join(dir, test.file), []byte(test.content), 0o644))
			_, err := Open(dir, Options{ReadOnly: readOnly})
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("%s, read-only %t: error = %v, want %v and the directory", test.name, readOnly, err, test.want)
			}
			if names := must[[]string](t)(readNames(dir)); len(names) != 1 {
				t.Errorf("%s: the directory now has %q", test.name, names)
			}
		}
	}
}

// A process may die between any two steps of laying out a store.
func TestOpenAfterInterruptedLayout(t *testing.T) {
	for _, names := range [][]string{{"lock"}, {"lock", "VERSION.new"}, {"lock", "lost+found"}} {
		dir := t.TempDir()
		for _, name := range names {
			check(t, os.WriteFile(filepath.Join(dir, name), nil, 0o644))
		}
		openStore(t, dir, Options{})
	}
}

func TestReadOnlyStore(t *testing.T) {
	dir := t.TempDir() + "/store"
	missing := openStore(t, dir, Options{ReadOnly: true})
	if _, err := missing.Lookup(KeyOf("x")); !errors.Is(err, ErrMiss) {
		t.Errorf("Lookup in a missing store: %v, want a miss", err)
	}
	if shapes, err := missing.Shapes(KeyOf("x")); shapes != nil || err != nil {
		t.Errorf("Shapes in a missing store = %v, %v", shapes, err)
	}
	if ids, err := missing.Builds(""); len(ids) != 0 || err != nil {
		t.Errorf("Builds in a missing store = %v, %v", ids, err)
	}
	if exists(dir) {
		t.Fatal("a read-only store was made")
	}

	w := openStore(t, dir, Options{})
	r := testRecord(t, w, "x")
	check(t, w.Put(r))
	check(t, w.SetLast("image", "node", r.Key))
	check(t, w.PutBuild(&Build{ID: "b1", Image: "image"}))
	before := snapshot(t, dir)

	s := openStore(t, dir, Options{ReadOnly: true})
	must[*Record](t)(s.Lookup(r.Key))
	must[*Record](t)(s.Last("image", "node"))
	must[*Build](t)(s.Build("b1"))
	must[string](t)(s.LayerDir(r.Layers[0]))
	must[*Listing](t)(s.Listing(r.Layers[0]))
	check(t, s.Verify(t.Context(), true, func(p Problem) { t.Error(p) }))
	_, tempErr := s.TempDir("x")
	_, lockErr := s.Lock(t.Context(), r.Key, nil)
	_, putErr := s.PutBytes(nil)
	_, layerErr := s.CommitLayer(dir, LayerOptions{})
	for _, err := range []error{tempErr, lockErr, putErr, layerErr, s.Put(r), s.SetLast("i", "n", r.Key), s.PutBuild(&Build{})} {
		if !errors.Is(err, ErrReadOnly) {
			t.Errorf("a write gave %v, want ErrReadOnly", err)
		}
	}
	s.Discard(dir + "/records")

	// Damage is a miss, but is left to those who may repair it.
	check(t, os.Remove(w.BlobPath(r.Log.Digest)))
	delete(before, strings.TrimPrefix(w.BlobPath(r.Log.Digest), dir))
	if _, err := s.Lookup(r.Key); !errors.Is(err, ErrMiss) {
		t.Errorf("Lookup without the log: %v, want a miss", err)
	}
	check(t, s.Close())
	after := snapshot(t, dir)
	for path := range before {
		if !after[path] {
			t.Errorf("%s is gone", path)
		}
	}
	for path := range after {
		if !before[path] {
			t.Errorf("%s is new", path)
		}
	}
}

// snapshot returns the paths below dir.
func snapshot(t *testing.T, dir string) map[string]bool {
	paths := map[string]bool{}
	check(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		paths[strings.TrimPrefix(path, dir)] = true
		return err
	}))
	return paths
}

func TestTempDirAndDiscard(t *testing.T) {
	s := newStore(t)
	a := must[string](t)(s.TempDir("install.d/50 x"))
	b := must[string](t)(s.TempDir("install.d/50 x"))
	if a == b || filepath.Dir(a) != s.owner.dir {
		t.Errorf("TempDir = %q and %q", a, b)
	}
	if info := must[fs.FileInfo](t)(os.Stat(a)); info.Mode().Perm() != 0o755 {
		t.Errorf("TempDir has mode %v", info.Mode())
	}
	check(t, os.WriteFile(a+"/file", nil, 0o600))
	s.Discard(a)
	if exists(a) {
		t.Error("the directory is still there")
	}
	trash := must[[]string](t)(readNames(s.path(trashDir)))
	if len(trash) != 1 || !exists(s.path(trashDir, trash[0], "file")) {
		t.Errorf("the trash has %q, want the directory", trash)
	}
	s.Discard(a) // gone: nothing happens
	check(t, s.Close())
	for _, name := range []string{trashDir, tmpDir, pendingDir} {
		if names := must[[]string](t)(readNames(s.path(name))); len(names) != 0 {
			t.Errorf("after Close, %s has %q", name, names)
		}
	}
	check(t, s.Close())
}

func init() {
	// die leaves everything a killed builder could.
	helpers["die"] = func(args []string) error {
		s, err := Open(args[0], Options{})
		if err != nil {
			return err
		}
		tmp, err := s.TempDir("left")
		if err != nil {
			return err
		}
		if err := os.WriteFile(tmp+"/file", nil, 0o600); err != nil {
			return err
		}
		if _, err := s.Lock(context.Background(), KeyOf("locked"), nil); err != nil {
			return err
		}
		if _, err := s.PutBytes([]byte("kept")); err != nil {
			return err
		}
		return killMyself()
	}
}

// killMyself ends a helper as nothing can prepare for.
func killMyself() error { return exec.Command("/bin/sh", "-c", "kill -9 $PPID; sleep 10").Run() }

func TestDeadOwnerIsReaped(t *testing.T) {
	dir := t.TempDir() + "/store"
	alive := openStore(t, dir, Options{})
	kept := must[string](t)(alive.TempDir("kept"))
	if err := helperCommand(t, "die", dir).Run(); err == nil {
		t.Fatal("the helper survived")
	}
	if names := must[[]string](t)(readNames(dir + "/tmp")); len(names) != 2 {
		t.Fatalf("tmp has %q, want that of the living and of the dead", names)
	}
	s := openStore(t, dir, Options{})
	if names := must[[]string](t)(readNames(dir + "/tmp")); len(names) != 2 || !exists(kept) {
		t.Errorf("tmp has %q, want that of the two living", names)
	}
	if names := must[[]string](t)(readNames(dir + "/pending")); len(names) != 0 {
		t.Errorf("pending has %q, want nothing: it was synced", names)
	}
	if exists(s.hashPath(locksDir, KeyOf("locked"))) {
		t.Error("the lock of the dead is still there")
	}
	if got := must[[]byte](t)(s.ReadBlob(DigestBytes([]byte("kept")))); string(got) != "kept" {
		t.Errorf("the blob is %q", got)
	}
	check(t, s.Sync())
	if err := s.emptyTrash(); err != nil || len(must[[]string](t)(readNames(dir+"/trash"))) != 0 {
		t.Errorf("the trash is not empty: %v", err)
	}
}
