package stock

import (
	"embed"
	"io/fs"
)

// Hidden files count too, hence "all:". The elements are named one by one, so
// that this package's own files stay out; a test compares the list with the
// directories.
//
//go:embed all:base all:block-device-efi all:block-device-gpt all:block-device-mbr all:bootloader all:cache-url
//go:embed all:cloud-init all:cloud-init-datasources all:debian-minimal all:debootstrap all:devuser
//go:embed all:dhcp-all-interfaces all:dib-init-system all:dib-python all:dpkg all:element-manifest
//go:embed all:enable-serial-console all:growroot all:install-bin all:install-static all:install-types
//go:embed all:journal-to-console all:local-config all:manifests all:modprobe all:openssh-server
//go:embed all:package-installs all:pkg-map all:runtime-ssh-host-keys all:svc-map all:sysprep all:vm
var files embed.FS

// Elements returns the library: each top-level directory is an element of that
// name. Modes are not kept in it; a file that starts with "#!" is meant to be
// executable (0755), every other one is not (0644).
func Elements() fs.FS { return files }
