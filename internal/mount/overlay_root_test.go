package mount

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dibgraph/dibgraph/internal/testroot"
	"golang.org/x/sys/unix"
)

// routes are both ways to mount an overlay; each test of one runs with both.
var routes = []struct {
	name  string
	mount func(Overlay, string) error
}{
	{"descriptor", Overlay.mountByDescriptor},
	{"options", Overlay.mountByOptions},
}

func TestOverlayOrderAndWrites(t *testing.T) {
	for _, route := range routes {
		t.Run(route.name, func(t *testing.T) {
			testroot.Require(t)
			testroot.CheckMounts(t)
			dir := t.TempDir()
			o := overlay(t, dir, 3)
			for i, lower := range o.Lower {
				write(t, filepath.Join(lower, "all"), fmt.Sprint("lower ", i))
				write(t, filepath.Join(lower, fmt.Sprint("only", i)), fmt.Sprint(i))
			}
			target := mounted(t, o, filepath.Join(dir, "merged"), route.mount)
			expect(t, filepath.Join(target, "all"), "lower 0")
			expect(t, filepath.Join(target, "only2"), "2")
			write(t, filepath.Join(target, "all"), "changed")
			expect(t, filepath.Join(o.Upper, "all"), "changed")
			expect(t, filepath.Join(o.Lower[0], "all"), "lower 0")
			for _, option := range []string{"index=on", "volatile", "redirect_dir=nofollow", "uuid=null"} {
				if super := superOptions(t, target); !strings.Contains(super, option) {
					t.Errorf("options %q lack %s", super, option)
				}
			}
		})
	}
}

// The kernel's limit, which also is far beyond one page of absolute names.
func TestOverlayMaxLowers(t *testing.T) {
	for _, route := range routes {
		t.Run(route.name, func(t *testing.T) {
			testroot.Require(t)
			testroot.CheckMounts(t)
			dir := t.TempDir()
			o := overlay(t, dir, MaxLowers)
			write(t, filepath.Join(o.Lower[MaxLowers-1], "bottom"), "seen")
			write(t, filepath.Join(o.Lower[0], "top"), "seen")
			target := mounted(t, o, filepath.Join(dir, "merged"), route.mount)
			expect(t, filepath.Join(target, "bottom"), "seen")
			expect(t, filepath.Join(target, "top"), "seen")
		})
	}
}

// Names that are too long for fsconfig, or that mean something in an option.
func TestOverlayOddNames(t *testing.T) {
	for _, route := range routes {
		for _, odd := range []string{strings.Repeat("long", 60), `a:b`, `a,b`, `a\b`, `a\:b`, "a b\nc", `"'`} {
			t.Run(route.name+"/"+odd[:2], func(t *testing.T) {
				testroot.Require(t)
				testroot.CheckMounts(t)
				dir := filepath.Join(t.TempDir(), odd)
				o := overlay(t, dir, 2)
				write(t, filepath.Join(o.Lower[1], "file"), "below")
				target := mounted(t, o, filepath.Join(dir, "merged"), route.mount)
				expect(t, filepath.Join(target, "file"), "below")
				write(t, filepath.Join(target, "new"), "up")
				expect(t, filepath.Join(o.Upper, "new"), "up")
			})
		}
	}
}

func TestOverlayReadOnly(t *testing.T) {
	for _, lowers := range []int{1, 2} {
		t.Run(fmt.Sprint(lowers), func(t *testing.T) {
			testroot.Require(t)
			testroot.CheckMounts(t)
			dir := t.TempDir()
			o := Overlay{Lower: overlay(t, dir, lowers).Lower}
			write(t, filepath.Join(o.Lower[0], "file"), "x")
			target := mounted(t, o, filepath.Join(dir, "merged"), Overlay.Mount)
			expect(t, filepath.Join(target, "file"), "x")
			if err := os.WriteFile(filepath.Join(target, "new"), nil, 0o644); !errors.Is(err, unix.EROFS) {
				t.Errorf("write to a read-only overlay: %v, want EROFS", err)
			}
		})
	}
}

func TestOverlayCheck(t *testing.T) {
	for _, test := range []struct {
		name string
		o    Overlay
		want string
	}{
		{"no lower", Overlay{Upper: "u", Work: "w"}, "no lower"},
		{"too many", Overlay{Lower: make([]string, MaxLowers+1)}, "at most 500"},
		{"no work", Overlay{Lower: []string{"l"}, Upper: "u"}, "one is missing"},
	} {
		err := test.o.Mount("/nowhere")
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q in it", test.name, err, test.want)
		}
	}
}

