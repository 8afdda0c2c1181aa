package elements

import (
	"cmp"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/dibgraph/dibgraph/steps"
)

// chrootPath is PATH in the image. The dollar sign is part of it: elements have
// always seen this text, with no directory of the host in it.
const chrootPath = "$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// defaultPath is for callers without a PATH.
const defaultPath = "/usr/local/bin:/usr/bin:/bin"

// Environment returns the variables of a phase before environment.d, for what
// runs on the given side. Exported functions are in the form bash gives them,
// BASH_FUNC_name%%. The map belongs to the caller, who adds what only other
// packages know: DIB_ROOT_LABEL, DIB_ROOT_FSTYPE, DIB_BOOT_LABEL and
// DIB_MOUNTPOINTS from the disk layout, and, in the phases on the disk,
// IMAGE_BLOCK_DEVICE, IMAGE_BLOCK_DEVICES and DIB_IMAGE_SIZE, which is in GiB
// here and in KiB there.
func (img *Image) Environment(side Side, phase Phase) map[string]string {
	env := img.caller()
	img.setDefinition(env)
	img.setElements(env)
	img.setPlaces(env, phase)
	if phase.Name != "root" {
		env["DIB_DEFAULT_INSTALLTYPE"] = img.Definition.InstallType
	}
	env["DIB_ENV"] = img.dibEnv()
	if side == Chroot {
		img.setChroot(env)
	} else {
		img.setHost(env)
	}
	return env
}

// setDefinition sets what the definition says.
func (img *Image) setDefinition(env map[string]string) {
	d, from := img.Definition, img.Definition.Environment
	env["LC_ALL"] = "C"
	env["ARCH"] = d.Arch
	env["IMAGE_NAME"] = path.Join(steps.OutDir, d.Name)
	// The output types never reach hooks: they see what the caller exported.
	env["IMAGE_TYPE"] = cmp.Or(from["IMAGE_TYPE"], "qcow2")
	env["FS_TYPE"] = cmp.Or(from["FS_TYPE"], "ext4")
	env["DIB_ARGS"] = strings.Join(d.Args, " ")
	env["DIB_DEBUG_TRACE"] = strconv.Itoa(d.Trace)
	env["DIB_CHECKSUM"] = d.Checksum
	env["DIB_OFFLINE"] = ""
	if d.Offline {
		env["DIB_OFFLINE"] = cmp.Or(from["DIB_OFFLINE"], "1")
	}
	env["DIB_MIN_TMPFS"] = cmp.Or(from["DIB_MIN_TMPFS"], "2")
	env["DIB_NO_TMPFS"] = cmp.Or(from["DIB_NO_TMPFS"], "0")
	if strings.Contains(from["GENTOO_PROFILE"], "hardened") {
		env["DIB_NO_TMPFS"] = "1"
	}
	img.setOptions(env)
}

// setOptions sets what exists only when it is given.
func (img *Image) setOptions(env map[string]string) {
	d := img.Definition
	set := func(name, value string, given bool) {
		if given {
			env[name] = value
		}
	}
	set("DIB_IMAGE_SIZE", d.ImageSize, d.ImageSize != "")
	set("DIB_IMAGE_EXTRA_SIZE", d.ImageExtraSize, d.ImageExtraSize != "")
	set("SKIP_BASE", cmp.Or(d.Environment["SKIP_BASE"], "1"), d.SkipBase)
	set("COMPRESS_IMAGE", "", d.Uncompressed)
	set("RAMDISK_ELEMENT", d.RamdiskElement, d.Ramdisk)
	// An option changes a variable of the shell; only what the caller had
	// exported stays exported.
	for name, value := range map[string]string{
		"ROOT_LABEL": d.RootLabel, "MAX_ONLINE_RESIZE": d.MaxOnlineResize, "QEMU_IMG_OPTIONS": d.QemuImgOptions,
		"DIB_DEFAULT_INSTALLTYPE": d.InstallType,
	} {
		_, exported := env[name]
		set(name, value, exported)
	}
}

// setElements sets what hooks can learn about the elements.
func (img *Image) setElements(env map[string]string) {
	img.texts.once.Do(func() { img.texts.write(img.Elements) })
	env["IMAGE_ELEMENT"], env["IMAGE_ELEMENT_YAML"] = img.texts.names, img.texts.places
	env["BASH_FUNC_get_image_element_array%%"] = img.texts.function
	env["ELEMENTS_PATH"] = strings.Join(img.elementDirs(), ":")
}

// elementTexts are what tells hooks about the elements. They are the same in all
// phases, and long, so that they are written once.
type elementTexts struct {
	once                    sync.Once
	names, places, function string
}

func (t *elementTexts) write(elements []*Element) {
	var names []string
	places := &yaml.Node{Kind: yaml.MappingNode}
	var pairs []string
	for _, e := range elements {
		names = append(names, e.Name)
		pairs = append(pairs, "["+e.Name+"]="+path.Join(steps.ElementsDir, e.Name)+" ")
	}
	for _, name := range slices.Sorted(slices.Values(names)) {
		for _, text := range []string{name, path.Join(steps.ElementsDir, name)} {
			node := &yaml.Node{}
			node.SetString(text)
			places.Content = append(places.Content, node)
		}
	}
	text, err := yaml.Marshal(places)
	if err != nil {
		panic("elements: a map of strings cannot be written as YAML: " + err.Error())
	}
	t.names = strings.Join(names, " ")
	t.places = string(text)
	t.function = "() {  printf '%s\\n' " + shellQuote(strings.Join(pairs, "")) + "\n}"
}

