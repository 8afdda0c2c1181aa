package elements

import (
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// environmentImage returns an image with two elements; what the first mentions
// is all that elements mention.
func environmentImage(t testing.TB, mentions string, change func(*Definition)) *Image {
	t.Helper()
	d := Definition{
		Name: "web", OutputDir: t.TempDir(), Arch: "amd64", Elements: []string{"os"}, SkipBase: true, Args: []string{"-o", "web", "os"}, Home: "/home/me",
	}
	change(&d)
	img, err := Load(d, stockOf(map[string]string{
		"os/element-provides": operatingSystem, "os/element-deps": "tools", "tools/install.d/10-x": mentions,
	}))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func phaseNamed(name string) Phase {
	p, ok := PhaseNamed(name)
	if !ok {
		panic("no phase " + name)
	}
	return p
}

const elementArray = "() {  printf '%s\\n' '[tools]=/run/dibgraph/elements/tools [os]=/run/dibgraph/elements/os '\n}"

// both is what the two sides have in common, with nothing given.
var both = map[string]string{
	"_LIB": "/run/dibgraph/lib", "DIB_PYTHON_EXEC": "/run/dibgraph/lib/bin/dib-python-exec", "LC_ALL": "C", "DIB_ARGS": "-o web os",
	"DIB_ENV":         "declare -x DIB_ARGS=\"-o web os\"\ndeclare -x DIB_PYTHON_EXEC=\"/run/dibgraph/lib/bin/dib-python-exec\"",
	"DIB_DEBUG_TRACE": "0", "ARCH": "amd64", "ELEMENTS_PATH": "/run/dibgraph/elements", "IMAGE_ELEMENT": "tools os",
	"IMAGE_ELEMENT_YAML":                  "os: /run/dibgraph/elements/os\ntools: /run/dibgraph/elements/tools\n",
	"BASH_FUNC_get_image_element_array%%": elementArray, "SKIP_BASE": "1",
	"IMAGE_NAME": "/run/dibgraph/dib_build.fixed/out/web", "IMAGE_TYPE": "qcow2", "FS_TYPE": "ext4", "TMP_BUILD_DIR": "/run/dibgraph/dib_build.fixed",
	"TMP_MOUNT_PATH": "/run/dibgraph/dib_build.fixed/mnt", "TMP_HOOKS_PATH": "/run/dibgraph/dib_build.fixed/hooks", "TMP_IMAGE_DIR": "/run/dibgraph/image",
	"TMP_DIR": "/tmp", "OUT_IMAGE_PATH": "", "DIB_BLOCK_DEVICE_PARAMS_YAML": "/run/dibgraph/dib_build.fixed/block-device/params.yaml",
	"DIB_IMAGE_CACHE": "/home/me/.cache/image-create", "DIB_LOCKFILES": "/home/me/.cache/dib/lockfiles", "DIB_CHECKSUM": "0", "DIB_OFFLINE": "",
	"DIB_MIN_TMPFS": "2", "DIB_NO_TMPFS": "0",
}

func TestEnvironmentHost(t *testing.T) {
	img := environmentImage(t, "", func(*Definition) {})
	want := maps.Clone(both)
	maps.Copy(want, map[string]string{
		"HOME": "/home/me", "USER": "root", "LOGNAME": "root", "TARGET_ROOT": "/run/dibgraph/dib_build.fixed/mnt",
		"PATH":            "/run/dibgraph/lib/bin:/usr/local/bin:/usr/bin:/bin:/sbin:/usr/sbin:/usr/local/sbin",
		"PS4":             "+ ${BASH_SOURCE:-$0}:${LINENO:-0}:${FUNCNAME:-} ",
		"BASH_FUNC_die%%": "() {  local status=$?\n    echo \"$@\"\n    exit $status\n}",
	})
	compareEnvironment(t, img.Environment(Host, phaseNamed("root")), want)

	delete(want, "TARGET_ROOT")
	want["DIB_DEFAULT_INSTALLTYPE"] = "source"
	compareEnvironment(t, img.Environment(Host, phaseNamed("extra-data")), want)

	want["TARGET_ROOT"] = "/run/dibgraph/dib_build.fixed/mnt"
	compareEnvironment(t, img.Environment(Host, phaseNamed("cleanup")), want)
}

func TestEnvironmentChroot(t *testing.T) {
	img := environmentImage(t, "", func(*Definition) {})
	want := maps.Clone(both)
	delete(want, "BASH_FUNC_get_image_element_array%%")
	maps.Copy(want, map[string]string{
		"HOME": "/root", "USER": "root", "LOGNAME": "root", "DIB_DEFAULT_INSTALLTYPE": "source",
		"PATH": "$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	})
	compareEnvironment(t, img.Environment(Chroot, phaseNamed("install")), want)
}

func compareEnvironment(t *testing.T, got, want map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if value, ok := got[name]; !ok || value != want[name] {
			t.Errorf("%s = %q (set: %t), want %q", name, value, ok, want[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[name]; !ok {
			t.Errorf("%s = %q, want it unset", name, got[name])
		}
	}
}

// What passes of the caller's variables: where, and with which value if not
// the caller's. "-" is nowhere.
func TestEnvironmentCaller(t *testing.T) {
	cases := map[string]struct{ value, host, chroot string }{
		"DIB_RELEASE":             {"bookworm", "bookworm", "bookworm"},
		"DIB_ANYTHING":            {"1", "1", "1"},
		"DIB_ROOT_LABEL":          {"x", "x", "x"},
		"DISTRO_NAME":             {"debian", "debian", "debian"},
		"GENTOO_PROFILE":          {"default/hardened", "default/hardened", "default/hardened"},
		"DIB_NO_TMPFS":            {"0", "1", "1"},
		"REG_PASSWORD":            {"x", "x", "x"},
		"http_proxy":              {"http://p", "http://p", "http://p"},
		"TERM":                    {"xterm", "xterm", "xterm"},
		"TZ":                      {"UTC", "UTC", "UTC"},
		"MENTIONED":               {"1", "1", "1"},
		"PRE_FIX":                 {"1", "1", "1"},
		"NAMED":                   {"1", "1", "1"},
		"OTHER":                   {"1", "-", "-"},
		"LANG":                    {"de", "-", "-"},
		"GIT_COMMIT":              {"abc", "-", "-"},
		"GIT_SSL_NO_VERIFY":       {"1", "1", "1"},
		"TMPDIR":                  {"/t", "/t", "-"},
		"VIRTUAL_ENV":             {"/v", "/v", "-"},
		"LD_PRELOAD":              {"x", "x", "-"},
		"PYTHONPATH":              {"/p", "/p", "-"},
		"SUDO_USER":               {"me", "me", "-"},
		"PWD":                     {"/here", "-", "-"},
		"_":                       {"x", "-", "-"},
		"SHLVL":                   {"3", "-", "-"},
		"BASH_ENV":                {"/x", "-", "-"},
		"BASH_FUNC_x%%":           {"() { :; }", "-", "-"},
		"not a name":              {"x", "-", "-"},
		"LOGFILE":                 {"x", "-", "-"},
		"MKFS_OPTS":               {"x", "-", "-"},
		"DOCKER_TARGET":           {"x", "-", "-"},
		"INSTALL_PACKAGES":        {"x", "-", "-"},
		"COMPRESS_IMAGE":          {"x", "-", "-"},
		"TMP_MOUNT_PATH":          {"/x", "/run/dibgraph/dib_build.fixed/mnt", "/run/dibgraph/dib_build.fixed/mnt"},
		"TARGET_ROOT":             {"/x", "-", "-"},
		"LC_ALL":                  {"de_DE", "C", "C"},
		"HOME":                    {"/other", "/home/me", "/root"},
		"USER":                    {"me", "me", "root"},
		"LOGNAME":                 {"me2", "me2", "root"},
		"PATH":                    {"/a:/sbin:/b", "/run/dibgraph/lib/bin:/a:/sbin:/b:/usr/sbin:/usr/local/sbin", chrootPath},
		"IMAGE_TYPE":              {"vhd", "vhd", "vhd"},
		"FS_TYPE":                 {"xfs", "xfs", "xfs"},
		"DIB_BLOCK_DEVICE":        {"gpt", "dib-block-device", "dib-block-device"},
		"IMAGE_BLOCK_DEVICE":      {"/dev/x", "/dev/x", "/dev/x"},
		"DIB_LOCKFILES":           {"/l", "/l", "/l"},
		"DIB_PYTHON_EXEC":         {"python3 -u", "python3 -u", "python3 -u"},
		"DIB_DEFAULT_INSTALLTYPE": {"package", "package", "package"},
		"ROOT_LABEL":              {"a", "option", "option"},
		"RAMDISK_ELEMENT":         {"x", "-", "-"},
		"TMP_DIR":                 {"/big", "/big", "/big"},
		"DIBGRAPH_CACHE":          {"/x", "-", "-"},
		"DIBGRAPH_CACHE_SIGN_KEY": {"/x", "-", "-"},
		"DIBGRAPH_CACHE_SALT":     {"/x", "-", "-"},
		"AWS_SECRET_ACCESS_KEY":   {"hidden", "-", "-"},
		"REGISTRY_AUTH_FILE":      {"/auth.json", "-", "-"},
		"GITHUB_TOKEN":            {"hidden", "-", "-"},
		"AWS_REGION":              {"eu", "eu", "eu"},
	}
	img := environmentImage(t, "echo $MENTIONED PRE_$x $VIRTUAL_ENV $LD_PRELOAD $PYTHONPATH $SUDO_USER $PWD $_ $SHLVL $BASH_ENV $LOGFILE $DIBGRAPH_CACHE $DIBGRAPH_CACHE_SIGN_KEY $AWS_SECRET_ACCESS_KEY $GITHUB_TOKEN $REGISTRY_AUTH_FILE\nenv\n", func(d *Definition) {
		d.PassEnv = []string{"NAMED", "UNSET", "AWS_REGION", "DIBGRAPH_CACHE_SALT"}
		d.RootLabel = "option"
		d.Environment = map[string]string{}
		for name, test := range cases {
			d.Environment[name] = test.value
		}
	})
	if got := strings.Join(img.Notices, "\n"); strings.Count(got, "\n") != 3 || !strings.Contains(got, "an element mentions AWS_SECRET_ACCESS_KEY, which hooks do not get unless --env AWS_SECRET_ACCESS_KEY says so") ||
		!strings.Contains(got, `IMAGE_BLOCK_DEVICE is "/dev/x", and not used`) {
		t.Errorf("the notices are\n%s", got)
	}
	for side, env := range map[Side]map[string]string{
		Host: img.Environment(Host, phaseNamed("extra-data")), Chroot: img.Environment(Chroot, phaseNamed("install")),
	} {
		for name, test := range cases {
			want := test.host
			if side == Chroot {
				want = test.chroot
			}
			if got, ok := env[name]; ok != (want != "-") || ok && got != want {
				t.Errorf("%s: %s = %q (set: %t), want %q", side, name, got, ok, want)
			}
		}
		if _, ok := env["UNSET"]; ok {
			t.Errorf("%s: a variable that the caller does not have is set", side)
		}
	}
}

func TestEnvironmentOptions(t *testing.T) {
	img := environmentImage(t, "", func(d *Definition) {
		d.SkipBase, d.Uncompressed, d.Offline, d.Trace = false, true, true, 1
		d.Environment = map[string]string{"SKIP_BASE": "1", "DIB_DEBUG_TRACE": "1"}
		d.ImageSize, d.ImageExtraSize, d.RootLabel, d.MaxOnlineResize, d.QemuImgOptions, d.Checksum = "3", "20", "l", "5", "q", "1"
		d.InstallType = "package"
	})
	env := img.Environment(Host, phaseNamed("root"))
	for name, want := range map[string]string{
		"SKIP_BASE": "1", "COMPRESS_IMAGE": "", "DIB_OFFLINE": "1", "DIB_DEBUG_TRACE": "2", "DIB_IMAGE_SIZE": "3", "DIB_IMAGE_EXTRA_SIZE": "20", "DIB_CHECKSUM": "1",
	} {
		if got, ok := env[name]; !ok || got != want {
			t.Errorf("%s = %q (set: %t), want %q", name, got, ok, want)
		}
	}
	// Options that were never exported are variables of the builder only.
	for _, name := range []string{"ROOT_LABEL", "MAX_ONLINE_RESIZE", "QEMU_IMG_OPTIONS", "DIB_DEFAULT_INSTALLTYPE", "RAMDISK_ELEMENT"} {
		if got, ok := env[name]; ok {
			t.Errorf("%s = %q, want it unset", name, got)
		}
	}
	if got := img.Environment(Host, phaseNamed("post-root"))["DIB_DEFAULT_INSTALLTYPE"]; got != "package" {
		t.Errorf("DIB_DEFAULT_INSTALLTYPE = %q after root.d, want package", got)
	}
}

func TestEnvironmentRamdisk(t *testing.T) {
	dir := t.TempDir()
	img, err := Load(Definition{OutputDir: dir, Elements: []string{"os"}, Ramdisk: true, SkipBase: true, Arch: "amd64"}, minimal)
	if err != nil {
		t.Fatal(err)
	}
	env := img.Environment(Chroot, phaseNamed("post-install"))
	if base, ok := env["_BASE_ELEMENT_DIR"]; !ok || base != "" || env["TMP_IMAGE_PATH"] == "" || env["RAMDISK_ELEMENT"] != "ramdisk" {
		t.Errorf("a ramdisk build has _BASE_ELEMENT_DIR %q, TMP_IMAGE_PATH %q, RAMDISK_ELEMENT %q", base, env["TMP_IMAGE_PATH"], env["RAMDISK_ELEMENT"])
	}
}

func TestEnvironmentOverridden(t *testing.T) {
	first := write(t, map[string]string{"tools/x": ""})
	second := write(t, map[string]string{"tools/y": ""})
	img, err := Load(Definition{
		OutputDir: first, Elements: []string{"os", "tools"}, SkipBase: true, ElementsPath: []string{first, second},
	}, stockOf(map[string]string{"tools/z": "", "os/element-provides": operatingSystem}))
	if err != nil {
		t.Fatal(err)
	}
	want := "/run/dibgraph/elements:/run/dibgraph/elements.2:/run/dibgraph/elements.3"
	if got := img.Environment(Host, Phases[0])["ELEMENTS_PATH"]; got != want {
		t.Errorf("ELEMENTS_PATH = %s, want %s", got, want)
	}
}

// bash runs a script in an environment and returns what it prints.
func bash(t testing.TB, env map[string]string, script string) (string, error) {
	t.Helper()
	c := exec.Command("/bin/bash", "-c", script)
	c.Env = []string{}
	for name, value := range env {
		c.Env = append(c.Env, name+"="+value)
	}
	out, err := c.Output()
	return string(out), err
}

func TestExportedFunctions(t *testing.T) {
	env := environmentImage(t, "", func(*Definition) {}).Environment(Host, Phases[0])
	env["PATH"] = "/usr/bin:/bin"
	out, err := bash(t, env, `eval declare -A a=($(get_image_element_array)); for e in "${!a[@]}"; do echo "$e ${a[$e]}"; done | sort`)
	if want := "os /run/dibgraph/elements/os\ntools /run/dibgraph/elements/tools\n"; err != nil || out != want {
		t.Errorf("get_image_element_array: %q, %v, want %q", out, err, want)
	}
	out, err = bash(t, env, `(exit 7) || die some  "words  apart"; echo not reached`)
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 7 || out != "some words  apart\n" {
		t.Errorf("die: %q, %v, want exit status 7", out, err)
	}
	out, err = bash(t, env, `echo "$(bash -c 'get_image_element_array')"`)
	if err != nil || !strings.HasPrefix(out, "[tools]=") {
		t.Errorf("the function in a child: %q, %v", out, err)
	}
}

// DIB_ENV is taken by scripts that evaluate it.
func TestDIBEnvIsDeclarations(t *testing.T) {
	img := environmentImage(t, "", func(*Definition) {})
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringMatching(`[ -~\n\té$"'\\!]{0,12}`).Draw(t, "value")
		img.Definition.Environment = map[string]string{"DIB_TEXT": value, "DIB_QUIET": "1", "OTHER": "1"}
		c := exec.Command("/bin/bash", "-c", `eval "$DIB_ENV"; printf '%s|' "$DIB_TEXT" "$DIB_ARGS" "${DIB_QUIET-}" "${OTHER-}"`)
		c.Env = []string{"DIB_ENV=" + img.dibEnv()}
		out, err := c.Output()
		if want := value + "|-o web os|||"; err != nil || string(out) != want {
			t.Fatalf("evaluated: %q, %v, want %q", out, err, want)
		}
	})
}

// The forms are those of bash 5.2 in the locale C, which is what
// diskimage-builder runs in.
func TestDeclareQuote(t *testing.T) {
	for value, want := range map[string]string{
		"":                       `""`,
		`a "b" $c \d` + "`e`'f'": `"a \"b\" \$c \\d` + "\\`e\\`" + `'f'"`,
		"one\ntwo\tthree":        `$'one\ntwo\tthree'`,
		"a\n\\ ' \" $b":          `$'a\n\\ \' " $b'`,
		"é\x01\x1b\x7f":          `$'\303\251\001\E\177'`,
	} {
		if got := declareQuote(value); got != want {
			t.Errorf("declareQuote(%q) = %s, want %s", value, got, want)
		}
	}
}

func TestKeyedAlways(t *testing.T) {
	img := environmentImage(t, "", func(d *Definition) { d.PassEnv = []string{"NAMED"} })
	for name, want := range map[string]bool{"TZ": true, "PIP_INDEX_URL": true, "PYTHONPATH": true, "NAMED": true, "DIB_RELEASE": false, "http_proxy": false, "ARCH": false} {
		if got := img.KeyedAlways(name); got != want {
			t.Errorf("KeyedAlways(%q) = %t, want %t", name, got, want)
		}
	}
}
