package elements

import (
	"maps"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// minimal is a library in which everything that defaults need is.
var minimal = stockOf(map[string]string{
	"base/x": "", "os/element-provides": operatingSystem, "vm/element-deps": "block-device", "block-device-mbr/element-provides": "block-device",
	"ramdisk/x": "",
})

func TestLoadDefaults(t *testing.T) {
	img, err := Load(Definition{Elements: []string{"os"}, Arch: "amd64"}, minimal)
	if err != nil {
		t.Fatal(err)
	}
	want := Definition{
		Name: "image", OutputDir: ".", Arch: "amd64", Types: []string{"qcow2"}, Elements: []string{"os"}, InstallType: "source", Checksum: "0", CheckMirrors: time.Hour,
		ImageCache: "/root/.cache/image-create", RamdiskElement: "ramdisk", Home: "/root",
	}
	if !reflect.DeepEqual(img.Definition, want) {
		t.Errorf("Definition:\n%+v\nwant:\n%+v", img.Definition, want)
	}
}

func TestLoadFromEnvironment(t *testing.T) {
	dir := t.TempDir()
	env := map[string]string{
		"ARCH": "arm64", "IMAGE_NAME": dir + "/web.raw", "DIB_IMAGE_SIZE": "2.5", "DIB_IMAGE_EXTRA_SIZE": "100", "ROOT_LABEL": "r", "MAX_ONLINE_RESIZE": "9",
		"QEMU_IMG_OPTIONS": "a=b", "SKIP_BASE": "1", "DIB_OFFLINE": "yes", "DIB_CHECKSUM": "md5", "DIB_IMAGE_CACHE": "/c", "DIB_DEBUG_TRACE": "2",
		"DIB_DEFAULT_INSTALLTYPE": "package", "RAMDISK_ELEMENT": "other", "HOME": "/home/me", "IMAGE_TYPE": "vhd",
	}
	def := Definition{Elements: []string{"os"}, Types: []string{"raw"}, Trace: 1, Environment: env}
	img, err := Load(def, minimal)
	if err != nil {
		t.Fatal(err)
	}
	want := Definition{
		Name: "web", OutputDir: dir, Arch: "arm64", Types: []string{"raw"}, Elements: []string{"os"}, SkipBase: true, InstallType: "package", CheckMirrors: time.Hour,
		ImageSize: "2.5", ImageExtraSize: "100", RootLabel: "r", MaxOnlineResize: "9", QemuImgOptions: "a=b", Checksum: "md5", Offline: true, Trace: 3,
		ImageCache: "/c", RamdiskElement: "other", Home: "/home/me", Environment: env,
	}
	if !reflect.DeepEqual(img.Definition, want) {
		t.Errorf("Definition:\n%+v\nwant:\n%+v", img.Definition, want)
	}
	if !reflect.DeepEqual(def, Definition{Elements: []string{"os"}, Types: []string{"raw"}, Trace: 1, Environment: env}) {
		t.Errorf("Load changed what it was given: %+v", def)
	}
	// Options win over the environment.
	options := Definition{
		Name: "n", OutputDir: dir, Arch: "amd64", Elements: []string{"os"}, InstallType: "i", ImageSize: "1", ImageExtraSize: "2", RootLabel: "l",
		MaxOnlineResize: "3", QemuImgOptions: "q", Checksum: "sha256", ImageCache: "/d", RamdiskElement: "e", Home: "/h", Types: []string{"tar"}, CheckMirrors: time.Minute,
	}
	given := options
	given.Environment = maps.Clone(env)
	if img, err = Load(given, minimal); err != nil {
		t.Fatal(err)
	}
	want = options
	want.Environment, want.SkipBase, want.Offline, want.Trace = env, true, true, 2
	if !reflect.DeepEqual(img.Definition, want) {
		t.Errorf("Definition:\n%+v\nwant:\n%+v", img.Definition, want)
	}
}

func TestLoadAllProblemsAtOnce(t *testing.T) {
	dir := write(t, map[string]string{
		"elements/web/element-deps": "db\n\n  \nqueue\n", "elements/web/install.d/10-x": "", "elements/db/install.d/10-x": "", "out": "",
	})
	_, err := Load(Definition{
		Name: "a/b", OutputDir: "out", WorkDir: dir, Arch: "amd 64", Types: []string{"qcow3", "raw"}, Elements: []string{"oss", "web"},
		ElementsPath: []string{"elements", "missing"}, Packages: []string{"-x", "nginx", "a b"}, PassEnv: []string{"1X", "OK"},
		ImageSize: "2G", ImageExtraSize: "1.5", MaxOnlineResize: "many", Checksum: "crc",
		Environment: map[string]string{"RUN_PARTS_REGEX": "(", "DIB_DEBUG_TRACE": "x", "DIB_JOURNAL_SIZE": "-1", "DIB_BLOCK_SIZE": "0.5", "DIB_BLOCK_DEVICE_CONFIG": "- lvm: {}\n- what: {}\n"},
	}, minimal)
	want := strings.TrimSpace(`
unknown output type "qcow3" [did you mean "qcow" or "qcow2"?]
"a/b" is no name for an image
output directory "out" is not a directory
"amd 64" is no architecture
image size "2G" is not a number of GiB
extra image size "1.5" is not a whole number of MiB
largest online resize "many" is not a whole number of blocks
DIB_DEBUG_TRACE "x" is not a whole number
"-x" is no name of a package
"a b" is no name of a package
"1X" is no name of a variable
unknown checksum "crc": want md5, sha256 or both
RUN_PARTS_REGEX: error parsing regexp: missing closing ): ` + "`(`" + `
ELEMENTS_PATH entry 'missing' is not a directory
element "oss" not found [did you mean "os"?]
elements/web/element-deps:4: element "queue" not found
elements/web/install.d/10-x: duplicated hook /install.d/10-x: element "web" and element "db" (elements/db/install.d/10-x) both have it
DIB_JOURNAL_SIZE "-1" is not a whole number of MiB
DIB_BLOCK_SIZE "0.5" is not a whole number of bytes
DIB_BLOCK_DEVICE_CONFIG:1: a lvm needs a name
DIB_BLOCK_DEVICE_CONFIG:2: unknown module "what"; modules are local_loop, partitioning, lvm, mkfs, mount, fstab`)
	if got := messages(err); got != want {
		t.Errorf("problems:\n%s\nwant:\n%s", got, want)
	}
}

func TestCheck(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Definition)
		want   string
	}{
		{"nothing wrong", func(*Definition) {}, ""},
		{"no element", func(d *Definition) { d.Elements = nil },
			`no element is given [name an operating system and what to make of it, such as "debian-minimal vm"]`},
		{"blank element", func(d *Definition) { d.Elements = []string{" "} },
			`no element is given [name an operating system and what to make of it, such as "debian-minimal vm"]`},
		{"output directory", func(d *Definition) { d.OutputDir = "/nothing/there" },
			`output directory "/nothing/there" does not exist [create it first]`},
		{"size of nothing", func(d *Definition) { d.ImageSize = "0.0" }, `image size "0.0" is nothing`},
		{"dot", func(d *Definition) { d.Name = ".." }, `".." is no name for an image`},
		{"decimals", func(d *Definition) { d.ImageSize = ".5" }, ""},
		{"both checksums", func(d *Definition) { d.Checksum = "md5,sha256" }, ""},
		{"version of a package", func(d *Definition) { d.Packages = []string{"nginx=1.2~3", "lib*"} }, ""},
	} {
		d := Definition{Elements: []string{"os"}, Arch: "amd64", OutputDir: t.TempDir()}
		test.change(&d)
		_, err := Load(d, minimal)
		if got := messages(err); got != test.want {
			t.Errorf("%s: problems:\n%s\nwant:\n%s", test.name, got, test.want)
		}
	}
}

