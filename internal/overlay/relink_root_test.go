package overlay

import (
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dibgraph/dibgraph/internal/mount"
	"github.com/dibgraph/dibgraph/internal/testroot"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// base makes the lower that the scripts below start from.
const base = `
	mkdir d e; echo one >a; ln a b; ln a d/c
	echo two >m; ln m e/n
	ln -s target l; ln l e/k
	mknod dev c 1 3; ln dev e/dev2
	echo odd >'o d'; ln 'o d' "$(printf 'e/\n\377')"
	echo single >s; setfacl -m u:1:rw m 2>/dev/null || :
	touch -d 2001-01-01 a m l s 'o d'`

// Each script runs in an overlay, and as a control in a copy of its lower. The
// result of the layer on top of the lower has to be the same, link for link.
func TestRelink(t *testing.T) {
	testroot.Require(t)
	for _, test := range []struct{ name, script string }{
		{"nothing", `:`},
		{"append", `echo more >>a`},
		{"append through another name", `echo more >>d/c`},
		{"all groups", `echo more >>a; echo more >>m; chmod 600 dev; chown -h 7:7 l; chmod 751 'o d'`},
		{"same size and time", `echo ONE >a; touch -d 2001-01-01 a`},
		{"attributes only", `chown 5:6 b; chmod 4755 b`},
		{"replaced by rename", `echo new >t; mv t a`},
		{"replaced after a write", `echo more >>a; echo new >t; mv t a`},
		{"one name replaced, another written", `echo new >t; mv t a; echo more >>b`},
		{"removed", `rm a`},
		{"removed after a write", `echo more >>a; rm a`},
		{"all names removed", `echo more >>a; rm a b d/c`},
		{"a sibling removed", `echo more >>a; rm b`},
		{"moved after a write", `echo more >>a; mv a e/moved`},
		{"one more link", `ln a e/x; echo more >>e/x`},
		{"link of a changed file", `echo more >>m; ln m z`},
		{"directory of a sibling removed", `echo more >>a; rm -r d`},
		{"directory of a sibling made anew", `echo more >>a; rm -r d; mkdir d; echo other >d/c`},
		{"directory of a sibling is a link", `echo more >>a; rm -r d; ln -s e d; echo x >e/c`},
		{"directory of a sibling is a file", `echo more >>a; rm -r d; echo x >d`},
		{"single files", `echo more >>s; echo x >new`},
	} {
		t.Run(test.name, func(t *testing.T) {
			testroot.CheckMounts(t)
			dir := t.TempDir()
			compare(t, dir, base, test.script)
		})
	}
}

// What a layer in between hides must stay hidden.
func TestRelinkBehindLayers(t *testing.T) {
	testroot.Require(t)
	for _, test := range []struct{ name, between, script string }{
		{"removed", `rm b`, `echo more >>a`},
		{"replaced", `echo between >t; mv t b`, `echo more >>a`},
		{"directory replaced", `rm -r d; mkdir d; echo x >d/c`, `echo more >>a`},
		{"changed there already", `echo between >>a`, `echo more >>b`},
		{"links made there", `ln s s2; ln s e/s3`, `echo more >>s2`},
		{"links broken there", `cp -p a t; mv t a`, `echo more >>a; echo less >b`},
	} {
		t.Run(test.name, func(t *testing.T) {
			testroot.CheckMounts(t)
			compare(t, t.TempDir(), base, test.between, test.script)
		})
	}
}

// Any sequence of changes, spread over two layers, is the same as on a plain
// directory.
func TestRelinkLikePlainDirectory(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	// Each check runs some ten programs: a quarter of rapid's own number of them,
	// unless a number is asked for.
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		if err := checks.Value.Set("25"); err != nil {
			t.Fatal(err)
		}
	}
	names := rapid.SampledFrom([]string{"a", "b", "d/c", "m", "e/n", "s", "x", "e/y"})
	command := rapid.Custom(func(t *rapid.T) string {
		one, other := names.Draw(t, "one"), names.Draw(t, "other")
		return fmt.Sprintf(rapid.SampledFrom([]string{
			"echo more >>%[1]s", "chmod 640 %[1]s", "rm -f %[1]s", "mv -f %[1]s %[2]s", "ln -f %[1]s %[2]s",
			"cp %[1]s t && mv -f t %[2]s", "echo new >t && mv -f t %[1]s",
		}).Draw(t, "form"), one, other)
	})
	// A command fails where its file is gone, in both trees in the same way.
	script := rapid.Map(rapid.SliceOfN(command, 1, 6), func(lines []string) string {
		return "exec 2>/dev/null; " + strings.Join(lines, "; ") + "; :"
	})
	rapid.Check(t, func(r *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			r.Fatal(err)
		}
		defer os.RemoveAll(dir)
		compare(r, dir, base, script.Draw(r, "first"), script.Draw(r, "second"))
	})
}

