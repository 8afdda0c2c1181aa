package stock

import (
	"embed"
	"io/fs"
)

// Hidden files count too, hence "all:". The elements are named one by one, so
// that this package's own files stay out; a test compares the list with the
// directories.
//
//go:embed all:apt-conf all:apt-preferences all:apt-sources all:base all:block-device-efi
//go:embed all:block-device-gpt all:block-device-mbr all:bootloader all:cache-url all:cleanup-kernel-initrd
//go:embed all:cloud-init all:cloud-init-datasources all:cloud-init-disable-resizefs all:cloud-init-growpart
//go:embed all:cloud-init-nocloud all:containerfile all:debian all:debian-minimal all:debootstrap
//go:embed all:devuser all:dhcp-all-interfaces all:dib-init-system all:dib-python all:dpkg
//go:embed all:dracut-ramdisk all:dynamic-login all:element-manifest all:enable-serial-console
//go:embed all:ensure-venv all:fedora all:fedora-container all:fedora-minimal all:growroot all:install-bin
//go:embed all:install-static all:install-types all:journal-to-console all:local-config all:manifests
//go:embed all:modprobe all:openssh-server all:package-installs all:pip-and-virtualenv all:pkg-map
//go:embed all:ramdisk all:ramdisk-base all:redhat-common all:rpm-distro all:runtime-ssh-host-keys
//go:embed all:selinux-fixfiles-restore all:simple-init all:source-repositories all:svc-map all:sysctl
//go:embed all:sysprep all:ubuntu all:ubuntu-common all:ubuntu-minimal all:vm all:yum all:yum-minimal
var files embed.FS

// Elements returns the library: each top-level directory is an element of that
// name. Modes are not kept in it; a file that starts with "#!" is meant to be
// executable (0755), every other one is not (0644).
func Elements() fs.FS { return files }