func TestSplitOutput(t *testing.T) {
	for _, test := range []struct {
		output    string
		types     []string
		dir, name string
	}{
		{"web", []string{"qcow2"}, "", "web"},
		{"web.qcow2", []string{"qcow2"}, "", "web"},
		{"web.qcow2", []string{"qcow2", "raw"}, "", "web.qcow2"},
		{"web.raw", []string{"qcow2"}, "", "web.raw"},
		{"web.squash", []string{"squashfs"}, "", "web"},
		{"web.squashfs", []string{"squashfs"}, "", "web"},
		{"out/images/web", nil, "out/images", "web"},
		{"/web", nil, "/", "web"},
		{"./web", nil, ".", "web"},
		{"out/", nil, "out", ""},
	} {
		if dir, name := SplitOutput(test.output, test.types); dir != test.dir || name != test.name {
			t.Errorf("SplitOutput(%q, %v) = %q, %q, want %q, %q", test.output, test.types, dir, name, test.dir, test.name)
		}
	}
}

func TestDockerTarget(t *testing.T) {
	for _, test := range []struct {
		types        []string
		target, want string
	}{
		{[]string{"docker"}, "", "web:latest"},
		{[]string{"docker"}, "apps/web:1.0", "apps/web:1.0"},
		{[]string{"docker"}, "localhost:5000/web", "localhost:5000/web:latest"},
		{[]string{"qcow2"}, "", ""},
	} {
		d := Definition{Name: "web", Types: test.types, DockerTarget: test.target}.complete()
		if d.DockerTarget != test.want {
			t.Errorf("%q of types %v: %q, want %q", test.target, test.types, d.DockerTarget, test.want)
		}
	}
}

