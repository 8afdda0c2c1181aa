package imagelist

import (
	"cmp"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/dibgraph/dibgraph/elements"
	"github.com/dibgraph/dibgraph/internal/problem"
	"github.com/dibgraph/dibgraph/steps/blockdevice"
)

// Define returns the definition of the image. Base is what holds for all images
// of the list: the caller's variables and directories, and what was said on the
// command line, which counts before what the list says.
func (i *Image) Define(base elements.Definition) elements.Definition {
	d := base
	d.Environment = i.environment(base.Environment, base.PassEnv)
	d.Types = i.says["types"].texts()
	d.OutputDir, d.Name = elements.SplitOutput(i.output, d.Types)
	d.Arch = i.text("arch")
	d.Elements = i.says["elements"].texts()
	d.Packages = i.says["packages"].texts()
	d.SkipBase = i.is("skip-base")
	d.InstallType = i.text("install-type")
	d.ImageSize, d.ImageExtraSize = i.text("image-size"), i.text("image-extra-size")
	d.MaxOnlineResize = i.text("max-online-resize")
	d.RootLabel, d.MkfsOptions = i.text("root-label"), i.text("mkfs-options")
	d.DockerTarget = i.text("docker-target")
	d.QemuImgOptions, d.Qcow2Compression = i.options(), i.text("qcow2-compression")
	d.Uncompressed = i.is("uncompressed")
	d.Ramdisk, d.RamdiskElement = i.is("ramdisk"), i.text("ramdisk-element")
	d.ImageCache = cmp.Or(base.ImageCache, i.text("image-cache"))
	d.Offline = base.Offline || i.is("offline")
	d.StrictHost = base.StrictHost || i.is("strict-host")
	if i.is("checksum") {
		d.Checksum = "1"
	}
	if n, err := strconv.Atoi(i.text("debug-trace")); err == nil {
		d.Trace += n
	}
	d.PassEnv = slices.Concat(base.PassEnv, i.says["pass-env"].texts())
	d.ElementsPath = i.elementsPath(base.ElementsPath, d.Environment)
	i.freshness(&d)
	d.Args = i.words(d)
	return d
}

func (i *Image) text(name string) string { return i.says[name].text }
func (i *Image) is(name string) bool     { return i.says[name].text == "true" }

// kept are the variables of the caller that an image with "clear" gets.
var kept = []string{"HOME", "PATH", "USER", "LOGNAME", "ELEMENTS_PATH"}

// environment returns the caller's variables with those of the image.
func (i *Image) environment(caller map[string]string, passed []string) map[string]string {
	env := maps.Clone(caller)
	if i.is("clear") {
		passed = slices.Concat(kept, passed, i.says["pass-env"].texts())
		maps.DeleteFunc(env, func(name, _ string) bool { return !slices.Contains(passed, name) })
	}
	if env == nil {
		env = make(map[string]string)
	}
	if size := i.text("mkfs-journal-size"); size != "" {
		env["DIB_JOURNAL_SIZE"] = size
	}
	for _, p := range i.says["environment"].pairs {
		env[p.name] = p.text
	}
	return env
}

// options returns those for qemu-img in the form it has them in.
func (i *Image) options() string {
	var all []string
	for _, p := range i.says["qemu-img-options"].pairs {
		all = append(all, p.name+"="+p.text)
	}
	return strings.Join(all, ",")
}

// elementsPath returns the directories of the command line, then those of the
// image, which begin at its file, then those of ELEMENTS_PATH.
func (i *Image) elementsPath(given []string, env map[string]string) []string {
	all := slices.Clone(given)
	for _, dir := range i.says["elements-path"].list {
		if !filepath.IsAbs(dir.text) {
			dir.text = filepath.Join(filepath.Dir(dir.at.file), dir.text)
		}
		all = append(all, dir.text)
	}
	if path := env["ELEMENTS_PATH"]; path != "" {
		all = append(all, strings.Split(path, ":")...)
	}
	return all
}

// freshness takes over what the list says and the command line does not. The
// texts were checked when they were read.
func (i *Image) freshness(d *elements.Definition) {
	if f, err := elements.ParseFreshness(i.text("freshness")); err == nil {
		d.Freshness.Keep, d.Freshness.Follow = f.Keep, f.Follow
		d.Freshness.MaxAge = cmp.Or(d.Freshness.MaxAge, f.MaxAge)
	}
	if check, err := elements.ParseCheck(i.text("check-mirrors")); err == nil {
		d.CheckMirrors = cmp.Or(d.CheckMirrors, check)
	}
}

// words returns what the image would be asked for with on a command line, as
// far as hooks are told of it.
func (i *Image) words(d elements.Definition) []string {
	words := []string{"-o", d.Name}
	with := func(option, text string) {
		if text != "" {
			words = append(words, option, text)
		}
	}
	when := func(option string, yes bool) {
		if yes {
			words = append(words, option)
		}
	}
	with("-a", d.Arch)
	with("-t", strings.Join(d.Types, ","))
	when("-u", d.Uncompressed)
	when("--checksum", d.Checksum != "")
	with("--image-size", d.ImageSize)
	with("--image-extra-size", d.ImageExtraSize)
	with("--max-online-resize", d.MaxOnlineResize)
	with("--mkfs-options", d.MkfsOptions)
	with("--qemu-img-options", d.QemuImgOptions)
	with("--qcow2-compression", d.Qcow2Compression)
	with("--root-label", d.RootLabel)
	with("--docker-target", d.DockerTarget)
	with("--install-type", d.InstallType)
	with("-p", strings.Join(d.Packages, ","))
	when("-n", d.SkipBase)
	return append(words, d.Elements...)
}

// Locate gives problems that were found when the image was loaded their place in
// the list, if they have none, or one in a variable.
func (i *Image) Locate(problems []*problem.Problem) []*problem.Problem {
	located := make([]*problem.Problem, len(problems))
	for n, p := range problems {
		one := *p
		if one.File == "" || one.File == blockdevice.ConfigVariable {
			one.File, one.Line = i.at.file, i.at.line
			one.Message = "image \"" + i.Name + "\": " + p.Error()
		}
		located[n] = &one
	}
	return located
}
