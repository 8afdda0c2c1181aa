package stock_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/steps/helper"
)

// write makes a file, executable when it is a script, and returns its name.
func write(t *testing.T, content string, elem ...string) string {
	t.Helper()
	name := filepath.Join(elem...)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	mode := os.FileMode(0o644)
	if strings.HasPrefix(content, "#!") {
		mode = 0o755
	}
	if err := os.WriteFile(name, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	return name
}

// run runs a script of the library with the directory bin first in PATH and
// returns its output and exit status.
func run(t *testing.T, bin string, env []string, script string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	abs, err := filepath.Abs(filepath.FromSlash(script))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), abs, args...)
	cmd.Env = append([]string{"PATH=" + bin + ":" + os.Getenv("PATH"), "LC_ALL=C"}, env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

const pkgMapDoc = `{
  "default": {"web": "web-default", "gone": "gone-default", "quo\"te": "back\\slash"},
  "family": {"debian": {"web": "web-deb", "two": "one two"}, "redhat": {"web": "web-rpm"}},
  "distro": {"debian": {"gone": ""}, "ubuntu": {"web": "web-ubuntu"}},
  "release": {"debian": {"bookworm": {"web": "web-12"}}, "centos": {"8": {"web": "web-c8"}}}
}
`

func TestPkgMap(t *testing.T) {
	compiled, plain := t.TempDir(), t.TempDir()
	element := filepath.Dir(write(t, pkgMapDoc, t.TempDir(), "e", "pkg-map"))
	write(t, pkgMapDoc, plain, "e")
	var stderr bytes.Buffer
	env := func(name string) (string, bool) { return "e: " + element, name == "IMAGE_ELEMENT_YAML" }
	if status := helper.Main("pkg-map-compile", []string{compiled}, env, &stderr, &stderr); status != 0 {
		t.Fatal(stderr.String())
	}
	for _, test := range []struct {
		name   string
		args   []string
		env    string
		want   string
		status int
	}{
		{"default", []string{"web"}, "", "web-default\n", 0},
		{"family", []string{"--distro", "debian", "web", "two"}, "", "web-deb\none two\n", 0},
		{"another family", []string{"--distro=rocky", "web"}, "", "web-rpm\n", 0},
		{"distro wins", []string{"--distro=ubuntu", "web"}, "", "web-ubuntu\n", 0},
		{"distro from the environment", []string{"web"}, "DISTRO_NAME=ubuntu", "web-ubuntu\n", 0},
		{"release wins", []string{"--distro=debian", "--release", "bookworm", "web"}, "", "web-12\n", 0},
		{"rolling release", []string{"--distro=centos", "--release=8-stream", "web"}, "", "web-c8\n", 0},
		{"mapped to nothing", []string{"--distro=debian", "gone", "web"}, "", "web-deb\n", 0},
		{"odd characters", []string{`quo"te`}, "", "back\\slash\n", 0},
		{"prefix", []string{"--prefix", "-", "--missing-ok", "web", "other"}, "", "-web-default\n-other\n", 0},
		{"not mapped", []string{"web", "other"}, "", "web-default\n", 1},
		{"nothing asked", nil, "", "", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, dir := range []string{compiled, plain} {
				args := append([]string{"--element", "e"}, test.args...)
				got, stderr, status := run(t, "", []string{"PKG_MAP_DIR=" + dir, test.env}, "pkg-map/bin/pkg-map", args...)
				if got != test.want || status != test.status {
					t.Errorf("pkg-map %q = %q, status %d, want %q, %d\n%s", args, got, status, test.want, test.status, stderr)
				}
			}
		})
	}
}