func TestHostArch(t *testing.T) {
	for _, test := range []struct {
		goarch string
		debian bool
		want   string
	}{
		{"amd64", true, "amd64"}, {"amd64", false, "amd64"}, {"arm64", false, "arm64"}, {"arm", true, "armhf"},
		{"386", true, "i386"}, {"386", false, "i686"}, {"ppc64le", true, "ppc64el"}, {"ppc64le", false, "ppc64le"}, {"s390x", true, "s390x"},
	} {
		if got := HostArch(test.goarch, test.debian); got != test.want {
			t.Errorf("HostArch(%q, %t) = %q, want %q", test.goarch, test.debian, got, test.want)
		}
	}
}

func TestNotices(t *testing.T) {
	dir := write(t, map[string]string{"base/x": "", "unused/x": ""})
	img, err := Load(Definition{Elements: []string{"os"}, Arch: "amd64", OutputDir: dir, ElementsPath: []string{dir}}, minimal)
	if err != nil {
		t.Fatal(err)
	}
	want := "element " + filepath.Join(dir, "base") + " overrides embedded:base"
	if got := strings.Join(img.Notices, "\n"); got != want {
		t.Errorf("notices:\n%s\nwant:\n%s", got, want)
	}
	base := img.Element("base")
	if len(base.Overridden) != 1 || base.Overridden[0].Tree == nil || img.Element("vm") != nil || !img.Has("os") {
		t.Errorf("base: %+v", base)
	}
}

// A library that has all the elements overrides none of the embedded ones, but
// still those of other directories.
func TestWholeLibrary(t *testing.T) {
	first := write(t, map[string]string{"os/element-provides": operatingSystem, "base/x": ""})
	second := write(t, map[string]string{"base/y": ""})
	img, err := Load(Definition{Elements: []string{"os"}, Arch: "amd64", OutputDir: first, ElementsPath: []string{first, second}}, minimal)
	if err != nil {
		t.Fatal(err)
	}
	want := "element " + filepath.Join(first, "base") + " overrides " + filepath.Join(second, "base")
	if got := strings.Join(img.Notices, "\n"); got != want {
		t.Errorf("notices:\n%s\nwant:\n%s", got, want)
	}
	if os := img.Element("os"); len(os.Overridden) != 0 {
		t.Errorf("os overrides %+v", os.Overridden)
	}
}