// elementDirs returns the directories that hold the elements when hooks run.
func (img *Image) elementDirs() []string {
	depth := 0
	for _, e := range img.Elements {
		depth = max(depth, len(e.Overridden))
	}
	var dirs []string
	for i := range depth + 1 {
		dirs = append(dirs, elementsDirAt(i))
	}
	return dirs
}

// setPlaces sets what names the places of a build.
func (img *Image) setPlaces(env map[string]string, phase Phase) {
	d, from := img.Definition, img.Definition.Environment
	env["_LIB"] = steps.LibDir
	env["TMP_BUILD_DIR"] = steps.BuildDir
	env["TMP_MOUNT_PATH"] = steps.TargetDir
	env["TMP_HOOKS_PATH"] = steps.HooksDir
	env["TMP_IMAGE_DIR"] = steps.ImageDir
	env["TMP_DIR"] = cmp.Or(from["TMP_DIR"], "/tmp")
	env["OUT_IMAGE_PATH"] = ""
	env["DIB_PYTHON_EXEC"] = cmp.Or(from["DIB_PYTHON_EXEC"], path.Join(libBinDir, "dib-python-exec"))
	env["DIB_BLOCK_DEVICE_PARAMS_YAML"] = path.Join(steps.BuildDir, "block-device/params.yaml")
	env["DIB_IMAGE_CACHE"] = d.ImageCache
	env["DIB_LOCKFILES"] = d.lockDir()
	if phase.Name == "root" || phase.Name == "cleanup" {
		env["TARGET_ROOT"] = steps.TargetDir
	}
	if _, exported := env["DIB_BLOCK_DEVICE"]; exported {
		// The builder used to keep a command of its own in a variable of this
		// name. Layout elements set it anew in environment.d.
		env["DIB_BLOCK_DEVICE"] = "dib-block-device"
	}
}

// lockDir returns the directory in which hooks on the host lock each other out.
func (d Definition) lockDir() string {
	return cmp.Or(d.Environment["DIB_LOCKFILES"], filepath.Join(d.Home, ".cache/dib/lockfiles"))
}

// setHost sets what is different on the host.
func (img *Image) setHost(env map[string]string) {
	from := img.Definition.Environment
	env["HOME"] = img.Definition.Home
	env["USER"] = cmp.Or(from["USER"], "root")
	env["LOGNAME"] = cmp.Or(from["LOGNAME"], env["USER"])
	env["PATH"] = hostPath(from["PATH"])
	env["PS4"] = "+ ${BASH_SOURCE:-$0}:${LINENO:-0}:${FUNCNAME:-} "
	if len(img.Sources) > 0 {
		env[steps.SourcesVariable] = steps.SourcesDir
	}
	env["BASH_FUNC_die%%"] = "() {  local status=$?\n    echo \"$@\"\n    exit $status\n}"
}

// setChroot sets what is different in the image.
func (img *Image) setChroot(env map[string]string) {
	forImage(env)
	env["HOME"] = "/root"
	env["USER"], env["LOGNAME"] = "root", "root"
	env["PATH"] = chrootPath
	if img.Has("ramdisk") || img.Has("dracut-ramdisk") {
		// Their hooks source library files that need both to be there.
		env["_BASE_ELEMENT_DIR"] = ""
		env["TMP_IMAGE_PATH"] = "/tmp/image"
	}
}

// hostPath returns PATH on the host: our own shims first, and the directories
// of system tools at the end if the caller's PATH lacks them.
func hostPath(caller string) string {
	dirs := append([]string{libBinDir}, strings.Split(cmp.Or(caller, defaultPath), ":")...)
	for _, dir := range []string{"/sbin", "/usr/sbin", "/usr/local/sbin"} {
		if !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return strings.Join(dirs, ":")
}

// dibEnv returns the text of all DIB variables as the caller had them, in the
// form bash declares them, for manifests. Those that are no inputs are left
// out: with them, the text would be another one on every machine.
func (img *Image) dibEnv() string {
	var lines []string
	for name, value := range img.declared() {
		lines = append(lines, "declare -x "+name+"="+declareQuote(value))
	}
	return strings.Join(slices.Sorted(slices.Values(lines)), "\n")
}

// declared returns the variables in the text of all DIB variables.
func (img *Image) declared() map[string]string {
	declared := map[string]string{}
	for name, value := range img.Definition.Environment {
		if strings.HasPrefix(name, "DIB_") && identifier.MatchString(name) && !Unkeyed(name) {
			declared[name] = value
		}
	}
	declared["DIB_ARGS"] = strings.Join(img.Definition.Args, " ")
	declared["DIB_PYTHON_EXEC"] = cmp.Or(declared["DIB_PYTHON_EXEC"], path.Join(libBinDir, "dib-python-exec"))
	return declared
}

// declareQuote quotes a value in the way of "declare -p" in the locale C.
func declareQuote(value string) string {
	if !strings.ContainsFunc(value, isEscaped) {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(value) + `"`
	}
	var quoted strings.Builder
	quoted.WriteString("$'")
	for _, c := range []byte(value) {
		if letter := strings.IndexByte("\a\b\t\n\v\f\r\x1b\\'", c); letter >= 0 {
			quoted.WriteByte('\\')
			quoted.WriteByte(`abtnvfrE\'`[letter])
		} else if isEscaped(rune(c)) {
			fmt.Fprintf(&quoted, `\%03o`, c)
		} else {
			quoted.WriteByte(c)
		}
	}
	return quoted.String() + "'"
}

// isEscaped reports whether a character is one that bash writes as an escape
// sequence.
func isEscaped(c rune) bool { return c < ' ' || c > '~' }

// shellQuote quotes a text so that a shell takes it as it is.
func shellQuote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
