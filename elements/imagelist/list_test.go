package imagelist

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/elements"
	"github.com/dibgraph/dibgraph/internal/problem"
)

// read reads files that are called a.yaml, b.yaml and so on.
func read(t *testing.T, texts ...string) []*Image {
	t.Helper()
	images, err := readAll(texts)
	if err != nil {
		t.Fatal(err)
	}
	return images
}

func readAll(texts []string) ([]*Image, error) {
	var files []File
	for i, text := range texts {
		files = append(files, File{Name: string(rune('a'+i)) + ".yaml", Content: []byte(text)})
	}
	return Read(files)
}

// Lists grow, maps are updated, the rest is replaced, as in diskimage-builder.
func TestEntriesOfOneNameAreOneImage(t *testing.T) {
	images := read(t, `
- elements: [first]
- imagename: web
  elements: [vm]
  arch: amd64
  environment: {A: "1", B: "2"}
- elements: [more]
  arch: arm64
  environment: {B: "3", C: "4"}
- imagename: db
  elements: [vm]
`, `
- packages: [sql]
- imagename: web
  packages: [vim]
`)
	if got, want := Names(images), []string{"image", "web", "db"}; !reflect.DeepEqual(got, want) {
		t.Fatalf("images %q, want %q", got, want)
	}
	web := images[1].Define(elements.Definition{})
	if got, want := web.Elements, []string{"vm", "more"}; !reflect.DeepEqual(got, want) {
		t.Errorf("elements %q, want %q", got, want)
	}
	if want := map[string]string{"A": "1", "B": "3", "C": "4"}; web.Arch != "arm64" || !reflect.DeepEqual(web.Environment, want) {
		t.Errorf("arch %s, environment %v, want arm64 and %v", web.Arch, web.Environment, want)
	}
	if db := images[2].Define(elements.Definition{}); !reflect.DeepEqual(db.Packages, []string{"sql"}) {
		t.Errorf("packages %q, want those of the next file", db.Packages)
	}
}

func TestDefine(t *testing.T) {
	base := elements.Definition{
		Environment: map[string]string{"HOME": "/root", "OTHER": "x", "ELEMENTS_PATH": "/e"}, PassEnv: []string{"P"},
		ElementsPath: []string{"/flag"}, WorkDir: "/work", Home: "/root", Trace: 1,
	}
	i := read(t, `
- imagename: out/web.qcow2
  arch: arm64
  types: [qcow2]
  environment: {A: ""}
  ramdisk: true
  debug-trace: 2
  uncompressed: true
  clear: true
  checksum: true
  image-size: 1.5
  image-extra-size: 2
  image-cache: /cache
  max-online-resize: 3
  min-tmpfs: 4
  mkfs-journal-size: 5
  mkfs-options: -i 6
  no-tmpfs: true
  offline: true
  qemu-img-options: {compat: "0.10", lazy: "on"}
  root-label: label
  docker-target: apps/web:1
  ramdisk-element: rd
  install-type: package
  packages: [vim, tmux]
  skip-base: true
  elements: [vm, web]
  freshness: keep,max-age=7d
  check-mirrors: 2h
  elements-path: [mine, /theirs]
  pass-env: [Q]
  qcow2-compression: zstd:7
  strict-host: true
`)[0]
	want := elements.Definition{
		Name: "web", OutputDir: "out", Arch: "arm64", Types: []string{"qcow2"}, Elements: []string{"vm", "web"},
		ElementsPath: []string{"/flag", "mine", "/theirs", "/e"}, Packages: []string{"vim", "tmux"}, SkipBase: true,
		Environment: map[string]string{"HOME": "/root", "ELEMENTS_PATH": "/e", "A": "", "DIB_JOURNAL_SIZE": "5"}, PassEnv: []string{"P", "Q"},
		InstallType: "package", ImageSize: "1.5", ImageExtraSize: "2", RootLabel: "label", DockerTarget: "apps/web:1", MkfsOptions: "-i 6", MaxOnlineResize: "3",
		QemuImgOptions: "compat=0.10,lazy=on", Qcow2Compression: "zstd:7", Checksum: "1", Uncompressed: true, StrictHost: true, Offline: true,
		Freshness: elements.Freshness{Keep: true, MaxAge: 7 * 24 * time.Hour}, CheckMirrors: 2 * time.Hour, Trace: 3,
		ImageCache: "/cache", Ramdisk: true, RamdiskElement: "rd", Home: "/root", WorkDir: "/work",
		Args: strings.Fields("-o web -a arm64 -t qcow2 -u --checksum --image-size 1.5 --image-extra-size 2 --max-online-resize 3 --mkfs-options"),
	}
	want.Args = append(want.Args, "-i 6")
	want.Args = append(want.Args, strings.Fields("--qemu-img-options compat=0.10,lazy=on --qcow2-compression zstd:7 --root-label label --docker-target apps/web:1 --install-type package -p vim,tmux -n vm web")...)
	if got := i.Define(base); !reflect.DeepEqual(got, want) {
		t.Errorf("defined\n%+v, want\n%+v", got, want)
	}
	// The command line counts before the list.
	base.Freshness.MaxAge, base.CheckMirrors, base.ImageCache = time.Hour, elements.CheckNever, "/mine"
	if got := i.Define(base); got.Freshness.MaxAge != time.Hour || got.CheckMirrors != elements.CheckNever || got.ImageCache != "/mine" {
		t.Errorf("freshness %v, check %v, cache %s: want those of the command line", got.Freshness, got.CheckMirrors, got.ImageCache)
	}
}

