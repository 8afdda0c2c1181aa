package observe

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/internal/mount"
	"github.com/dibgraph/dibgraph/internal/testroot"
	"golang.org/x/sys/unix"
)

// tree is a mount of its own with some files, and the name it is written with in
// the table below: "@".
func tree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := mount.Type("tmpfs", "tmpfs", dir, 0, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := mount.UnmountTree(dir); err != nil {
			t.Error(err)
		}
	})
	for _, name := range []string{"a", "b", "d/in", "gone", "x (deleted)", "odd\n\xff", "run"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("#!/bin/sh\n:\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("a", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(filepath.Join(dir, "gone"), filepath.Join(dir, "stays")); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(filepath.Join(dir, "fifo"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestOpened(t *testing.T) {
	testroot.Require(t)
	for _, test := range []struct {
		name, script string
		want         []Opened
	}{
		{"nothing", `:`, []Opened{}},
		{"read", `cat b a b >/dev/null`, []Opened{{Path: "@/a"}, {Path: "@/b"}}},
		{"write", `echo x >new`, []Opened{{Path: "@/new"}}},
		{"directory", `ls d >/dev/null`, []Opened{{Path: "@/d", Dir: true}}},
		{"through a link", `cat link >/dev/null`, []Opened{{Path: "@/a"}}},
		{"execute", `./run`, []Opened{{Path: "@/run", Exec: true}}},
		{"grandchild", `sh -c 'sh -c "cat a; :" >/dev/null; :'`, []Opened{{Path: "@/a"}}},
		{"background", `setsid sh -c 'cat a >/dev/null; touch done' & while [ ! -e done ]; do sleep 0.01; done`,
			[]Opened{{Path: "@/a"}, {Path: "@/done"}}},
		{"removed", `cat a >/dev/null; rm a`, []Opened{{Path: "@/a"}}},
		{"removed, another link stays", `cat gone >/dev/null; rm gone`, []Opened{{Path: "@/gone"}}},
		{"a name that looks removed", `cat 'x (deleted)' >/dev/null`, []Opened{{Path: "@/x (deleted)"}}},
		{"any bytes", "cat odd* >/dev/null", []Opened{{Path: "@", Dir: true}, {Path: "@/odd\n\xff"}}},
		{"not seen: fifos", `cat fifo >/dev/null & echo >fifo; wait`, []Opened{}},
		{"not seen: attributes, names, links", `[ -e a ] && [ -x b ] && readlink link >/dev/null; cat none 2>/dev/null; :`, []Opened{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			testroot.CheckMounts(t)
			dir := tree(t)
			o := start(t, Mark{Path: dir})
			if _, err := os.ReadFile(filepath.Join(dir, "b")); err != nil { // this process does not count
				t.Fatal(err)
			}
			shell(t, dir, test.script)
			expect(t, o, dir, test.want...)
		})
	}
}

func TestOnlyFromStartToStop(t *testing.T) {
	testroot.Require(t)
	dir := tree(t)
	shell(t, dir, "cat a")
	o := start(t, Mark{Path: dir})
	shell(t, dir, "cat b")
	expect(t, o, dir, Opened{Path: "@/b"})
	shell(t, dir, "cat a")
}

// A file that replaces another does not hide that this one was opened.
func TestBorn(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	dir := tree(t)
	time.Sleep(20 * time.Millisecond) // the clock of file systems ticks slowly
	since := time.Now()
	time.Sleep(20 * time.Millisecond)
	o := start(t, Mark{Path: dir})
	shell(t, dir, "sed -i s/x/y/ a; cat a; echo >new; rm b; echo >b")
	opened, err := o.Stop()
	if err != nil {
		t.Fatal(err)
	}
	old := make(map[string]bool)
	for _, one := range opened {
		old[filepath.Base(one.Path)] = one.Born.Before(since)
	}
	if !old["a"] || old["new"] || old["b"] {
		t.Errorf("opened %+v, want an old file at a, new ones at new and b; it is %v", opened, since)
	}
}

// A hook in a chroot sees the merged hooks by a bind mount. Both mounts are
// observed, or the filesystem is; then other mounts are too.
func TestChrootAndBind(t *testing.T) {
	testroot.Require(t)
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatalf("needs a static busybox: %v", err)
	}
	for _, filesystem := range []bool{false, true} {
		t.Run(fmt.Sprint("filesystem ", filesystem), func(t *testing.T) {
			testroot.CheckMounts(t)
			dir, root := tree(t), t.TempDir()
			inside := filepath.Join(root, "hooks")
			if err := os.Mkdir(inside, 0o755); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command("cp", busybox, root).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if err := mount.Bind(dir, inside, true); err != nil {
				t.Fatal(err)
			}
			defer mount.UnmountTree(inside)
			marks := []Mark{{Path: dir, Filesystem: filesystem}}
			if !filesystem {
				marks = append(marks, Mark{Path: inside})
			}
			o := start(t, marks...)
			cmd := exec.Command("/busybox", "cat", "/hooks/a", "/hooks/link")
			cmd.Dir = "/"
			cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root}
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			shell(t, dir, "cat b")
			expect(t, o, dir, Opened{Path: inside + "/a", Dir: false}, Opened{Path: "@/b"})
		})
	}
}

