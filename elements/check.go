package elements

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/dibgraph/dibgraph/internal/nearest"
	"github.com/dibgraph/dibgraph/internal/ociimage"
	"github.com/dibgraph/dibgraph/steps"
)

// OutputTypes are the output types that are known: those made of the tree ([aci
// docker squashfs tar tgz]), the raw disk, and the formats that it is converted to.
var OutputTypes = []string{
	"aci", "docker", "parallels", "qcow", "qcow2", "qed", "raw", "squashfs", "tar", "tgz", "vdi", "vhd", "vhdx", "vmdk", "vpc",
}

var (
	decimal    = regexp.MustCompile(`^([0-9]+(\.[0-9]*)?|\.[0-9]+)$`)
	whole      = regexp.MustCompile(`^[0-9]+$`)
	identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	archName   = regexp.MustCompile(`^[A-Za-z0-9_]+$`)
)

// check returns all that is wrong with a complete definition by itself.
func (d Definition) check() []*Problem {
	var problems []*Problem
	add := func(hint, format string, args ...any) {
		problems = append(problems, &Problem{Message: fmt.Sprintf(format, args...), Hint: hint})
	}
	if len(words(d.Elements)) == 0 {
		add(`name an operating system and what to make of it, such as "debian-minimal vm"`, "no element is given")
	}
	for _, t := range d.Types {
		if !slices.Contains(OutputTypes, t) {
			add(nearest.Question(t, OutputTypes), "unknown output type %q", t)
		}
	}
	if d.Name == "" || d.Name == "." || d.Name == ".." || strings.ContainsAny(d.Name, "/\n\x00") {
		add("", "%q is no name for an image", d.Name)
	}
	switch info, err := os.Stat(d.path(d.OutputDir)); {
	case isAbsent(err):
		add("create it first", "output directory %q does not exist", d.OutputDir)
	case err != nil:
		add("", "output directory %q: %s", d.OutputDir, cause(err))
	case !info.IsDir():
		add("", "output directory %q is not a directory", d.OutputDir)
	}
	if slices.Contains(d.Types, "docker") && !ociimage.ValidName(d.DockerTarget) {
		add("give it one with --docker-target: lower-case letters, digits and . _ - /", "%q is no NAME:TAG of a container image", d.DockerTarget)
	}
	if manifest := d.Environment["ACI_MANIFEST"]; manifest != "" && slices.Contains(d.Types, "aci") {
		if info, err := os.Stat(d.path(manifest)); err != nil {
			add("", "ACI_MANIFEST %q: %s", manifest, cause(err))
		} else if !info.Mode().IsRegular() {
			add("", "ACI_MANIFEST %q is no file", manifest)
		}
	}
	if !archName.MatchString(d.Arch) {
		add("", "%q is no architecture", d.Arch)
	}
	problems = append(problems, d.checkNumbers()...)
	problems = append(problems, d.checkWords()...)
	return problems
}

// checkNumbers returns what is wrong with the sizes of a definition.
func (d Definition) checkNumbers() []*Problem {
	var problems []*Problem
	number := func(value, what string, form *regexp.Regexp, want string) {
		if value != "" && !form.MatchString(value) {
			problems = append(problems, &Problem{Message: fmt.Sprintf("%s %q is not %s", what, value, want)})
		}
	}
	number(d.ImageSize, "image size", decimal, "a number of GiB")
	number(d.ImageExtraSize, "extra image size", whole, "a whole number of MiB")
	number(d.MaxOnlineResize, "largest online resize", whole, "a whole number of blocks")
	number(d.Environment["DIB_DEBUG_TRACE"], "DIB_DEBUG_TRACE", whole, "a whole number")
	if size, err := strconv.ParseFloat(d.ImageSize, 64); err == nil && size == 0 {
		problems = append(problems, &Problem{Message: fmt.Sprintf("image size %q is nothing", d.ImageSize)})
	}
	return problems
}

// checkWords returns what is wrong with the lists and patterns of a definition.
func (d Definition) checkWords() []*Problem {
	var problems []*Problem
	add := func(format string, args ...any) {
		problems = append(problems, &Problem{Message: fmt.Sprintf(format, args...)})
	}
	for _, p := range d.Packages {
		if p == "" || p[0] == '-' || strings.ContainsAny(p, " \t\n;&|<>$`\"'\\()") {
			add("%q is no name of a package", p)
		}
	}
	for _, name := range d.PassEnv {
		if !identifier.MatchString(name) {
			add("%q is no name of a variable", name)
		}
	}
	if c := d.Checksum; c != "0" && c != "1" && !strings.Contains(c, "md5") && !strings.Contains(c, "sha256") {
		add("unknown checksum %q: want md5, sha256 or both", c)
	}
	if c := d.Qcow2Compression; c != "" {
		if err := steps.CheckCompression(c, d.QemuImgOptions); err != nil {
			add("compression %q of qcow2: %v", c, err)
		} else if d.Uncompressed && c != "none" {
			add("compression %q of qcow2: the image is to be uncompressed too", c)
		}
	}
	if _, err := steps.HookPattern(d.Environment["RUN_PARTS_REGEX"]); err != nil {
		add("RUN_PARTS_REGEX: %v", err)
	}
	return problems
}

// words splits every item at blanks, as the shell does with unquoted lists.
func words(items []string) []string {
	var all []string
	for _, item := range items {
		all = append(all, strings.Fields(item)...)
	}
	return all
}
