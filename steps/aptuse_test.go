package steps

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/dibgraph/dibgraph/graph"
)

const inRelease = "Suite: s\nDate: Mon, 02 Nov 2026 08:00:00 UTC\nSHA256:\n aaaa 10 main/binary-amd64/Packages\n"

// inReleaseState is the state that the file stands for.
var inReleaseState = graph.DigestText("sha256\naaaa 10 main/binary-amd64/Packages\n").String()

// putFiles makes files below a directory.
func putFiles(t *testing.T, root string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAptUses(t *testing.T) {
	const list = "var/lib/apt/lists/a.example.org_debian_dists_bookworm_InRelease"
	sources := map[string]string{
		"etc/apt/sources.list":               "deb [arch=amd64 signed-by=/k.gpg] http://a.example.org/debian/ bookworm main\ndeb http://a.example.org/debian bookworm contrib\ndeb cdrom:[D]/ x main\ndeb file:/srv/r x main\ndeb mirror+file:/etc/m x main\n",
		"etc/apt/sources.list.d/b.sources":   "Types: deb\nURIs: https://me:secret@b.example.org\nSuites: ./ $(ARCH)/\n",
		"etc/apt/sources.list.d/off.sources": "Types: deb\nURIs: http://off.example.org\nSuites: off\nEnabled: no\n",
	}
	withList := map[string]string{list: inRelease}
	for name, content := range sources {
		withList[name] = content
	}
	bookworm := AptUse{URI: "http://a.example.org/debian", Suite: "bookworm"}
	flat := AptUse{URI: "https://me:secret@b.example.org", Suite: "./"}
	seen := bookworm
	seen.Found = inReleaseState
	variable := map[string]string{"DIB_DISTRIBUTION_MIRROR": "http://c.example.org/debian/", "DIB_RELEASE": "trixie"}
	lines := map[string]string{"DIB_APT_SOURCES_CONF": "default:deb http://d.example.org/debian trixie main\nsec:deb http://e.example.org/sec trixie-security main", "DIB_RELEASE": "other"}
	for _, test := range []struct {
		name             string
		files, env       map[string]string
		fetched, changed bool
		want             []AptUse
	}{
		{"nothing was done", sources, variable, false, false, nil},
		{"it installed, and left no lists", sources, variable, false, true, []AptUse{bookworm, flat}},
		{"it fetched, and left lists of one", withList, nil, true, true, []AptUse{seen, flat}},
		{"it installed from lists that were there", withList, nil, false, true, []AptUse{flat}},
		{"no sources, but a mirror", nil, variable, true, true, []AptUse{{URI: "http://c.example.org/debian", Suite: "trixie"}}},
		{"no sources, but a directory of the host", nil, map[string]string{"DIB_DISTRIBUTION_MIRROR": "file:///srv/debian", "DIB_RELEASE": "sid"}, true, true, []AptUse{{URI: "file:///srv/debian", Suite: "sid"}}},
		{"no sources, but lines", nil, lines, true, true, []AptUse{{URI: "http://d.example.org/debian", Suite: "trixie"}, {URI: "http://e.example.org/sec", Suite: "trixie-security"}}},
		{"lines, and lists that another tool left", map[string]string{"var/lib/apt/lists/d.example.org_debian_dists_trixie_Release": inRelease}, lines, true, true,
			[]AptUse{{URI: "http://d.example.org/debian", Suite: "trixie", Found: inReleaseState}, {URI: "http://e.example.org/sec", Suite: "trixie-security"}}},
		{"a list that is cut", map[string]string{"etc/apt/sources.list": "deb http://a.example.org/debian bookworm main\n", list: "-----BEGIN PGP SIGNED MESSAGE-----\n\nSHA256:\n aaaa"}, nil, true, true, []AptUse{bookworm}},
		{"nothing is known", nil, nil, true, true, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := t.TempDir()
			putFiles(t, root, test.files)
			if got := aptUses(root, test.fetched, test.changed, test.env); !reflect.DeepEqual(got, test.want) {
				t.Errorf("aptUses = %+v\nwant %+v", got, test.want)
			}
		})
	}
}

// A link in the image must not make a file of the host a source.
func TestAptUsesStaysInTheTree(t *testing.T) {
	root, outside := t.TempDir(), t.TempDir()
	putFiles(t, outside, map[string]string{"sources.list": "deb http://host.example.org/debian bookworm main\n"})
	putFiles(t, root, map[string]string{"etc/apt/keep": ""})
	if err := os.Symlink(filepath.Join(outside, "sources.list"), filepath.Join(root, "etc/apt/sources.list")); err != nil {
		t.Fatal(err)
	}
	if got := aptUses(root, true, true, nil); got != nil {
		t.Errorf("aptUses = %+v, want none", got)
	}
}

func TestPackagesTouched(t *testing.T) {
	for _, test := range []struct {
		name             string
		files            map[string]string
		dirs             []string
		fetched, changed bool
	}{
		{"nothing", nil, nil, false, false},
		{"lists removed", nil, []string{"mnt/var/lib/apt/lists/partial"}, false, false},
		{"a lock", map[string]string{"mnt/var/lib/apt/lists/lock": ""}, nil, true, false},
		{"installed", map[string]string{"mnt/var/lib/dpkg/status": "x"}, nil, false, true},
		{"outside of the image", map[string]string{"hooks/var/lib/dpkg/status": "x"}, nil, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			upper := t.TempDir()
			putFiles(t, upper, test.files)
			for _, dir := range test.dirs {
				if err := os.MkdirAll(filepath.Join(upper, dir), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if fetched, changed := packagesTouched(upper); fetched != test.fetched || changed != test.changed {
				t.Errorf("packagesTouched = %t, %t, want %t, %t", fetched, changed, test.fetched, test.changed)
			}
		})
	}
}

func TestPackageStateSince(t *testing.T) {
	root := t.TempDir()
	putFiles(t, root, map[string]string{dpkgStatus: "a", aptLists + "/x_InRelease": "x"})
	before := packagesIn(root)
	if fetched, changed := packagesIn(root).since(before); fetched || changed {
		t.Errorf("nothing happened: %t, %t", fetched, changed)
	}
	putFiles(t, root, map[string]string{dpkgStatus: "b"})
	if fetched, changed := packagesIn(root).since(before); fetched || !changed {
		t.Errorf("a package more: %t, %t", fetched, changed)
	}
	putFiles(t, root, map[string]string{aptLists + "/y_InRelease": "y"})
	if fetched, _ := packagesIn(root).since(before); !fetched {
		t.Error("a list more was not seen")
	}
	if err := os.RemoveAll(filepath.Join(root, aptLists)); err != nil {
		t.Fatal(err)
	}
	if fetched, _ := packagesIn(root).since(before); fetched {
		t.Error("removing lists counts as fetching")
	}
}