func TestMatrix(t *testing.T) {
	images := read(t, `
defaults:
  elements: [os]
  environment: {R: none, ADDRESS: "http://${R}/$R/${OTHER}"}
x-anchors: &common
  types: [raw]
images:
  - imagename: app-${R}
    <<: *common
    elements: ["on-${R}"]
    depends: ["base-${R}"]
    matrix:
      R: [bookworm, trixie]
      F: [a, b]
      ONE: [only]
  - {imagename: base, matrix: {R: [bookworm, trixie]}}
  - {imagename: all, depends: [base]}
`)
	if got, want := Names(images), []string{"app-bookworm-a", "app-bookworm-b", "app-trixie-a", "app-trixie-b", "base-bookworm", "base-trixie", "all"}; !reflect.DeepEqual(got, want) {
		t.Fatalf("images %q, want %q", got, want)
	}
	app := images[3].Define(elements.Definition{})
	env := map[string]string{"R": "trixie", "F": "b", "ONE": "only", "ADDRESS": "http://trixie/$R/${OTHER}"}
	if !reflect.DeepEqual(app.Environment, env) || !reflect.DeepEqual(app.Elements, []string{"os", "on-trixie"}) || !reflect.DeepEqual(app.Types, []string{"raw"}) {
		t.Errorf("environment %v, elements %q, types %q", app.Environment, app.Elements, app.Types)
	}
	if got, want := images[3].Depends, []string{"base-trixie"}; !reflect.DeepEqual(got, want) {
		t.Errorf("app-trixie-b depends on %q, want %q", got, want)
	}
	if got, want := images[6].Depends, []string{"base-bookworm", "base-trixie"}; !reflect.DeepEqual(got, want) {
		t.Errorf("all depends on %q, want %q", got, want)
	}
	for names, want := range map[string]string{"app-trixie-a": "app-trixie-a base-trixie", "base": "base-bookworm base-trixie", "base-trixie all": "base-bookworm base-trixie all"} {
		chosen, err := Select(images, strings.Fields(names))
		if got := strings.Join(Names(chosen), " "); got != want || err != nil {
			t.Errorf("Select(%s) = %s, %v; want %s", names, got, err, want)
		}
	}
	if chosen, err := Find(images, []string{"all"}); len(chosen) != 1 || err != nil {
		t.Errorf("Find(all) = %v, %v; want it alone", Names(chosen), err)
	}
}

