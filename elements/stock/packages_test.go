package stock_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// recorder makes tools that print how they are called.
func recorder(t *testing.T, tools ...string) string {
	t.Helper()
	bin := t.TempDir()
	for _, tool := range tools {
		write(t, "#!/bin/sh\necho \"${0##*/} $*\"\n", bin, tool)
	}
	return bin
}

func TestPackageInstalls(t *testing.T) {
	bin := recorder(t, "install-packages")
	maps := t.TempDir()
	write(t, "default\t\t\tweb\tnginx nginx-extras\ndefault\t\t\tgone\t\n", maps, "a.tsv")
	pkgMap, err := filepath.Abs("pkg-map/bin/pkg-map")
	if err != nil || os.Symlink(pkgMap, filepath.Join(bin, "pkg-map")) != nil {
		t.Fatal("link pkg-map", err)
	}
	dir := t.TempDir()
	write(t, "install.d\tinstall\ta\tweb\ninstall.d\tinstall\tb\tweb\ninstall.d\tinstall\tb\tcurl\ninstall.d\tinstall\ta\tcurl\n"+
		"install.d\tuninstall\tb\tgcc\npost-install.d\tinstall\ta\tgone\n", dir, "package-installs.list")
	for _, test := range []struct{ args, want string }{
		{"--phase install.d", "install-packages curl nginx nginx-extras web\n"},
		{"--phase install.d --uninstall", "install-packages -e gcc\n"},
		{"--phase post-install.d", "Nothing to install\n"},
		{"--phase pre-install.d --uninstall", "Nothing to uninstall\n"},
	} {
		args := append(strings.Fields(test.args), filepath.Join(dir, "package-installs.json"))
		got, stderr, status := run(t, bin, []string{"PKG_MAP_DIR=" + maps}, "package-installs/bin/package-installs-v2", args...)
		if got != test.want || status != 0 {
			t.Errorf("package-installs-v2 %s = %q, status %d, want %q\n%s", test.args, got, status, test.want, stderr)
		}
	}

	write(t, "# old form\nweb  # a comment\n-gcc\n", dir, "package-installs-a")
	for script, want := range map[string]string{"package-installs": "install-packages nginx nginx-extras\n", "package-uninstalls": "install-packages -e gcc\n"} {
		if got, stderr, status := run(t, bin, []string{"PKG_MAP_DIR=" + maps}, "package-installs/bin/"+script, "-d", dir); got != want || status != 0 {
			t.Errorf("%s = %q, status %d, want %q\n%s", script, got, status, want, stderr)
		}
	}
}

func TestInstallPackages(t *testing.T) {
	bin := recorder(t, "apt-get")
	write(t, "#!/bin/sh\nshift 4\necho \"mapped-$1 extra\"\n", bin, "pkg-map")
	for _, test := range []struct{ args, want string }{
		{"one two", "install one two\n"},
		{"-e one", "remove one\n"},
		{"-u", "dist-upgrade\n"},
		{"-u one", "dist-upgrade\ninstall one\n"},
		{"-m e one", "install mapped-one extra\n"},
		{"", "Nothing to install\n"},
		{"-e", "Nothing to remove\n"},
	} {
		got, stderr, status := run(t, bin, nil, "dpkg/bin/install-packages", strings.Fields(test.args)...)
		var calls strings.Builder
		for line := range strings.Lines(got) {
			if options := strings.LastIndex(line, "force-confold "); options >= 0 {
				line = line[options+len("force-confold "):]
			}
			calls.WriteString(line)
		}
		if calls.String() != test.want || status != 0 {
			t.Errorf("install-packages %s = %q, status %d, want %q\n%s", test.args, got, status, test.want, stderr)
		}
	}
	// What a package map gives may hold several names in one word.
	if got, _, _ := run(t, bin, nil, "dpkg/bin/install-packages", "one two", "three"); !strings.HasSuffix(got, "install one two three\n") {
		t.Errorf("install-packages 'one two' three = %q", got)
	}
}
