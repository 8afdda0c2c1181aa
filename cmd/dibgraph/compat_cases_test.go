package main

import (
	"os"
	"strings"

	"github.com/dibgraph/dibgraph/internal/qemu"
)

// compatCases are the images that both programs build, the most important first.
func compatCases() []compatCase {
	small := []string{"small-system"}
	return []compatCase{
		{
			name:     "debian-minimal",
			elements: []string{"debian-minimal"},
			options:  []string{"-t", "tar"},
		},
		{
			name:     "debian-vm",
			elements: []string{"debian-minimal", "vm", "openssh-server", "growroot", "cloud-init-datasources", "element-manifest"},
			options:  []string{"-t", "tar,raw,qcow2"},
			env:      []string{"DIB_CLOUD_INIT_DATASOURCES=ConfigDrive, OpenStack"},
			boots:    []qemu.Firmware{qemu.BIOS},
		},
		{
			name:     "debian-gpt",
			program:  diskImageCreate,
			elements: []string{"debian-minimal", "vm", "block-device-gpt", "dhcp-all-interfaces"},
			options:  []string{"-a", "amd64", "-t", "tar,qcow2"},
			boots:    []qemu.Firmware{qemu.BIOS},
		},
		{
			name:     "debian-efi",
			program:  diskImageCreate,
			elements: []string{"debian-minimal", "vm", "block-device-efi"},
			options:  []string{"-a", "amd64"},
			boots:    []qemu.Firmware{qemu.UEFI},
			alone:    withoutVFAT(),
		},
		{
			name:     "phases",
			elements: append(small, "witness"),
			options:  []string{"-n", "-t", "tar,raw"},
			env:      []string{"DIB_WITNESS=a  b\tc"},
			small:    true,
		},
		{
			name:     "services",
			elements: append(small, "openssh-server", "runtime-ssh-host-keys", "dib-init-system", "devuser", "local-config", "cloud-init-datasources", "growroot", "dhcp-all-interfaces", "element-manifest", "journal-to-console", "enable-serial-console", "dynamic-login", "modprobe", "disable-nouveau", "sysctl", "svc-map", "apt-conf", "no-final-image"),
			options:  []string{"-n", "-t", "tar"},
			env: []string{
				"DIB_CLOUD_INIT_DATASOURCES=ConfigDrive, OpenStack", "DIB_PYTHON_VERSION=3", "DIB_DHCP_TIMEOUT=45",
				"DIB_DEV_USER_USERNAME=someone", "DIB_DEV_USER_SHELL=/bin/bash", "DIB_DEV_USER_PWDLESS_SUDO=yes",
				"DIB_DEV_USER_AUTHORIZED_KEYS=$CASE/files/keys", "DIB_APT_CONF=$CASE/files/apt.conf", "DIB_MODPROBE_BLACKLIST=floppy",
			},
			files: map[string]string{
				"files/keys":     "ssh-ed25519 BBBB somebody else\n",
				"files/apt.conf": "APT::Install-Suggests \"false\";\n",
			},
			small: true,
		},
		{
			name:     "cloud",
			elements: append(small, "cloud-init", "cloud-init-nocloud", "cloud-init-disable-resizefs", "growvols", "ensure-venv", "apt-sources", "pip-cache"),
			options:  []string{"-n", "-t", "tar"},
			env:      []string{"DIB_APT_SOURCES=$CASE/files/sources", "DIB_CLOUD_INIT_ALLOW_SSH_PWAUTH=yes"},
			given:    func(s *compatSite) { s.write("files/sources", s.sources()) },
			small:    true,
		},
		{
			name:     "package-installs",
			elements: append(small, "packages-second", "static-tree", "install-static", "package-installs"),
			options:  []string{"-n", "-t", "tar", "-p", "rename,zerofree", "-p", "lzip"},
			env:      []string{"DIB_FORMS=yes", "DIB_OTHER_FORM=no", "DIB_PYTHON_VERSION=3"},
			files: map[string]string{
				// What an overridden copy of an element wants is merged, too.
				"overrides/packages-second/element-deps":          "package-installs\npackages-forms\n",
				"overrides/packages-second/package-installs.yaml": "figlet:\nlrzip:\n",
			},
			small: true,
		},
		{
			name:     "sources",
			elements: append(small, "sources-local", "source-repositories", "install-types", "cache-url", "manifests", "pip-and-virtualenv"),
			options:  []string{"-n", "-t", "tar"},
			env: []string{
				"DIB_REPOLOCATION_app=$CASE/files/app", "DIB_TOOLS_PLACE=$CASE/files/tools", "DIB_REPOREF_tools=v1",
				"DIB_DATA_PLACE=file://$CASE/files/data.tar.gz", "DIB_NOTE_PLACE=file://$CASE/files/note",
				"DIB_INSTALLTYPE_skipped=package", "DIB_INSTALLTYPE_sources_local=package",
				"DIB_PYTHON_VERSION=3", "DIB_INSTALLTYPE_pip_and_virtualenv=package",
			},
			given: makeSources,
			small: true,
		},
		{
			name:     "layout-mbr",
			program:  diskImageCreate,
			elements: append(small, "vm"),
			options:  []string{"-n", "-t", "tar,raw,qcow2", "--checksum"},
			small:    true,
		},
		{
			name:     "layout-gpt",
			elements: append(small, "vm", "block-device-gpt"),
			options:  []string{"-n", "-t", "tar,raw", "--root-label", "some-root", "--image-size", "2"},
			small:    true,
		},
		{
			name:     "layout-efi",
			elements: append(small, "vm", "block-device-efi"),
			options:  []string{"-n", "-t", "tar,raw"},
			small:    true,
			alone:    withoutVFAT(),
		},
		{
			name:     "squashfs",
			elements: small,
			options:  []string{"-n", "-t", "squashfs"},
			small:    true,
		},
		{
			name:     "ramdisk",
			program:  ramdiskImageCreate,
			elements: append(small, "ramdisk-system"),
			options:  []string{"-n"},
			small:    true,
		},
		{
			name:       "ubuntu-minimal",
			elements:   []string{"ubuntu-minimal"},
			impossible: "needs a mirror of Ubuntu",
		},
	}
}

// withoutVFAT says why diskimage-builder cannot make an EFI partition, if so.
func withoutVFAT() string {
	if known, err := os.ReadFile("/proc/filesystems"); err == nil && strings.Contains(string(known), "\tvfat\n") {
		return ""
	}
	return "the kernel of this machine has no vfat, which diskimage-builder mounts"
}

// makeSources makes the places that the element sources-local names.
func makeSources(s *compatSite) {
	s.write("files/note", "a note\n")
	s.write("files/data/sub/one", "one\n")
	s.write("files/data/other", "other\n")
	s.tool("tar", "-C", s.path("files/data"), "-czf", s.path("files/data.tar.gz"), ".")
	for _, name := range []string{"app", "tools"} {
		s.write("files/"+name+"/README", name+"\n")
		s.write("files/"+name+"/run", "#!/bin/sh\n")
		for _, args := range [][]string{
			{"init", "-q", "-b", "main"}, {"add", "."}, {"commit", "-q", "-m", "first"}, {"tag", "v1"},
			{"commit", "-q", "--allow-empty", "-m", "second"},
		} {
			s.tool("env", append([]string{"GIT_AUTHOR_DATE=2001-02-03T04:05:06Z", "GIT_COMMITTER_DATE=2001-02-03T04:05:06Z",
				"git", "-c", "user.name=someone", "-c", "user.email=someone@example.org", "-C", s.path("files/" + name)}, args...)...)
		}
	}
}
