package host

import (
	"strings"
	"testing"
)

func TestDistribution(t *testing.T) {
	for _, test := range []struct {
		release string
		want    Distribution
	}{
		{debianRelease, Distribution{ID: "debian", Name: "Debian GNU/Linux 12 (bookworm)", Family: Debian}},
		{"ID=linuxmint\nID_LIKE=\"ubuntu debian\"\nPRETTY_NAME='Mint'\n", Distribution{ID: "linuxmint", Name: "Mint", Family: Debian}},
		{"# a comment=1\nID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", Distribution{ID: "rocky", Name: "this distribution", Family: Fedora}},
		{"ID=opensuse-tumbleweed\nID_LIKE=\"opensuse suse\"\nPRETTY_NAME=\"a \\\"b\\\" \\\\ c\"", Distribution{ID: "opensuse-tumbleweed", Name: `a "b" \ c`, Family: SUSE}},
		{"ID=manjaro\nID_LIKE=arch\n", Distribution{ID: "manjaro", Name: "this distribution", Family: Arch}},
		{"ID=alpine\n", Distribution{ID: "alpine", Name: "this distribution", Family: Alpine}},
		{"ID=nixos\n", Distribution{ID: "nixos", Name: "this distribution"}},
		{"", Distribution{Name: "this distribution"}},
	} {
		for _, place := range []string{"/etc/os-release", "/usr/lib/os-release"} {
			got := fake(t, map[string]string{place: test.release, "/var/lib/apt/lists/a_Packages": ""}).Distribution()
			if got != test.want {
				t.Errorf("%s %q: %+v, want %+v", place, test.release, got, test.want)
			}
		}
	}
}

func TestInstall(t *testing.T) {
	with := fake(t, aptLists).Distribution()
	without := fake(t, map[string]string{"/etc/os-release": debianRelease}).Distribution()
	for _, test := range []struct {
		name     string
		d        Distribution
		packages string
		want     string
	}{
		{"nothing to do", with, "", ""},
		{"Debian", with, "git tar", "apt-get install -y --no-install-recommends git tar"},
		{"Debian before its first update", without, "git", "apt-get update; apt-get install -y --no-install-recommends git"},
		{"Fedora", Distribution{Family: Fedora}, "git", "dnf install -y git"},
		{"SUSE", Distribution{Family: SUSE}, "git", "zypper --non-interactive install git"},
		{"Arch", Distribution{Family: Arch}, "git", "pacman -S --needed --noconfirm git"},
		{"Alpine", Distribution{Family: Alpine}, "git", "apk add git"},
		{"another", Distribution{}, "git", ""},
	} {
		var lines []string
		for _, c := range test.d.Install(strings.Fields(test.packages)) {
			lines = append(lines, c.String())
		}
		if got := strings.Join(lines, "; "); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestProvider(t *testing.T) {
	for _, test := range []struct {
		family       Family
		debian, want string
	}{
		{Debian, "qemu-utils", "qemu-utils"},
		{Fedora, "qemu-utils", "qemu-img"},
		{Fedora, "dosfstools mtools", "dosfstools mtools"},
		{Alpine, "e2fsprogs", "e2fsprogs e2fsprogs-extra"},
		{SUSE, "python3-diskimage-builder", ""},
		{Unknown, "tar", ""},
	} {
		if got := test.family.provider(test.debian); got != test.want {
			t.Errorf("%q.provider(%q) = %q, want %q", test.family, test.debian, got, test.want)
		}
	}
}

func FuzzParseRelease(f *testing.F) {
	for _, seed := range []string{debianRelease, "ID='a'\n", "A=\"\\", "='", "A=\"", "#=\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for name, value := range parseRelease(text) {
			if !strings.Contains(text, name) || len(value) > len(text) {
				t.Errorf("%q: made up %q=%q", text, name, value)
			}
		}
	})
}
