package main

import "github.com/dibgraph/dibgraph/internal/host"

// buildNeeds are the programs and files of the host that builds use, besides
// those that every distribution has.
var buildNeeds = []host.Need{
	{What: "bash", Programs: []string{"bash"}, Package: "bash",
		For: "hooks and environment files"},
	{What: "tar", Programs: []string{"tar"}, Package: "tar",
		For: "base systems and tar images"},
	{What: "bootstrap", Programs: []string{"mmdebstrap|debootstrap"}, Package: "mmdebstrap",
		For: "debian-minimal and ubuntu-minimal"},
	{What: "Debian keyring", Files: []string{"/usr/share/keyrings/debian-archive-keyring.*", "/usr/share/keyrings/debian-keyring.*"}, Package: "debian-archive-keyring",
		For: "verifying what debian-minimal downloads"},
	{What: "certificates", Files: []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"}, Package: "ca-certificates",
		For: "downloads by https"},
	{What: "curl", Programs: []string{"curl"}, Package: "curl",
		For: "element cache-url and what depends on it"},
	{What: "qemu-img", Programs: []string{"qemu-img"}, Package: "qemu-utils", Optional: true,
		For: "images of the types vmdk, vdi, vhd, vhdx and others, systems that begin with a disk image"},
	{What: "squashfs tools", Programs: []string{"mksquashfs"}, Package: "squashfs-tools", Optional: true,
		For: "images of type squashfs, element ubuntu"},
	{What: "ext4 tools", Programs: []string{"mkfs.ext4", "tune2fs", "e2fsck"}, Package: "e2fsprogs",
		For: "root filesystems"},
	{What: "EFI tools", Programs: []string{"mkfs.vfat", "mcopy", "mmd"}, Package: efiPackages,
		For: "EFI partitions"},
	{What: "xfs tools", Programs: []string{"mkfs.xfs"}, Package: "xfsprogs", Optional: true,
		For: "root filesystems of type xfs"},
	{What: "btrfs tools", Programs: []string{"mkfs.btrfs"}, Package: "btrfs-progs", Optional: true,
		For: "root filesystems of type btrfs"},
	{What: "LVM", Programs: []string{"pvcreate", "vgcreate", "lvcreate"}, Package: "lvm2", Optional: true,
		For: "layouts with logical volumes"},
	{What: "git", Programs: []string{"git"}, Package: "git", Optional: true,
		For: "elements that fetch repositories"},
	{What: "dnf", Programs: []string{"dnf|yum"}, Package: "dnf", Optional: true,
		For: "fedora-minimal and others on yum-minimal"},
	{What: "jq", Programs: []string{"jq"}, Package: "jq", Optional: true,
		For: "element apt-preferences"},
	{What: "rsync", Programs: []string{"rsync"}, Package: "rsync", Optional: true,
		For: "elements that fetch archives of sources"},
	{What: "python with YAML", Programs: []string{"python3"}, Files: pythonModule("yaml"), Package: "python3-yaml", Optional: true,
		For: "elements of others that run Python on the host; ours do not"},
}

// efiPackages are two packages, named alike everywhere.
const efiPackages = "dosfstools mtools"

// testNeeds are what the tests of dibgraph use on top of that.
var testNeeds = []host.Need{
	{What: "static busybox", Programs: []string{"busybox"}, Static: true, Package: "busybox-static",
		For: "the tiny root of the root tests"},
	{What: "mmdebstrap", Programs: []string{"mmdebstrap"}, Package: "mmdebstrap",
		For: "tests of the bootstrap"},
	{What: "debootstrap", Programs: []string{"debootstrap"}, Package: "debootstrap",
		For: "tests of the bootstrap"},
	{What: "gdisk", Programs: []string{"sgdisk"}, Package: "gdisk",
		For: "tests that read partition tables with other tools"},
	{What: "fdisk", Programs: []string{"sfdisk"}, Package: "fdisk",
		For: "tests that read partition tables with other tools"},
	{What: "QEMU", Programs: []string{"qemu-system-x86_64"}, Package: "qemu-system-x86",
		For: "tests that boot images"},
	{What: "OVMF", Files: []string{"/usr/share/OVMF/OVMF_CODE*.fd", "/usr/share/edk2/*/OVMF_CODE*.fd", "/usr/share/qemu/ovmf-x86_64-code.bin"}, Package: "ovmf",
		For: "tests that boot images by UEFI"},
	{What: "shellcheck", Programs: []string{"shellcheck"}, Package: "shellcheck",
		For: "tests of our hooks"},
	{What: "ssh-keygen", Programs: []string{"ssh-keygen"}, Package: "openssh-client",
		For: "tests of signatures that other programs make"},
	{What: "skopeo", Programs: []string{"skopeo"}, Package: "skopeo",
		For: "tests that read container images with other tools"},
	{What: "umoci", Programs: []string{"umoci"}, Package: "umoci",
		For: "tests that unpack container images with other tools"},
	{What: "docker-registry", Programs: []string{"docker-registry"}, Package: "docker-registry",
		For: "tests that push and pull container images"},
	{What: "Chromium", Programs: []string{"chromium"}, Package: "chromium",
		For: "tests that open pages"},
	{What: "nginx", Programs: []string{"nginx"}, Package: "nginx",
		For: "tests of remotes on web servers"},
	{What: "diskimage-builder", Files: pythonModule("diskimage_builder/elements"), Package: "python3-diskimage-builder",
		For: "tests that build its own elements, and that compare with it"},
	{What: "rpmbuild", Programs: []string{"rpmbuild", "rpm"}, Package: "rpm",
		For: "tests of systems made of packages of rpm"},
	{What: "createrepo_c", Programs: []string{"createrepo_c"}, Package: "createrepo-c",
		For: "tests of systems made of packages of rpm"},
	{What: "sudo", Programs: []string{"sudo"}, Package: "sudo",
		For: "tests that compare with diskimage-builder"},
}

// pythonModule are the places where distributions put a module of Python.
func pythonModule(name string) []string {
	return []string{
		"/usr/lib/python3/dist-packages/" + name,
		"/usr/lib/python3*/site-packages/" + name,
		"/usr/lib64/python3*/site-packages/" + name,
	}
}

// needsFor gives what builds need, or what the tests need: for those nothing is
// optional, so that none of them is left out.
func needsFor(tests bool) []host.Need {
	if !tests {
		return buildNeeds
	}
	var all []host.Need
	for _, n := range append(append(all, buildNeeds...), testNeeds...) {
		n.Optional = false
		all = append(all, n)
	}
	return all
}