func TestOverlayRefusesUsedWork(t *testing.T) {
	dir := t.TempDir()
	o := overlay(t, dir, 1)
	write(t, filepath.Join(o.Work, "leftover"), "")
	if err := o.Mount(dir); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("error %v, want one about the work directory", err)
	}
}

// An upper can be looked at again, as the state that a failed step has left.
func TestOverlayUpperAgain(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	dir := t.TempDir()
	o := overlay(t, dir, 2)
	target := filepath.Join(dir, "merged")
	again := func(name string, lowers ...string) error {
		o.Lower, o.Work = lowers, filepath.Join(dir, name)
		if err := os.Mkdir(o.Work, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := o.Mount(target); err != nil {
			return err
		}
		return Unmount(target)
	}
	first, second := o.Lower[0], o.Lower[1]
	if err := again("work1", first, second); err != nil {
		t.Fatal(err)
	}
	if err := again("work2", first, second); err != nil {
		t.Errorf("on the same lowers: %v", err)
	}
	if err := again("work3", second, first); !errors.Is(err, unix.ESTALE) {
		t.Errorf("on another top lower: %v, want ESTALE", err)
	}
}

func TestOverlayErrorsNameTheDirectory(t *testing.T) {
	for _, route := range routes {
		t.Run(route.name, func(t *testing.T) {
			testroot.Require(t)
			testroot.CheckMounts(t)
			dir := t.TempDir()
			o := overlay(t, dir, 2)
			o.Lower[1] = filepath.Join(dir, "missing")
			err := route.mount(o, dir)
			if !errors.Is(err, unix.ENOENT) || !strings.Contains(err.Error(), o.Lower[1]) {
				t.Errorf("error %v, want ENOENT naming %s", err, o.Lower[1])
			}
		})
	}
}

// A directory is the upper of a mounted overlay until a worker of the kernel has
// ended that mount; one that uses it next has to wait, not to fail.
func TestOverlayWaitsForBusyLower(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	dir := t.TempDir()
	first := overlay(t, filepath.Join(dir, "first"), 1)
	point := filepath.Join(dir, "first", "merged")
	if err := first.Mount(point); err != nil {
		t.Fatal(err)
	}
	second := overlay(t, filepath.Join(dir, "second"), 1)
	second.Lower = append(second.Lower, first.Upper)
	target := filepath.Join(dir, "second", "merged")
	if err := second.mountByDescriptor(target); !errors.Is(err, unix.EBUSY) {
		t.Fatalf("mount on the upper of another overlay: %v, want EBUSY", err)
	}
	if err := second.emptyWork(); err != nil {
		t.Fatal(err)
	}
	result := make(chan error)
	go func() { result <- second.Mount(target) }()
	if err := Unmount(point); err != nil {
		t.Error(err)
	}
	if err := <-result; err != nil {
		t.Fatal(err)
	}
	if err := Unmount(target); err != nil {
		t.Error(err)
	}
}

// overlay makes the directories of an overlay below dir: lowers, upper, work
// and, for the caller, merged.
func overlay(t *testing.T, dir string, lowers int) Overlay {
	t.Helper()
	o := Overlay{Upper: filepath.Join(dir, "upper"), Work: filepath.Join(dir, "work"), Volatile: true}
	for i := range lowers {
		o.Lower = append(o.Lower, filepath.Join(dir, fmt.Sprintf("lower%03d", i)))
	}
	for _, made := range append(o.Lower, o.Upper, o.Work, filepath.Join(dir, "merged")) {
		if err := os.MkdirAll(made, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

// mounted mounts o until the end of the test.
func mounted(t *testing.T, o Overlay, target string, mount func(Overlay, string) error) string {
	t.Helper()
	if err := mount(o, target); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := Unmount(target); err != nil {
			t.Error(err)
		}
	})
	return target
}

func superOptions(t *testing.T, point string) string {
	t.Helper()
	mounts, err := Self()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mounts {
		if m.Point == point {
			return m.Super
		}
	}
	t.Fatalf("%s is not mounted", point)
	return ""
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s holds %q (%v), want %q", path, got, err, want)
	}
}
