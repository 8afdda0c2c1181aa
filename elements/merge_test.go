package elements

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// imageOf loads an image of a directory of elements, in which "os" provides
// the operating system.
func imageOf(t testing.TB, files map[string]string, names ...string) (*Image, error) {
	t.Helper()
	files["os/element-provides"] = operatingSystem + "\n"
	dir := write(t, files)
	return Load(Definition{
		Name: "x", OutputDir: dir, Arch: "amd64", Elements: append(names, "os"), ElementsPath: []string{dir}, SkipBase: true,
	}, nil)
}

// relative shortens the places of temporary directories.
func relative(text string, img *Image) string {
	return strings.ReplaceAll(text, img.Definition.ElementsPath[0]+"/", "")
}

func TestMerge(t *testing.T) {
	img, err := imageOf(t, map[string]string{
		"a/install.d/10-a":                    "#!/bin/sh\n",
		"a/install.d/sub/shared":              "from a",
		"a/install.d/sub/only-a":              "",
		"a/install.d/.hidden":                 "",
		"a/install.d/sub/.hidden":             "",
		"a/README.rst":                        "of a",
		"a/.top":                              "of a",
		"a/module.pyc":                        "",
		"a/tests/x":                           "",
		"a/__pycache__/x":                     "",
		"a/.config/file":                      "",
		"a/.config/.hidden":                   "",
		"a/test-elements/case/x":              "",
		"a/bin/tool":                          "#!/bin/sh\n",
		"a/install.d/20-tool":                 "-> ../bin/tool",
		"a/link-to-file":                      "-> README.rst",
		"b/install.d/11-b":                    "#!/bin/sh\n",
		"b/install.d/sub/shared":              "from b",
		"b/README.rst":                        "of b",
		"b/post-install.d":                    "-> shared-hooks",
		"b/shared-hooks/50-x":                 "#!/bin/sh\n",
		"b/install.d/30-gone":                 "-> ../nothing",
		"b/empty.d/":                          "",
		"b/install.d/deep/er/file":            "",
		"b/static/etc/with blank/is fine/x y": "",
	}, "b", "a")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join(strings.Fields(`
		.config .config/file .top README.rst bin bin/tool element-provides empty.d
		install.d install.d/10-a install.d/11-b install.d/20-tool install.d/30-gone
		install.d/deep install.d/deep/er install.d/deep/er/file
		install.d/sub install.d/sub/.hidden install.d/sub/only-a install.d/sub/shared
		post-install.d post-install.d/50-x shared-hooks shared-hooks/50-x
		static static/etc`), " ") +
		" static/etc/with blank static/etc/with blank/is fine static/etc/with blank/is fine/x y test-elements test-elements/case test-elements/case/x"
	if got := paths(img.Hooks.Files); got != want {
		t.Errorf("hooks:\n%s\nwant:\n%s", got, want)
	}
	for name, want := range map[string]string{
		"README.rst": "b/README.rst", "install.d/sub/shared": "b/install.d/sub/shared", "install.d/sub/only-a": "a/install.d/sub/only-a",
		".top": "a/.top", "post-install.d/50-x": "b/post-install.d/50-x",
	} {
		if f, _ := img.Hooks.Lookup(name); relative(f.Source, img) != want || f.Element != want[:1] {
			t.Errorf("%s comes from %s, want %s", name, relative(f.Source, img), want)
		}
	}
	install, _ := PhaseNamed("install")
	var hooks []string
	for _, h := range img.Hooks.PhaseHooks(install, "") {
		hooks = append(hooks, h.Name+":"+h.Element)
	}
	if got := strings.Join(hooks, " "); got != "10-a:a 11-b:b 20-tool:a" {
		t.Errorf("hooks of install.d: %s", got)
	}
	wantNotice := `b/install.d/30-gone: a link to "../nothing", which leads nowhere among the hooks, so it never runs`
	if got := relative(strings.Join(img.Notices, "\n"), img); got != wantNotice {
		t.Errorf("notices: %s\nwant: %s", got, wantNotice)
	}
}

func TestMergeProblems(t *testing.T) {
	for _, test := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"same hook", map[string]string{"a/install.d/10-x": "", "b/install.d/10-x": ""},
			`b/install.d/10-x: duplicated hook /install.d/10-x: element "b" and element "a" (a/install.d/10-x) both have it`},
		{"any directory", map[string]string{"a/bin/install-packages": "", "b/bin/install-packages": ""},
			`b/bin/install-packages: duplicated hook /bin/install-packages: element "b" and element "a" (a/bin/install-packages) both have it`},
		{"over a link to a file", map[string]string{"a/bin/x": "", "a/install.d/10-x": "-> ../bin/x", "b/install.d/10-x": ""},
			`b/install.d/10-x: duplicated hook /install.d/10-x: element "b" and element "a" (a/install.d/10-x) both have it`},
		{"over a link to nothing", map[string]string{"a/install.d/10-x": "-> ../bin/x", "b/install.d/10-x": ""}, ""},
		{"nested", map[string]string{"a/static/etc/x": "1", "b/static/etc/x": "2"}, ""},
		{"directory over a file", map[string]string{"a/static/x": "", "b/static/x/y": ""},
			`b/static/x: duplicated hook /static/x: element "b" and element "a" (a/static/x) both have it`},
		{"file over a directory", map[string]string{"a/static/x/y": "", "b/static/x": ""},
			`b/static/x: is a file in element "b" and a directory in element "a" (a/static/x)`},
		{"nested file over a directory", map[string]string{"a/static/etc/x/y": "", "b/static/etc/x": ""},
			`b/static/etc/x: is a file in element "b" and a directory in element "a" (a/static/etc/x)`},
		{"top-level file and directory", map[string]string{"a/x": "", "b/x/y": ""},
			`b/x: is a directory in element "b" and a file in element "a" (a/x)`},
		{"blank", map[string]string{"a/install.d/10 x": ""},
			`a/install.d/10 x: a name with blanks cannot be merged with the hooks of other elements`},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.files["a/z"], test.files["b/z"] = "", ""
			test.files["os/element-provides"] = operatingSystem
			dir := write(t, test.files)
			_, err := Load(Definition{OutputDir: dir, Elements: []string{"os", "a", "b"}, ElementsPath: []string{dir}, SkipBase: true}, nil)
			if got := strings.ReplaceAll(messages(err), dir+"/", ""); got != test.want {
				t.Errorf("problems:\n%s\nwant:\n%s", got, test.want)
			}
		})
	}
}

// Files keep their modes; a directory that elements share is made anew.
func TestMergeKeepsModes(t *testing.T) {
	dir := write(t, map[string]string{"a/install.d/10-x": "", "a/install.d/sub/y": "", "os/element-provides": operatingSystem})
	for name, mode := range map[string]os.FileMode{"a/install.d/10-x": 0o750, "a/install.d/sub": 0o700, "a/install.d": 0o711} {
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	img, err := Load(Definition{OutputDir: dir, Elements: []string{"os", "a"}, ElementsPath: []string{dir}, SkipBase: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{"install.d/10-x": 0o750, "install.d/sub": 0o700, "install.d": 0o755} {
		if f, _ := img.Hooks.Lookup(name); f.Mode.Perm() != want {
			t.Errorf("%s has mode %v, want %v", name, f.Mode.Perm(), want)
		}
	}
}
