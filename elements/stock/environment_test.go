package stock_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dibgraph/dibgraph/steps/helper"
)

// source evaluates fragments as a phase does, in order and with settings that
// make every slip an error, and returns the value of one variable.
func source(t *testing.T, env []string, variable string, fragments ...string) (string, error) {
	t.Helper()
	script := "set -eu\nfor f in \"$@\"; do . \"$f\"; done\nprintenv " + variable
	cmd := exec.CommandContext(t.Context(), "bash", append([]string{"-c", script, "bash"}, fragments...)...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Logf("stderr: %s", stderr.String())
	}
	return strings.TrimSuffix(string(out), "\n"), err
}

func TestDebianSources(t *testing.T) {
	const (
		main     = "DIBGRAPH_DEBIAN_MIRROR=http://example.org/debian"
		security = "DIBGRAPH_DEBIAN_SECURITY_MIRROR=http://example.org/security"
	)
	for _, test := range []struct {
		name string
		env  []string
		want string
	}{
		{"no mirror: the bootstrap tool decides", nil, ""},
		{"host's mirrors", []string{main, security}, "default:deb http://example.org/debian stable main\n" +
			"updates:deb http://example.org/debian stable-updates main\nsecurity:deb http://example.org/security stable-security main"},
		{"no security mirror", []string{main, "DIB_RELEASE=bookworm"}, "default:deb http://example.org/debian bookworm main\n" +
			"updates:deb http://example.org/debian bookworm-updates main"},
		{"the definition wins", []string{main, "DIB_DISTRIBUTION_MIRROR=http://a.example.org", "DIB_RELEASE=sid"}, "default:deb http://a.example.org sid main"},
		{"the one for Debian wins", []string{main, "DIB_DISTRIBUTION_MIRROR=http://a.example.org", "DIB_DEBIAN_DISTRIBUTION_MIRROR=http://b.example.org", "DIB_RELEASE=testing"}, "default:deb http://b.example.org testing main"},
		{"components", []string{main, "DIB_RELEASE=sid", "DIB_DEBIAN_COMPONENTS=main,contrib"}, "default:deb http://example.org/debian sid main contrib"},
		{"old security suite", []string{main, "DIB_RELEASE=buster", "DIB_DEBIAN_SECURITY_MIRROR=http://s.example.org"}, "default:deb http://example.org/debian buster main\n" +
			"updates:deb http://example.org/debian buster-updates main\nsecurity:deb http://s.example.org buster/updates main"},
		{"the user's own", []string{main, "DIB_APT_SOURCES_CONF=x:deb http://x.example.org y z"}, "x:deb http://x.example.org y z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := source(t, test.env, "DIB_APT_SOURCES_CONF", "debian-minimal/environment.d/10-debian-minimal.bash")
			if err != nil || got != test.want {
				t.Errorf("DIB_APT_SOURCES_CONF = %q, %v, want %q", got, err, test.want)
			}
		})
	}
}

// Every fragment must hold up with nothing set but what the builder always sets.
func TestFragmentsNeedNothing(t *testing.T) {
	fragments, err := filepath.Glob("*/environment.d/*")
	if err != nil || len(fragments) < 10 {
		t.Fatalf("%d fragments, %v", len(fragments), err)
	}
	for _, fragment := range fragments {
		if _, err := source(t, []string{"ARCH=amd64", "DIB_INIT_SYSTEM=systemd"}, "ARCH", fragment); err != nil {
			t.Errorf("%s: %v", fragment, err)
		}
	}
}

func TestLayoutsRefuseArchitectures(t *testing.T) {
	for _, test := range []struct {
		layout, arch string
		ok           bool
	}{
		{"mbr", "amd64", true}, {"mbr", "arm64", false}, {"gpt", "aarch64", false}, {"gpt", "x86_64", true},
		{"efi", "arm64", true}, {"efi", "ppc64el", false}, {"mbr", "ppc64el", true},
	} {
		got, err := source(t, []string{"ARCH=" + test.arch}, "DIB_BLOCK_DEVICE", "bootloader/environment.d/10-bootloader.bash",
			"block-device-"+test.layout+"/environment.d/15-block-device.bash")
		if (err == nil) != test.ok || test.ok && got != test.layout {
			t.Errorf("%s on %s: %q, %v", test.layout, test.arch, got, err)
		}
	}
}

