package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/internal/command"
	"github.com/dibgraph/dibgraph/internal/mount"
	"github.com/dibgraph/dibgraph/internal/observe"
	"github.com/dibgraph/dibgraph/internal/overlay"
	"github.com/dibgraph/dibgraph/internal/testroot"
)

func init() { Register("node", node) }

// node is what a step does, with the mechanisms of all packages together: it
// stacks an overlay, runs a hook in a chroot of it under observation, and leaves
// the upper as a layer.
func node(ctx context.Context, in []byte) (any, error) {
	var o mount.Overlay
	if err := json.Unmarshal(in, &o); err != nil {
		return nil, err
	}
	build := filepath.Join(filepath.Dir(o.Upper), "build")
	root, hooks := filepath.Join(build, "mnt"), filepath.Join(build, "hooks")
	inside := filepath.Join(root, "hooks")
	err := o.Mount(build)
	for _, bind := range [][2]string{{root, root}, {hooks, hooks}, {hooks, inside}} {
		if err == nil {
			err = mount.Bind(bind[0], bind[1], false)
		}
	}
	if err != nil {
		return nil, err
	}
	observer, err := observe.Start(hooks, inside)
	if err != nil {
		return nil, err
	}
	err = command.Cmd{Path: "/bin/sh", Args: []string{"/hooks/install.d/50-hook"}, Root: root, Stdout: os.Stdout, Stderr: os.Stderr}.Run(ctx)
	err = errors.Join(err, KillOthers())
	opened, stopped := observer.Stop()
	return opened, errors.Join(err, stopped, overlay.Relink(o, build), mount.UnmountTree(build), os.RemoveAll(o.Work))
}

func TestNode(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatalf("needs a static busybox: %v", err)
	}
	dir := t.TempDir()
	script(t, dir, `
		mkdir -p lower/mnt/bin lower/mnt/hooks lower/mnt/etc upper work build base/hooks/install.d base/hooks/static
		cp `+busybox+` lower/mnt/bin/busybox
		for tool in sh cat sleep setsid; do ln -s busybox lower/mnt/bin/$tool; done
		echo one >lower/mnt/etc/a; ln lower/mnt/etc/a lower/mnt/etc/b
		echo read >base/hooks/static/file; echo unread >base/hooks/static/other
		cat >base/hooks/install.d/50-hook <<-'EOF'
			setsid sh -c 'exec 9>/left; sleep 1000' >/dev/null 2>&1 &
			cat /hooks/static/file
			echo two >>/etc/a
			echo x >/hooks/written
		EOF`)
	in := func(name string) string { return filepath.Join(dir, name) }
	o := mount.Overlay{Lower: []string{in("lower"), in("base")}, Upper: in("upper"), Work: in("work"), Volatile: true}
	var opened []observe.Opened
	c := Config{Program: "node", Input: o, Stdout: temp(t, ""), Stderr: temp(t, "")}
	if err := Run(t.Context(), c, &opened); err != nil {
		t.Fatalf("%v: %s", err, text(t, c.Stderr))
	}
	if got := text(t, c.Stdout); got != "read\n" {
		t.Errorf("the hook said %q", got)
	}
	for i := range opened {
		opened[i].Born = time.Time{} // whenever that was
	}
	want := []observe.Opened{
		{Path: in("build/mnt/hooks/install.d/50-hook")},
		{Path: in("build/mnt/hooks/static/file")},
		{Path: in("build/mnt/hooks/written")},
	}
	if !reflect.DeepEqual(opened, want) {
		t.Errorf("opened %+v, want %+v", opened, want)
	}
	// The layer as the next step finds it, without a wait.
	next := mount.Overlay{Lower: []string{in("upper"), in("lower"), in("base")}}
	if err := next.Mount(in("build")); err != nil {
		t.Fatal(err)
	}
	defer mount.Unmount(in("build"))
	for name, want := range map[string]string{"mnt/etc/a": "one\ntwo\n", "mnt/etc/b": "one\ntwo\n", "hooks/written": "x\n"} {
		if got, err := os.ReadFile(in("build/" + name)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, want)
		}
	}
	a, errA := os.Stat(in("build/mnt/etc/a"))
	b, errB := os.Stat(in("build/mnt/etc/b"))
	if errA != nil || errB != nil || !os.SameFile(a, b) {
		t.Errorf("a and b are not one file any more: %v %v", errA, errB)
	}
}

func script(t *testing.T, dir, text string) {
	t.Helper()
	cmd := exec.Command("sh", "-euc", strings.TrimSpace(text))
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
