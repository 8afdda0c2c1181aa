package command

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dibgraph/dibgraph/internal/testroot"
)

// In a chroot the kernel looks programs up, so that links with absolute targets
// mean what they mean inside.
func TestChroot(t *testing.T) {
	testroot.Require(t)
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatalf("needs a static busybox: %v", err)
	}
	root := t.TempDir()
	content, err := os.ReadFile(busybox)
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"bin", "real", "work"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "real/busybox"), content, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/real/busybox", filepath.Join(root, "bin/pwd")); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ dir, want string }{{"", "/\n"}, {"/work", "/work\n"}} {
		cmd := Cmd{Path: "pwd", Root: root, Dir: test.dir, Env: []string{"PATH=/sbin:/bin"}}
		if got, err := cmd.Output(t.Context()); err != nil || string(got) != test.want {
			t.Errorf("pwd in %q of the chroot: %q, %v, want %q", test.dir, got, err, test.want)
		}
	}
	missing := Cmd{Path: "pwd", Root: filepath.Join(root, "gone")}
	if err := missing.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "chroot") {
		t.Errorf("a chroot that does not exist: %v", err)
	}
}
