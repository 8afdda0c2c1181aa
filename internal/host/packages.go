package host

import (
	"strings"

	"github.com/dibgraph/dibgraph/internal/command"
)

// Translations of Debian's package names, where another family's differ; "" is
// one that the family does not have. mmdebstrap becomes debootstrap where only
// that is packaged.
var translations = map[Family]map[string]string{
	Debian: {
		"python3-yaml": "python3 python3-yaml",
	},
	Fedora: {
		"qemu-utils":                "qemu-img",
		"qemu-system-x86":           "qemu-system-x86-core",
		"qemu-user-static":          "qemu-user-static",
		"ovmf":                      "edk2-ovmf",
		"mmdebstrap":                "debootstrap",
		"debian-archive-keyring":    "debian-keyring",
		"python3-yaml":              "python3 python3-pyyaml",
		"fdisk":                     "util-linux",
		"shellcheck":                "ShellCheck",
		"busybox-static":            "busybox",
		"rpm":                       "rpm-build",
		"createrepo-c":              "createrepo_c",
		"python3-diskimage-builder": "diskimage-builder",
	},
	SUSE: {
		"qemu-utils":                "qemu-tools",
		"qemu-system-x86":           "qemu-x86",
		"qemu-user-static":          "qemu-linux-user",
		"ovmf":                      "qemu-ovmf-x86_64",
		"mmdebstrap":                "debootstrap",
		"debian-archive-keyring":    "",
		"python3-yaml":              "python3 python3-PyYAML",
		"fdisk":                     "util-linux",
		"gdisk":                     "gptfdisk",
		"shellcheck":                "ShellCheck",
		"squashfs-tools":            "squashfs",
		"rpm":                       "rpm-build",
		"createrepo-c":              "createrepo_c",
		"python3-diskimage-builder": "",
	},
	Arch: {
		"qemu-utils":                "qemu-img",
		"qemu-user-static":          "qemu-user-static qemu-user-static-binfmt",
		"ovmf":                      "edk2-ovmf",
		"mmdebstrap":                "debootstrap",
		"python3-yaml":              "python python-yaml",
		"fdisk":                     "util-linux",
		"gdisk":                     "gptfdisk",
		"busybox-static":            "busybox",
		"python3-diskimage-builder": "",
	},
	Alpine: {
		"qemu-utils":                "qemu-img",
		"qemu-system-x86":           "qemu-system-x86_64",
		"qemu-user-static":          "qemu-aarch64 qemu-openrc",
		"mmdebstrap":                "debootstrap",
		"e2fsprogs":                 "e2fsprogs e2fsprogs-extra",
		"python3-yaml":              "python3 py3-yaml",
		"fdisk":                     "sfdisk",
		"gdisk":                     "sgdisk",
		"python3-diskimage-builder": "",
	},
}

// provider gives the family's names for a package of Debian's, separated by
// spaces; "" if it has none or is Unknown.
func (f Family) provider(debian string) string {
	switch names, translated := translations[f][debian]; {
	case f == Unknown:
		return ""
	case translated:
		return names
	default:
		return debian
	}
}

// installers are the words before the names of the packages. None asks a
// question.
var installers = map[Family]string{
	Debian: "apt-get install -y --no-install-recommends",
	Fedora: "dnf install -y",
	SUSE:   "zypper --non-interactive install",
	Arch:   "pacman -S --needed --noconfirm",
	Alpine: "apk add",
}

// Install gives the commands that install packages, to be run as root in this
// order; nil for no package or a distribution without a known package manager.
// Their environment is the caller's business; [InstallEnvironment] is needed.
func (d Distribution) Install(packages []string) []command.Cmd {
	words := strings.Fields(installers[d.Family])
	if len(words) == 0 || len(packages) == 0 {
		return nil
	}
	var commands []command.Cmd
	if d.listless {
		commands = append(commands, command.Cmd{Path: "apt-get", Args: []string{"update"}})
	}
	return append(commands, command.Cmd{Path: words[0], Args: append(words[1:], packages...)})
}

// InstallEnvironment keeps package managers from asking questions.
var InstallEnvironment = []string{"DEBIAN_FRONTEND=noninteractive"}