func TestInitSystemIsChecked(t *testing.T) {
	const fragment = "dib-init-system/environment.d/99-dib-init-system.bash"
	for value, ok := range map[string]bool{"systemd": true, "sysv": true, "": false, "launchd": false} {
		if _, err := source(t, []string{"DIB_INIT_SYSTEM=" + value}, "DIB_INIT_SYSTEM", fragment); (err == nil) != ok {
			t.Errorf("DIB_INIT_SYSTEM=%q: %v", value, err)
		}
	}
}

// The boot loader's packages come with all others, so that a finished disk needs
// no network.
func TestGrubPackages(t *testing.T) {
	for _, test := range []struct{ arch, layout, skip, want string }{
		{"amd64", "mbr", "False", "grub-pc"},
		{"x86_64", "gpt", "False", "grub-pc"},
		{"amd64", "efi", "False", "grub-efi-amd64 grub-pc-bin"},
		{"arm64", "efi", "False", "grub-efi-arm64"},
		{"amd64", "", "False", ""},
		{"amd64", "efi", "True", ""},
	} {
		env := map[string]string{"ARCH": test.arch, "DIB_BLOCK_DEVICE": test.layout, "DIB_SKIP_GRUB_PACKAGE_INSTALL": test.skip}
		if got := squash(t, "bootloader", env); got != test.want {
			t.Errorf("%s on %s, skip %s: %q, want %q", test.layout, test.arch, test.skip, got, test.want)
		}
	}
}

// squash returns the packages that elements of the library install, sorted.
func squash(t *testing.T, elements string, env map[string]string) string {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "packages.json")
	var stderr bytes.Buffer
	look := func(name string) (string, bool) { value, ok := env[name]; return value, ok }
	if status := helper.Main("package-installs-squash", []string{"--elements", elements, "--path", here, out}, look, &stderr, &stderr); status != 0 || stderr.Len() > 0 {
		t.Fatalf("status %d: %s", status, stderr.String())
	}
	list, err := os.ReadFile(strings.TrimSuffix(out, ".json") + ".list")
	if err != nil {
		t.Fatal(err)
	}
	var packages []string
	for line := range strings.Lines(string(list)) {
		packages = append(packages, strings.Split(strings.TrimSpace(line), "\t")[3])
	}
	return strings.Join(packages, " ")
}

func TestEveryMapAndListIsReadable(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	var doc strings.Builder
	for _, name := range names(t) {
		doc.WriteString(name + ": " + filepath.Join(here, name) + "\n")
	}
	env := map[string]string{"ARCH": "amd64", "DIB_BLOCK_DEVICE": "mbr", "DIB_SKIP_GRUB_PACKAGE_INSTALL": "False", "FS_TYPE": "xfs", "DIB_RELEASE": "stable",
		"DIB_DEBIAN_ALT_INIT_PACKAGE": "systemd-sysv", "DIB_SIMPLE_INIT_NETWORKMANAGER": "0", "DIB_UBUNTU_KERNEL": "linux-image-generic"}
	if got := squash(t, strings.Join(names(t), " "), env); !strings.Contains(got, "linux-image-amd64") || !strings.Contains(got, "xfsprogs") {
		t.Errorf("packages of all elements: %s", got)
	}
	look := func(name string) (string, bool) { return doc.String(), name == "IMAGE_ELEMENT_YAML" }
	dir := t.TempDir()
	for name, arg := range map[string]string{"pkg-map-compile": dir, "svc-map-merge": filepath.Join(dir, "services")} {
		var stderr bytes.Buffer
		if status := helper.Main(name, []string{arg}, look, &stderr, &stderr); status != 0 {
			t.Errorf("%s: status %d: %s", name, status, stderr.String())
		}
	}
}
