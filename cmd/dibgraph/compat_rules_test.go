package main

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"github.com/dibgraph/dibgraph/internal/compat"
)

// compatRules are where the images of both programs differ, and may.
func compatRules() []compat.Rule {
	return []compat.Rule{
		{
			Name: "in the tar", Paths: []string{"dev", "dev/**", "lost+found", "proc", "sys"}, Absent: true,
			Reason: "diskimage-builder packs the mounted filesystem with its lost+found and the /dev of the build machine, and leaves /proc and /sys out; dibgraph packs the tree, where /proc and /sys are empty",
		},
		{
			Name: "root directory", Paths: []string{".", ".witness"}, Absent: true,
			Reason: "diskimage-builder loses the mode of / and files directly below it whose name begins with a dot",
		},
		{
			Name: "logs", Paths: []string{"var/log/**"}, Absent: true,
			Reason: "logs of the installation",
		},
		{
			Name: "ids of filesystems", Paths: []string{"boot/grub/grub.cfg"},
			Normal: func(text []byte) []byte { return uuid.ReplaceAll(text, []byte("UUID")) },
			Reason: "diskimage-builder makes random ones, dibgraph such as follow from what is in the image",
		},
		{
			Name: "cache of ldconfig", Paths: []string{"var/cache/ldconfig/aux-cache"},
			Reason: "it has times and inode numbers of the filesystem that it was made on",
		},
		{
			Name: "git's own records", Paths: []string{"opt/*/.git/index", "opt/*/.git/logs/**"},
			Reason: "git writes down times, inode numbers, and who cloned on which machine",
		},
		{
			Name: "name of the iSCSI initiator", Paths: []string{"etc/iscsi/initiatorname.iscsi", "boot/initrd.img-*/etc/initiatorname.iscsi"},
			Normal: func(text []byte) []byte { return initiatorID.ReplaceAll(text, []byte("$1")) },
			Reason: "its package makes a random one",
		},
		{
			Name: "manifests of arguments", Paths: []string{"etc/dib-manifests/dib_arguments", "beside/image.d/dib-manifests/dib_arguments"}, Normal: onePackageOption,
			Reason: "options that may be given several times are written as one, so that what means the same has one result",
		},
		{
			Name: "manifests of variables", Paths: []string{"etc/dib-manifests/dib_environment", "beside/image.d/dib-manifests/dib_environment"}, Normal: withoutOwnVariables,
			Reason: "paths of the programs themselves; dibgraph leaves the place of caches out, which does not change an image",
		},
		{
			Name: "order of elements", Paths: []string{"etc/dib-manifests/dib-element-manifest", "beside/image.d/dib-manifests/dib-element-manifest"}, Normal: sortLines,
			Reason: "the order of elements is another one in every run of diskimage-builder",
		},
		{
			Name: "size of the disk", Paths: []string{diskEntry}, Normal: withoutSizes,
			Reason: "the size is computed from the contents of files and not from du, whose answer depends on the filesystem below (decision 0005)",
		},
		{
			Name: "comments in the ramdisk", Paths: []string{"beside/image.initramfs/init", "beside/image.initramfs/etc/udev/udev.conf"}, Normal: withoutComments,
			Reason: "comments and empty lines between what elements bring are dibgraph's own",
		},
		{
			Name: "environment of hooks", Paths: []string{"witness/*"}, Normal: withoutOwnVariables,
			Reason: "paths of the programs themselves, what sudo adds, and variables of newer versions",
		},
	}
}

// ownVariables are those whose values are paths of the program that builds, or
// that only one of both has.
var ownVariables = []string{
	"BASH_FUNC__ps4%%", "BASH_FUNC_die%%", "BASH_FUNC_get_image_element_array%%", "PS4", "_", "SHLVL", "PWD", "OLDPWD",
	"DIB_BLOCK_DEVICE_PARAMS_YAML", "DIB_BOOT_LABEL", "DIB_ENV", "DIB_IMAGE_CACHE", "DIB_IMAGE_SIZE", "DIB_LOCKFILES", "DIB_MANIFEST_SAVE_DIR", "DIB_PYTHON_EXEC",
	"ELEMENTS_PATH", "IMAGE_BLOCK_DEVICE", "IMAGE_BLOCK_DEVICES", "IMAGE_ELEMENT", "IMAGE_ELEMENT_YAML", "IMAGE_NAME",
	"OUT_IMAGE_PATH", "PROFILE_DIR", "TMPDIR", "TMP_BUILD_DIR", "TMP_HOOKS_PATH", "TMP_IMAGE_DIR", "TMP_IMAGE_PATH", "TMP_MOUNT_PATH", "TARGET_ROOT",
	"_LIB", "_BASE_ELEMENT_DIR", "TMP_DIR",
	// What Python, sudo and the session add.
	"LC_CTYPE", "LOGNAME", "MAIL", "SHELL", "TERM", "USER",
}

var setsVariable = regexp.MustCompile(`^(?:env |declare -x )([^ =]+)=`)

// withoutOwnVariables leaves out lines that set one of ownVariables.
func withoutOwnVariables(text []byte) []byte {
	text = bytes.ReplaceAll(onePackageOption(text), []byte("PATH=/run/dibgraph/lib/bin:"), []byte("PATH="))
	return keepLines(text, func(line string) bool {
		set := setsVariable.FindStringSubmatch(line)
		return set == nil || !slices.Contains(ownVariables, set[1]) && !strings.HasPrefix(set[1], "SUDO_")
	})
}

var uuid = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

var initiatorID = regexp.MustCompile(`(InitiatorName=[^:]*:[^:]*:)[0-9a-f]+`)

var packageOptions = regexp.MustCompile(`-p (\S+) -p `)

// onePackageOption makes one option of two with packages.
func onePackageOption(text []byte) []byte {
	return packageOptions.ReplaceAll(text, []byte("-p $1,"))
}

var sizeLine = regexp.MustCompile(`^partition \d+ size|Inode count|[Bb]lock count|GDT blocks`)

// withoutSizes leaves out what follows from the size of a disk.
func withoutSizes(text []byte) []byte {
	return keepLines(text, func(line string) bool { return !sizeLine.MatchString(line) })
}

// withoutComments leaves out comments that have a line of their own, and empty lines.
func withoutComments(text []byte) []byte {
	return keepLines(text, func(line string) bool {
		line = strings.TrimSpace(line)
		return line != "" && (line[0] != '#' || strings.HasPrefix(line, "#!"))
	})
}

func keepLines(text []byte, keep func(line string) bool) []byte {
	var out bytes.Buffer
	for line := range strings.Lines(string(text)) {
		if keep(line) {
			out.WriteString(line)
		}
	}
	return out.Bytes()
}

func sortLines(text []byte) []byte {
	return []byte(strings.Join(slices.Sorted(strings.Lines(string(text))), ""))
}
