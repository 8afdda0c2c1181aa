package steps

import (
	"os"
	"path/filepath"
	"testing"
)

func TestEmptyRoot(t *testing.T) {
	for _, test := range []struct {
		names []string
		want  bool
	}{
		{nil, true},
		{[]string{"lost+found", "tmp"}, true},
		{[]string{"vartmp"}, true},
		{[]string{"tmp", "etc"}, false},
		{[]string{".hidden"}, false},
	} {
		dir := t.TempDir()
		for _, name := range test.names {
			must(t, os.Mkdir(filepath.Join(dir, name), 0o755))
		}
		if got, err := emptyRoot(dir); err != nil || got != test.want {
			t.Errorf("a root with %q is empty: %t, %v, want %t", test.names, got, err, test.want)
		}
	}
}

func TestTidyRoot(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{
		"tmp/file", "tmp/.hidden", "tmp/dir/file", "var/log/dpkg.log", "var/log/app/deep.log", "root/install.log",
		"root/.config/old.log", "root/notes.txt", "etc/app.log", "var/tmp/kept",
	} {
		path := filepath.Join(root, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte("content"), 0o644))
	}
	must(t, os.Symlink("/etc/passwd", filepath.Join(root, "var/log/link")))
	must(t, tidyRoot(root))
	for name, size := range map[string]int64{
		"tmp/file": -1, "tmp/.hidden": -1, "tmp/dir": -1, "var/log/dpkg.log": 0, "var/log/app/deep.log": 0,
		"root/install.log": -1, "root/.config/old.log": -1, "root/notes.txt": 7, "etc/app.log": 7, "var/tmp/kept": 7,
	} {
		got := int64(-1)
		if info, err := os.Stat(filepath.Join(root, name)); err == nil {
			got = info.Size()
		}
		if got != size {
			t.Errorf("%s has %d bytes, want %d (-1: it is gone)", name, got, size)
		}
	}
	if got := seen(t, filepath.Join(root, "var/log/link")); got != "-> /etc/passwd" {
		t.Errorf("a link among the logs is now %q", got)
	}
	if info, err := os.Stat("/etc/passwd"); err != nil || info.Size() == 0 {
		t.Fatalf("the file of the host that a link names: %v, %v", info, err)
	}
	must(t, tidyRoot(t.TempDir())) // nothing of it has to be there
}

func TestWriteLib(t *testing.T) {
	dir := t.TempDir()
	must(t, WriteLib(dir))
	for name, mode := range map[string]os.FileMode{
		"common-functions": 0o644, "common-defaults": 0o644, "img-functions": 0o644, "img-defaults": 0o644,
		"dib-run-parts": 0o755, "bin/sudo": 0o755, "bin/dib-python-exec": 0o755, "bin/dibgraph-helper": 0o755,
		"python/diskimage_builder/logging_config.py": 0o644,
	} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v, want mode %v", name, info, err, mode)
		}
	}
	if LibDigest().IsZero() {
		t.Error("the library has no digest")
	}
}
