package elements

import (
	"cmp"
	"maps"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Definition says which image is wanted. The zero value of a field means
// that it was not given; [Load] fills it in from Environment, then from the
// default.
type Definition struct {
	// Name is the base name of the outputs, without directory and type suffix.
	// Default: IMAGE_NAME, then "image".
	Name string
	// OutputDir is the directory of the outputs; it must exist. Default: the
	// working directory.
	OutputDir string
	// Arch is the architecture of the image, in either spelling (amd64,
	// x86_64). Default: ARCH, then that of the machine.
	Arch string
	// Types are the output types wanted. Default: qcow2.
	Types []string
	// Elements are the elements asked for, as the user gave them.
	Elements []string
	// ElementsPath are the directories in which elements are looked for, the
	// first one winning. The embedded library comes after them. Default:
	// ELEMENTS_PATH.
	ElementsPath []string
	// Packages are installed once after install.d.
	Packages []string
	// SkipBase leaves the element "base" out. Default: SKIP_BASE is "1".
	SkipBase bool

	// Environment holds the caller's variables, unfiltered. What passes to
	// hooks is decided by [Image.Environment].
	Environment map[string]string
	// PassEnv are names of further variables that pass.
	PassEnv []string

	// InstallType is the default install type. Default:
	// DIB_DEFAULT_INSTALLTYPE, then "source".
	InstallType string
	// ImageSize is the size of the disk in GiB, decimals allowed; empty
	// derives it from the tree. Default: DIB_IMAGE_SIZE.
	ImageSize string
	// ImageExtraSize is added to the size of the tree, in MiB. Default:
	// DIB_IMAGE_EXTRA_SIZE.
	ImageExtraSize string
	// RootLabel is the label of the root filesystem. Default: ROOT_LABEL.
	RootLabel string
	// MkfsOptions are given to mkfs of the root filesystem. The environment
	// cannot set them.
	MkfsOptions string
	// MaxOnlineResize is the number of blocks the root filesystem can grow to.
	// Default: MAX_ONLINE_RESIZE.
	MaxOnlineResize string
	// QemuImgOptions are given to qemu-img with -o. Default: QEMU_IMG_OPTIONS.
	QemuImgOptions string
	// Checksum is "1" for md5 and sha256, else a text that names either or
	// both. Default: DIB_CHECKSUM, then "0", which is none.
	Checksum string
	// DockerTarget is NAME or NAME:TAG of the output of type docker. Default: the
	// name of the image.
	DockerTarget string
	// Uncompressed turns the compression of qcow2 off.
	Uncompressed bool
	// Qcow2Compression is how qcow2 is compressed, as [steps.CheckCompression] says. Empty
	// is zlib, unless QemuImgOptions say otherwise.
	Qcow2Compression string

	// StrictHost makes the programs of the host inputs of what they were seen
	// to be run by.
	StrictHost bool
	// Offline asks hooks to use what they have. Default: DIB_OFFLINE is not
	// empty.
	Offline bool
	// Freshness is the policy of all elements that have none of their own.
	Freshness Freshness
	// Refresh are globs for the names of nodes that run again whatever is
	// cached, as in "root.d/*"; "*" is all of them.
	Refresh []string
	// CheckMirrors is how long it holds what a mirror said of its state, before
	// a build asks again; negative never asks. Default: an hour.
	CheckMirrors time.Duration
	// Trace is added to DIB_DEBUG_TRACE; in [Image.Definition] it is the sum.
	Trace int
	// ImageCache is where hooks keep downloads. Default: DIB_IMAGE_CACHE, then
	// ~/.cache/image-create.
	ImageCache string
	// Ramdisk builds a kernel and an initramfs instead of a disk.
	Ramdisk bool
	// RamdiskElement is put before the other elements of a ramdisk build.
	// Default: RAMDISK_ELEMENT, then "ramdisk".
	RamdiskElement string

	// Args are the words of the command line, for DIB_ARGS.
	Args []string
	// Home is the caller's home directory. Default: HOME, then /root.
	Home string
	// WorkDir is the directory relative paths start from. Empty is the
	// working directory of the process.
	WorkDir string
}

// DefaultType is the type of an image of which none is asked for.
const DefaultType = "qcow2"

// SplitOutput splits the name that a user gave for the output, which may
// contain directories, into the directory ("" for none) and the base name.
// With exactly one type, that type's suffix is dropped.
func SplitOutput(output string, types []string) (dir, name string) {
	dir, name = filepath.Split(output)
	if len(types) == 1 {
		name = strings.TrimSuffix(strings.TrimSuffix(name, suffixOf(types[0])), "."+types[0])
	}
	if dir != "" {
		dir = filepath.Clean(dir)
	}
	return dir, name
}

// HostArch returns the default architecture on a machine with that GOARCH.
// Debian and everyone else spell some architectures differently.
func HostArch(goarch string, debian bool) string {
	spelling := map[string][2]string{ // Debian, else
		"386":     {"i386", "i686"},
		"arm":     {"armhf", "armhf"},
		"ppc64le": {"ppc64el", "ppc64le"},
	}
	names, ok := spelling[goarch]
	switch {
	case !ok:
		return goarch
	case debian:
		return names[0]
	}
	return names[1]
}

// complete returns d with every field filled in.
func (d Definition) complete() Definition {
	env := d.Environment
	d.Environment = maps.Clone(env)
	if len(d.Types) == 0 {
		d.Types = []string{DefaultType}
	}
	d.Types = distinct(d.Types)
	if d.Name == "" {
		dir, name := SplitOutput(cmp.Or(env["IMAGE_NAME"], "image"), d.Types)
		d.OutputDir, d.Name = cmp.Or(d.OutputDir, dir), name
	}
	d.OutputDir = cmp.Or(d.OutputDir, ".")
	if slices.Contains(d.Types, "docker") {
		d.DockerTarget = tagged(cmp.Or(d.DockerTarget, d.Name))
	}
	if d.Arch = cmp.Or(d.Arch, env["ARCH"]); d.Arch == "" {
		_, err := os.Stat("/etc/debian_version")
		d.Arch = HostArch(runtime.GOARCH, err == nil)
	}
	if d.ElementsPath == nil && env["ELEMENTS_PATH"] != "" {
		d.ElementsPath = strings.Split(env["ELEMENTS_PATH"], ":")
	}
	d.SkipBase = d.SkipBase || env["SKIP_BASE"] == "1"
	d.Offline = d.Offline || env["DIB_OFFLINE"] != ""
	d.CheckMirrors = cmp.Or(d.CheckMirrors, defaultCheck)
	d.InstallType = cmp.Or(d.InstallType, env["DIB_DEFAULT_INSTALLTYPE"], "source")
	d.ImageSize = cmp.Or(d.ImageSize, env["DIB_IMAGE_SIZE"])
	d.ImageExtraSize = cmp.Or(d.ImageExtraSize, env["DIB_IMAGE_EXTRA_SIZE"])
	d.RootLabel = cmp.Or(d.RootLabel, env["ROOT_LABEL"])
	d.MaxOnlineResize = cmp.Or(d.MaxOnlineResize, env["MAX_ONLINE_RESIZE"])
	d.QemuImgOptions = cmp.Or(d.QemuImgOptions, env["QEMU_IMG_OPTIONS"])
	d.Checksum = cmp.Or(d.Checksum, env["DIB_CHECKSUM"], "0")
	d.RamdiskElement = cmp.Or(d.RamdiskElement, env["RAMDISK_ELEMENT"], "ramdisk")
	d.Home = cmp.Or(d.Home, env["HOME"], "/root")
	d.ImageCache = cmp.Or(d.ImageCache, env["DIB_IMAGE_CACHE"], filepath.Join(d.Home, ".cache/image-create"))
	if trace, err := strconv.Atoi(env["DIB_DEBUG_TRACE"]); err == nil {
		d.Trace += trace
	}
	return d
}

// distinct returns a list without what it has already, in its order.
func distinct(list []string) []string {
	seen := make(map[string]bool)
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool {
		before := seen[s]
		seen[s] = true
		return before
	})
}

// tagged adds the usual tag to the name of a container image that has none.
func tagged(name string) string {
	if _, last := path.Split(name); strings.Contains(last, ":") {
		return name
	}
	return name + ":latest"
}

// path returns a path of the definition as one that can be opened.
func (d Definition) path(name string) string {
	if d.WorkDir == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(d.WorkDir, name)
}