// The mounts of a namespace that a process makes for itself are copies.
func TestNestedNamespace(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	dir := tree(t)
	script := "unshare -m sh -c 'cat a >/dev/null'"
	o := start(t, Mark{Path: dir})
	shell(t, dir, script)
	expect(t, o, dir)
	o = start(t, Mark{Path: dir, Filesystem: true})
	shell(t, dir, script)
	got, err := o.Stop()
	if err != nil || len(got) != 1 || !strings.HasSuffix(got[0].Path, "/a") {
		t.Errorf("opened %+v, %v, want the file a alone", got, err)
	}
}

// An overlay is what is observed in a build: its own names are reported, not
// those of the layers below.
func TestOverlay(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"lower/hooks", "upper", "work", "merged"} {
		if err := os.MkdirAll(in(name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(in("lower/hooks/a"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	overlay := mount.Overlay{Lower: []string{in("lower")}, Upper: in("upper"), Work: in("work"), Volatile: true}
	if err := overlay.Mount(in("merged")); err != nil {
		t.Fatal(err)
	}
	defer mount.UnmountTree(in("merged"))
	// A bind over itself makes the hooks a mount that can be marked alone.
	if err := mount.Bind(in("merged/hooks"), in("merged/hooks"), false); err != nil {
		t.Fatal(err)
	}
	o := start(t, Mark{Path: in("merged/hooks")})
	shell(t, in("merged"), "echo x >outside; cat hooks/a; echo >>hooks/a; ls hooks")
	expect(t, o, in("merged/hooks"), Opened{Path: "@", Dir: true}, Opened{Path: "@/a"})
}

// The queue of this observer has the kernel's ordinary limit, and nobody reads it
// before it is full.
func TestOverflow(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	dir := tree(t)
	o, err := open(0, []Mark{{Path: dir}})
	if err != nil {
		t.Fatal(err)
	}
	var limit int
	text, err := os.ReadFile("/proc/sys/fs/fanotify/max_queued_events")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(string(text), &limit); err != nil {
		t.Fatal(err)
	}
	for i := range limit + 10 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint("file", i)), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	go o.drain()
	if _, err := o.Stop(); !errors.Is(err, ErrOverflow) {
		t.Errorf("Stop after %d events = %v, want ErrOverflow", limit+10, err)
	}
}

// Stop must end although files go on being opened.
func TestStopUnderLoad(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	dir := tree(t)
	o := start(t, Mark{Path: dir})
	busy := exec.Command("sh", "-c", "while :; do : <a; done")
	busy.Dir = dir
	if err := busy.Start(); err != nil {
		t.Fatal(err)
	}
	shell(t, dir, "cat b >/dev/null")
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		opened, err := o.Stop()
		if err != nil || opened[len(opened)-1].Path != filepath.Join(dir, "b") {
			t.Errorf("opened %+v, %v", opened, err)
		}
	}()
	select {
	case <-stopped:
	case <-time.After(30 * time.Second):
		t.Error("Stop hangs")
	}
	if err := busy.Process.Kill(); err != nil {
		t.Error(err)
	}
	busy.Wait() // its status is the signal
}

func TestUnavailable(t *testing.T) {
	testroot.Require(t)
	dir := t.TempDir()
	if _, err := Start(filepath.Join(dir, "missing")); err == nil || errors.Is(err, ErrUnavailable) {
		t.Errorf("a path that does not exist: %v, want an error other than ErrUnavailable", err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	child := exec.Command("/proc/self/exe")
	child.Args = []string{unprivilegedName, dir}
	child.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if out, err := child.CombinedOutput(); err != nil {
		t.Errorf("without privileges: %v: %s", err, out)
	}
}

func start(t *testing.T, marks ...Mark) *Observer {
	t.Helper()
	o, err := StartMarks(marks...)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func shell(t *testing.T, dir, script string) {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", script)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", script, err, out)
	}
}

func expect(t *testing.T, o *Observer, dir string, want ...Opened) {
	t.Helper()
	got, err := o.Stop()
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		got[i].Born = time.Time{} // see TestBorn
		if got[i].Path == dir || strings.HasPrefix(got[i].Path, dir+"/") {
			got[i].Path = "@" + got[i].Path[len(dir):]
		}
	}
	// With the short names the order is another one.
	slices.SortFunc(got, func(a, b Opened) int { return strings.Compare(a.Path, b.Path) })
	slices.SortFunc(want, func(a, b Opened) int { return strings.Compare(a.Path, b.Path) })
	if len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
		t.Errorf("opened %+v, want %+v", got, want)
	}
}