func TestPkgMapWithoutMap(t *testing.T) {
	env := []string{"PKG_MAP_DIR=" + t.TempDir()}
	if got, _, status := run(t, "", env, "pkg-map/bin/pkg-map", "--element", "e", "web"); got != "" || status != 2 {
		t.Errorf("= %q, status %d, want status 2", got, status)
	}
	if got, _, status := run(t, "", env, "pkg-map/bin/pkg-map", "--element", "e", "--missing-ok", "--prefix=-", "web"); got != "-web\n" || status != 0 {
		t.Errorf("--missing-ok = %q, status %d", got, status)
	}
	broken := write(t, `{"default": {"web" "x"}}`, t.TempDir(), "map")
	if _, stderr, status := run(t, "", nil, "pkg-map/bin/pkg-map", "--pkg-map", broken, "web"); status != 1 || !strings.Contains(stderr, "a colon was expected") {
		t.Errorf("broken map: status %d, %q", status, stderr)
	}
}

func TestSvcMap(t *testing.T) {
	file := filepath.Join(t.TempDir(), "services")
	write(t, "zz-web\tdebian\tdeb\nzz-web\tubuntu\tubu\nzz-web\tdefault\tdef\n", file+".tsv")
	for distro, want := range map[string]string{"debian": "deb", "ubuntu": "ubu", "fedora": "def", "": "def"} {
		got, _, _ := run(t, "", []string{"SVC_MAP_FILE=" + file, "DISTRO_NAME=" + distro}, "svc-map/bin/svc-map", "zz-web", "zz-other")
		if got != want+"\nzz-other\n" {
			t.Errorf("svc-map on %q = %q, want %q", distro, got, want)
		}
	}
}

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

func TestCacheURL(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed")
	}
	content, changed := "first", time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/file":
			http.ServeContent(w, r, "", changed, strings.NewReader(content))
		case "/forbidden":
			w.WriteHeader(http.StatusForbidden)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "sub", "file")
	fetch := func(args ...string) int {
		t.Helper()
		_, _, status := run(t, "", []string{"no_proxy=*", "HOME=" + dir}, "cache-url/bin/cache-url", args...)
		return status
	}
	expect := func(when, want string) {
		t.Helper()
		if got, err := os.ReadFile(file); string(got) != want {
			t.Errorf("%s: file holds %q, %v, want %q", when, got, err, want)
		}
	}
	if status := fetch(server.URL+"/file", file); status != 0 {
		t.Fatalf("status %d", status)
	}
	expect("first", "first")
	content = "unseen"
	fetch(server.URL+"/file", file)
	expect("up to date", "first")
	fetch("-f", server.URL+"/file", file)
	expect("forced", "unseen")
	content, changed = "newer", changed.Add(time.Hour)
	fetch(server.URL+"/file", file)
	expect("newer on the server", "newer")
	for path, want := range map[string]int{"/missing": 44, "/forbidden": 22} {
		if status := fetch(server.URL+path, file); status != want {
			t.Errorf("%s: status %d, want %d", path, status, want)
		}
	}
	expect("after failures", "newer")
	if entries, err := os.ReadDir(filepath.Dir(file)); err != nil || len(entries) != 1 {
		t.Errorf("%d files are left in the directory, %v", len(entries), err)
	}
}

func TestInstallTypes(t *testing.T) {
	hooks := t.TempDir()
	for _, name := range []string{"app-source-install/10-a", "app-package-install/10-b", "lib-x-source-install/20-c", "lib-x-package-install/20-d"} {
		write(t, "#!/bin/sh\n", hooks, "install.d", name)
	}
	env := []string{"TMP_HOOKS_PATH=" + hooks, "DIB_INSTALLTYPE_lib_x=package", "DIB_DEFAULT_INSTALLTYPE=source"}
	if _, stderr, status := run(t, "", env, "install-types/extra-data.d/99-enable-install-types"); status != 0 {
		t.Fatal(stderr)
	}
	got := map[string]string{}
	links, err := filepath.Glob(filepath.Join(hooks, "install.d", "[0-9]*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if got[filepath.Base(link)], err = os.Readlink(link); err != nil {
			t.Error(err)
		}
	}
	if want := map[string]string{"10-a": "app-source-install/10-a", "20-d": "lib-x-package-install/20-d"}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("links %v, want %v", got, want)
	}
}
