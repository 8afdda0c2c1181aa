package steps

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/internal/mount"
	"github.com/dibgraph/dibgraph/internal/testroot"
)

// What is left of an upper directory is what somebody changed, whatever the
// overlay copied up for it.
func TestPruneUpper(t *testing.T) {
	testroot.Require(t)
	for _, test := range []struct {
		name, script string
		want         []string
	}{
		{"nothing", "true", nil},
		{"a temporary file", "echo x > a/b/tmp; rm a/b/tmp", nil},
		{"a temporary directory", "mkdir -p a/b/new/er; rmdir -p a/b/new/er 2>/dev/null || true", nil},
		{"only the time of a directory", "touch a/b", nil},
		{"a new file", "echo x > a/b/new", []string{"a", "a/b", "a/b/new"}},
		{"a changed file", "echo x >> a/b/file", []string{"a", "a/b", "a/b/file"}},
		{"a removed file", "rm a/b/file", []string{"a", "a/b", "a/b/file"}},
		{"a new empty directory", "mkdir a/new", []string{"a", "a/new"}},
		{"a mode", "chmod 700 a/b", []string{"a", "a/b"}},
		{"an owner", "chown 12:34 empty", []string{"empty"}},
		{"a mode and back", "chmod 700 a/b; chmod 755 a/b", nil},
		{"a directory made anew", "rm -r a/b; mkdir a/b", []string{"a", "a/b"}},
		{"what only a deeper lower has", "touch deep/er; echo x > deep/er/t; rm deep/er/t", nil},
		{"a directory that is less than below", "chmod 711 both", []string{"both"}},
		{"a directory as in the topmost lower", "touch both", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			testroot.CheckMounts(t)
			dir := t.TempDir()
			inShell(t, dir, `mkdir -p l1/a/b l1/empty l1/both l2/deep/er l2/both upper work merged
				echo one > l1/a/b/file; chmod 700 l2/both; chmod 755 l1/both`)
			lower := []string{filepath.Join(dir, "l1"), filepath.Join(dir, "l2")}
			upper, merged := filepath.Join(dir, "upper"), filepath.Join(dir, "merged")
			o := mount.Overlay{Lower: lower, Upper: upper, Work: filepath.Join(dir, "work")}
			must(t, o.Mount(merged))
			inShell(t, merged, test.script)
			must(t, mount.Unmount(merged))
			must(t, pruneUpper(upper, lower))
			if got := namesBelow(t, upper); !slices.Equal(got, test.want) {
				t.Errorf("left %q, want %q", got, test.want)
			}
		})
	}
}

// An attribute of a directory is a change like any other.
func TestPruneUpperAttributes(t *testing.T) {
	testroot.Require(t)
	lower, upper := t.TempDir(), t.TempDir()
	for _, dir := range []string{"same", "other", "more"} {
		for _, tree := range []string{lower, upper} {
			must(t, os.Mkdir(filepath.Join(tree, dir), 0o755))
			must(t, unix.Setxattr(filepath.Join(tree, dir), "user.app", []byte("one"), 0))
		}
	}
	must(t, unix.Setxattr(filepath.Join(upper, "other"), "user.app", []byte("two"), 0))
	must(t, unix.Setxattr(filepath.Join(upper, "more"), "user.more", []byte("one"), 0))
	must(t, pruneUpper(upper, []string{lower}))
	if got, want := namesBelow(t, upper), []string{"more", "other"}; !slices.Equal(got, want) {
		t.Errorf("left %q, want %q", got, want)
	}
}

func TestChangedHooks(t *testing.T) {
	testroot.Require(t)
	upper := t.TempDir()
	if got, err := changedHooks(upper); err != nil || got != nil {
		t.Errorf("without hooks %q, %v", got, err)
	}
	inShell(t, upper, `mkdir -p mnt/etc hooks/install.d; touch mnt/etc/x hooks/install.d/50-new hooks/data
		ln -s ../data hooks/install.d/60-link; mknod hooks/install.d/70-removed c 0 0`)
	got, err := changedHooks(upper)
	want := []string{"hooks/data", "hooks/install.d/50-new", "hooks/install.d/60-link", "hooks/install.d/70-removed"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("changed %q, %v, want %q", got, err, want)
	}
}

func inShell(t *testing.T, dir, script string) {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-ec", script)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// namesBelow lists what is below a directory.
func namesBelow(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if path != dir {
			names = append(names, strings.TrimPrefix(path, dir+"/"))
		}
		return err
	})
	must(t, err)
	return names
}
