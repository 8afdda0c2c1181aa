package host

import (
	"os"
	"path/filepath"
	"testing"
)

const debianRelease = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n"

var aptLists = map[string]string{
	"/etc/os-release": debianRelease,
	"/var/lib/apt/lists/example.org_dists_bookworm_main_binary-amd64_Packages.lz4": "",
}

func TestLook(t *testing.T) {
	files := map[string]string{
		"/usr/bin/tar":                    "#!",
		"/usr/bin/plain":                  "not executable",
		"/usr/sbin/debootstrap":           "#!",
		"/usr/sbin/mkfs.ext4":             "#!",
		"/usr/bin/busybox":                "#! is no ELF file either",
		"/usr/share/OVMF/OVMF_CODE_4M.fd": "",
	}
	for name, content := range aptLists {
		files[name] = content
	}
	m := fake(t, files)
	const apt = "apt-get install -y --no-install-recommends "
	for _, test := range []struct {
		need Need
		want Finding
	}{
		{Need{Programs: []string{"tar"}, Package: "tar"}, Finding{State: OK, Detail: "/usr/bin/tar"}},
		{Need{Programs: []string{"plain"}, Package: "p"}, Finding{State: Missing, Detail: "no plain", Package: "p", Fix: apt + "p"}},
		{Need{Programs: []string{"mmdebstrap|debootstrap"}}, Finding{State: OK, Detail: "/usr/sbin/debootstrap"}},
		{
			Need{Programs: []string{"git|hg"}, Package: "git", Optional: true},
			Finding{State: Degraded, Detail: "no git or hg", Package: "git", Fix: apt + "git"},
		},
		{
			Need{Programs: []string{"mkfs.ext4", "tune2fs", "e2fsck"}, Package: "e2fsprogs"},
			Finding{State: Missing, Detail: "no tune2fs, no e2fsck", Package: "e2fsprogs", Fix: apt + "e2fsprogs"},
		},
		{
			Need{Programs: []string{"busybox"}, Static: true, Package: "busybox-static"},
			Finding{State: Missing, Detail: "no static busybox (/usr/bin/busybox has shared libraries)", Package: "busybox-static", Fix: apt + "busybox-static"},
		},
		{Need{Files: []string{"/nowhere/x", "/usr/share/OVMF/OVMF_CODE*.fd"}}, Finding{State: OK, Detail: "/usr/share/OVMF/OVMF_CODE_4M.fd"}},
		{
			Need{Programs: []string{"tar"}, Files: []string{"/nowhere/x", "/nowhere/y"}, Package: "python3-yaml"},
			Finding{State: Missing, Detail: "no /nowhere/x", Package: "python3 python3-yaml", Fix: apt + "python3 python3-yaml"},
		},
	} {
		test.need.What, test.need.For = "thing", "builds"
		test.want.What, test.want.For = "thing", "builds"
		if got := m.Look([]Need{test.need}); len(got) != 1 || got[0] != test.want {
			t.Errorf("Look(%+v):\n%+v, want\n%+v", test.need, got, test.want)
		}
	}
}

// What cannot be installed by a command still gets an answer.
func TestLookWithoutPackages(t *testing.T) {
	need := []Need{{What: "thing", Programs: []string{"thing"}, Package: "debian-archive-keyring"}}
	for _, test := range []struct{ release, fix string }{
		{"ID=slackware\n", "install what brings it (Debian's package is debian-archive-keyring)"},
		{"ID=opensuse-leap\nPRETTY_NAME=openSUSE\n", "openSUSE has no package of it that we know (Debian's is debian-archive-keyring)"},
	} {
		m := fake(t, map[string]string{"/etc/os-release": test.release})
		if got := m.Look(need)[0]; got.Fix != test.fix || got.Package != "" || got.State != Missing {
			t.Errorf("on %q: %+v, want fix %q", test.release, got, test.fix)
		}
	}
}

func TestIsStatic(t *testing.T) {
	// Test binaries of Go are static or not, by cgo; the shell never is.
	if isStatic("/bin/sh") {
		t.Error("/bin/sh is said to be static")
	}
	text := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(text, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if isStatic(text) {
		t.Error("a script is said to be a static program")
	}
}

// An empty path means the directories of the system, never the caller's PATH.
func TestProgramIgnoresCallersPath(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	if err := os.WriteFile(filepath.Join(dir, "only-here"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got := (Machine{}).program("only-here"); got != "" {
		t.Errorf("found %q by the PATH of the caller", got)
	}
	if got := (Machine{Path: "/nowhere:" + dir}).program("only-here"); got != filepath.Join(dir, "only-here") {
		t.Errorf("found %q, want the program in %s", got, dir)
	}
}