func TestProblems(t *testing.T) {
	ten := "[a, b, c, d, e, f, g, h, i, j]"
	for text, want := range map[string]string{
		"- {imagename: 7}":                          `a.yaml:1: imagename must be a text, and 7 is something else to YAML`,
		"- {types: raw}":                            `a.yaml:1: types must be a list, and is "raw"`,
		"- {checksum: maybe}":                       `a.yaml:1: checksum must be true or false, and is "maybe"`,
		"- {debug-trace: 3}":                        `a.yaml:1: debug-trace must be at most 2, and is 3`,
		"- {image-extra-size: 1.5}":                 `a.yaml:1: image-extra-size must be a whole number, and is "1.5"`,
		"- {max-online-resize: 0}":                  `a.yaml:1: max-online-resize must be at least 1, and is 0`,
		"- {check-mirrors: soon}":                   `a.yaml:1: check-mirrors: "soon" is not always, never, or a duration such as 30m or 12h`,
		"- {environment: [A]}":                      `a.yaml:1: environment must be a map, and is a list`,
		"- {matrix: {A: []}}":                       `a.yaml:1: matrix A has no values`,
		"- {matrix: {A: [x/y, z]}}":                 `a.yaml:1: matrix A: "x/y" cannot be part of a name`,
		"- {imagename: 'i-${B}', matrix: {A: [x]}}": `a.yaml:1: imagename "i-${B}" has ${B}, which is not in its matrix`,
		"- {cache: {max_size: 1G}}":                 `a.yaml:1: unknown key "max_size" of cache; want from, to, scope, read_scopes, salt, sign_key_file, sign_command, sign_name, trust or revoked`,
		"{defaults: {imagename: x}, images: [{}]}":  `a.yaml:1: defaults cannot have imagename: it is of one image`,
		"- {depends: [image]}":                      `a.yaml:1: images depend on each other: image -> image`,
		"- {matrix: {A: " + ten + ", B: " + ten + ", C: " + ten + ", D: " + ten + "}}": `a.yaml:1: image "image": the matrix has more than 1000 combinations`,
		"[]":                                     `a.yaml: lists no image`,
		"- {imagename: a/x}\n- {imagename: b/x}": `a.yaml:2: image "b/x" has the same name as "a/x" of a.yaml:1, without directories and suffix`,
		"- &a {elements: [x]}\n- {<<: *a, arch: [x]}": `a.yaml:2: arch must be a text, and is a list`,
	} {
		_, err := readAll([]string{text})
		problems := problem.All(err)
		if len(problems) != 1 || problems[0].Error() != want {
			t.Errorf("%s: problems %v, want %s", text, problems, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("- {imagename: web, matrix: {A: [x, y]}, depends: [web]}")
	f.Add("defaults: &d {elements: [a]}\nimages: [{<<: *d}, *d]")
	f.Fuzz(func(t *testing.T, text string) {
		images, err := readAll([]string{text})
		if err != nil && len(problem.All(err)) == 0 {
			t.Errorf("%q: an error without problems: %v", text, err)
		}
		for _, i := range images {
			i.Define(elements.Definition{})
		}
	})
}

// The schema has every key, with what it means.
func TestSchema(t *testing.T) {
	content, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Defs struct {
			Image struct {
				Properties map[string]struct{ Description string }
			}
		} `json:"$defs"`
	}
	if err := json.Unmarshal(content, &schema); err != nil {
		t.Fatal(err)
	}
	for _, name := range keyNames {
		if schema.Defs.Image.Properties[name].Description == "" {
			t.Errorf("the schema does not say what %s means", name)
		}
	}
	if got := len(schema.Defs.Image.Properties); got != len(keyNames) {
		t.Errorf("the schema has %d keys, want %d", got, len(keyNames))
	}
}