// A big lower costs nothing as long as no hard link is touched.
func BenchmarkRelinkNothing(b *testing.B) {
	testroot.Require(b)
	dir := b.TempDir()
	lower := filepath.Join(dir, "lower")
	run(b, "for i in $(seq 200); do mkdir $i; touch $i/$(seq -s \" $i/\" 50); done; ln 1/1 2/linked", mkdir(b, lower))
	o := overlayOn(b, filepath.Join(dir, "step"), lower)
	merged := mkdir(b, filepath.Join(dir, "merged"))
	if err := o.Mount(merged); err != nil {
		b.Fatal(err)
	}
	defer mount.UnmountTree(merged)
	run(b, "for i in $(seq 2 200); do echo >$i/1; done", merged)
	for b.Loop() {
		if err := Relink(o, merged); err != nil {
			b.Fatal(err)
		}
	}
}

// compare runs scripts one after another, each in an overlay on the layers of
// those before it, and all of them in one plain directory, and compares. The
// first makes the lowest layer, without an overlay.
func compare(t rapid.TB, dir string, scripts ...string) {
	t.Helper()
	plain := mkdir(t, filepath.Join(dir, "plain"))
	lowers := []string{mkdir(t, filepath.Join(dir, "lower"))}
	merged := mkdir(t, filepath.Join(dir, "merged"))
	for i, script := range scripts {
		run(t, script, plain)
		if i == 0 {
			run(t, script, lowers[0])
			continue
		}
		lowers = append([]string{layer(t, filepath.Join(dir, fmt.Sprint("step", i)), merged, script, lowers)}, lowers...)
	}
	if err := (mount.Overlay{Lower: lowers}).Mount(merged); err != nil {
		t.Fatal(err)
	}
	got, err := list(merged)
	if err != nil {
		t.Fatal(err)
	}
	if err := mount.Unmount(merged); err != nil {
		t.Fatal(err)
	}
	want, err := list(plain)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(got, want) {
		t.Errorf("layers of %q give\n%s\nwant\n%s", scripts[1:], show(got), show(want))
	}
}

// layer runs a script in an overlay and returns the upper.
func layer(t rapid.TB, dir, merged, script string, lowers []string) string {
	t.Helper()
	o := overlayOn(t, dir, lowers...)
	if err := o.Mount(merged); err != nil {
		t.Fatal(err)
	}
	run(t, script, merged)
	relinked := Relink(o, merged)
	if err := mount.Unmount(merged); err != nil {
		t.Fatal(err)
	}
	if relinked != nil {
		t.Fatal(relinked)
	}
	return o.Upper
}

func overlayOn(t rapid.TB, dir string, lowers ...string) mount.Overlay {
	return mount.Overlay{Lower: lowers, Volatile: true,
		Upper: mkdir(t, filepath.Join(dir, "upper")), Work: mkdir(t, filepath.Join(dir, "work"))}
}

// list describes everything below root: kind, mode, owner, content, and the first
// of all names of the same file.
func list(root string) (map[string]string, error) {
	lines, first := map[string]string{}, map[uint64]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		var stat unix.Stat_t
		if err := unix.Lstat(path, &stat); err != nil {
			return err
		}
		name := strings.TrimPrefix(path, root+"/")
		line := fmt.Sprintf("%o %d:%d %d", stat.Mode, stat.Uid, stat.Gid, stat.Rdev)
		switch d.Type() {
		case 0:
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			line += fmt.Sprintf(" %q", content)
		case fs.ModeSymlink:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			line += fmt.Sprintf(" -> %q", target)
		}
		if !d.IsDir() {
			if first[stat.Ino] == "" {
				first[stat.Ino] = name
			}
			line += fmt.Sprintf(" is %q", first[stat.Ino])
		}
		lines[name] = line
		return nil
	})
	return lines, err
}

func show(lines map[string]string) string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		fmt.Fprintf(&text, "\t%q: %s\n", name, lines[name])
	}
	return text.String()
}

func run(t rapid.TB, script, dir string) {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-euc", script)
	if strings.HasSuffix(script, "; :") {
		cmd = exec.Command("/bin/sh", "-c", script)
	}
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", script, err, out)
	}
}

func mkdir(t rapid.TB, path string) string {
	t.Helper()
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}
