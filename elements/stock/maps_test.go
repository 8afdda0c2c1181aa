package stock_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dibgraph/dibgraph/steps/helper"
)

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
