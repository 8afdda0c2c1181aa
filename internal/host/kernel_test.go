package host

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

const filesystems = "nodev\tproc\nnodev\toverlay\n\text4\n\txfs\n"

func TestFilesystem(t *testing.T) {
	m := fake(t, map[string]string{
		"/proc/filesystems":                   filesystems,
		"/proc/sys/kernel/osrelease":          "6.1.0\n",
		"/lib/modules/6.1.0/modules.builtin":  "kernel/fs/btrfs/btrfs.ko\n",
		"/lib/modules/6.1.0/modules.dep":      "kernel/fs/fat/vfat.ko.xz: kernel/fs/fat/fat.ko.xz\nkernel/fs/fat/fat.ko.xz:\n",
		"/lib/modules/5.10.0/modules.builtin": "kernel/fs/ntfs3/ntfs3.ko\n",
	})
	for name, want := range map[string]Finding{
		"xfs":   {State: OK, Detail: "in the kernel"},
		"ext4":  {State: OK, Detail: "in the kernel"},
		"vfat":  {State: OK, Detail: "a module, loaded when it is needed"},
		"btrfs": {State: OK, Detail: "a module, loaded when it is needed"},
		"ntfs3": {State: Degraded, Detail: "not in the running kernel"}, // it is in another one
		"nodev": {State: Degraded, Detail: "not in the running kernel"},
	} {
		want.What, want.For = name, "tests"
		if got := m.filesystem(name, "tests"); got != want {
			t.Errorf("filesystem(%q) = %+v, want %+v", name, got, want)
		}
	}
}

func TestUntried(t *testing.T) {
	bare := fake(t, map[string]string{"/proc/filesystems": "\text4\n"}).untried()
	full := fake(t, map[string]string{"/proc/filesystems": filesystems, "/dev/loop-control": ""}).untried()
	for i, want := range []string{"overlay", "loop devices"} {
		if bare[i].What != want || bare[i].State != Missing || full[i].What != want || full[i].State != OK {
			t.Errorf("%s: without %+v, with %+v", want, bare[i], full[i])
		}
	}
}

func TestDeviceMapper(t *testing.T) {
	if got := fake(t, nil).deviceMapper().State; got != Degraded {
		t.Errorf("without: %s", got)
	}
	if got := fake(t, map[string]string{"/dev/mapper/control": ""}).deviceMapper().State; got != OK {
		t.Errorf("with: %s", got)
	}
	// As a node without a driver, this one can be seen and not be opened.
	m := fake(t, nil)
	if err := errors.Join(os.MkdirAll(m.file("/dev/mapper"), 0o755), os.Symlink("control", m.file("/dev/mapper/control"))); err != nil {
		t.Fatal(err)
	}
	if got := m.deviceMapper(); got.State != Degraded || got.Detail == "" {
		t.Errorf("with a node that nothing is behind: %+v", got)
	}
}

func TestForeign(t *testing.T) {
	const dir = "/proc/sys/fs/binfmt_misc/"
	registered := func(flags string) string { return "enabled\ninterpreter /usr/bin/q\nflags: " + flags + "\noffset 0\n" }
	for _, test := range []struct {
		name    string
		entries map[string]string
		state   State
		detail  string
	}{
		{"not mounted", nil, Degraded, "none"},
		{"nothing of ours", map[string]string{dir + "status": "enabled", dir + "python3": registered("F")}, Degraded, "none"},
		{"one", map[string]string{dir + "qemu-aarch64": registered("POCF"), dir + "qemu-arm": "disabled\nflags: F\n"}, OK, "aarch64"},
		{
			"not fixed", map[string]string{dir + "qemu-arm": registered("OC")},
			Degraded, "not in a chroot, because their interpreters are registered without flag F: arm",
		},
	} {
		got := fake(t, test.entries).foreign()
		if got.State != test.state || got.Detail != test.detail {
			t.Errorf("%s: %+v, want %s, %q", test.name, got, test.state, test.detail)
		}
	}
}

func TestExisting(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{
		dir:                              dir,
		filepath.Join(dir, "a/b/c"):      dir,
		"/":                              "/",
		"relative-and-not-there/further": ".",
	} {
		if got := existing(path); got != want {
			t.Errorf("existing(%q) = %q, want %q", path, got, want)
		}
	}
}
