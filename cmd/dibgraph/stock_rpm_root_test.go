package main

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// rpmTools stand in for dnf and rpm in a system of packages that were made for a
// test: dnf writes down how it is called.
var rpmTools = map[string]string{
	"usr/bin/dnf":     "[ \"$1\" != --version ] || { echo 4.14.0; exit; }\necho \"dnf $*\" >>/var/lib/calls\n",
	"usr/bin/rpm":     "case \"$*\" in '--eval %_dbpath') echo /usr/lib/sysimage/rpm ;; --rebuilddb) ls /usr/lib/sysimage/rpm >/var/lib/rebuilt ;; *) exit 1 ;; esac\n",
	"usr/sbin/visudo": "echo \"visudo $*\" >>/var/lib/calls\n",
}

// emptyPackages are names that a bootstrap asks for, and that hold nothing here.
const emptyPackages = "basesystem setup bash coreutils findutils glibc-minimal-langpack glibc-langpack-en passwd shadow-utils sudo systemd systemd-udev" +
	" util-linux dnf fedora-release-cloud fedora-gpg-keys"

// newRepository makes a repository of packages and returns its address. The package filesystem is the
// system, fedora-repos the files in etc/yum.repos.d.
func newRepository(s *tinySystem) string {
	s.t.Helper()
	spec := "Name: filesystem\nVersion: 1\nRelease: 1\nSummary: x\nLicense: x\nBuildArch: noarch\nAutoReqProv: no\n" +
		"%global __os_install_post %{nil}\n%global _binaries_in_noarch_packages_terminate_build 0\n%description\nx\n%install\ncp -a %{_system}/. %{buildroot}\n%files\n/*\n%exclude /etc/yum.repos.d\n" +
		"%package -n fedora-repos\nSummary: x\n%description -n fedora-repos\nx\n%files -n fedora-repos\n/etc/yum.repos.d\n"
	for name := range strings.FieldsSeq(emptyPackages) {
		spec += "%package -n " + name + "\nSummary: x\n%description -n " + name + "\nx\n%files -n " + name + "\n"
	}
	s.program.write("packages.spec", spec)
	s.tool("rpmbuild", "-bb", "--quiet", "--define", "_topdir "+s.path("rpm"), "--define", "_system "+s.path(s.dir),
		"--define", "_binary_payload w0.gzdio", "packages.spec")
	s.tool("createrepo_c", "--quiet", "--no-database", "rpm/RPMS")
	server := httptest.NewServer(http.FileServer(http.Dir(s.path("rpm/RPMS"))))
	s.t.Cleanup(server.Close)
	return server.URL
}

// A Fedora is bootstrapped with dnf of this machine from a mirror; dnf of the
// image does the rest.
func TestStockFedoraMinimal(t *testing.T) {
	p := newProgram(t)
	s := p.newTinySystem("system")
	s.stand(rpmTools)
	s.take("install")
	s.take("env") // that of busybox would run its own rpm
	s.write("etc/sudoers", "Defaults secure_path = /sbin:/bin\n")
	s.write("etc/yum.repos.d/fedora.repo", "[fedora]\n#baseurl=http://download.example/pub/fedora/linux/x\nmetalink=https://m.example.org/x\n")
	s.write("usr/share/doc/x", "x\n")
	// It belongs to the build, and what is in the home is of the user.
	s.tool("rm", s.dir+"/etc/resolv.conf")
	p.write("home/.rpmmacros", "%_dbpath /var/lib/of-the-user\n")
	repository := newRepository(s)
	// Repositories of this machine are in the image only while it is built.
	p.write("repos/mine.repo", "[fedora]\nname=x\nbaseurl="+repository+"\ngpgcheck=0\n")
	p.write("elements/app/pre-install.d/50-repos", "#!/bin/bash\nls /etc/yum.repos.d >/var/lib/repos\n")
	p.env = append(p.env, "DIB_YUM_MINIMAL_BOOTSTRAP_REPOS=repos", "DIB_IMAGE_CACHE="+p.path("images"))

	_, said := p.run("build", "-n", "-a", "amd64", "-t", "tar", "fedora-minimal", "app")
	wants(t, said, "ran   root.d/08-yum-chroot")
	wants(t, p.inTar("var/lib/repos"), "fedora.repo.USING_MIRROR\nmine.repo\n")
	wants(t, p.inTar("var/lib/calls"), "dnf -q clean expire-cache\n", "dnf -y install NetworkManager audit ca-certificates dracut", "python3-libselinux", "dnf -y remove linux-firmware linux-firmware-whence\n")
	wants(t, p.inTar("var/lib/rebuilt"), "rpmdb.sqlite\n")
	wants(t, p.inTar("etc/dnf/vars/basearch"), "x86_64\n")
	listing := p.tool("tar", "-tf", "image.tar")
	wants(t, listing, "./etc/locale.conf\n", "./etc/rpm/macros.image-language\n", "./etc/yum.repos.d/fedora.repo\n", "!mine.repo", "!USING_MIRROR", "!usr/share/doc", "!tmp/yum", "!of-the-user", "!.rpmdb")
	if got := p.tool("bash", "-c", "ls images/yum/x86_64/43/fedora-*/packages | wc -l"); got != "18\n" {
		t.Errorf("%s packages are in the cache", got)
	}
	if got := p.tool("rpm", "--root", p.unpack("image.tar"), "--dbpath", "/usr/lib/sysimage/rpm", "-q", "fedora-repos", "dnf"); got != "fedora-repos-1-1.noarch\ndnf-1-1.noarch\n" {
		t.Errorf("rpm says that the image has %q", got)
	}

	_, said = p.run("build", "-n", "-a", "amd64", "-t", "tar", "fedora-minimal", "app")
	wants(t, said, "image: nothing ran")
}

// unpack unpacks an archive and returns where.
func (p *program) unpack(name string) string {
	p.t.Helper()
	p.tool("bash", "-euc", `mkdir "$1.d"; tar -C "$1.d" -xf "$1"`, "unpack", name)
	return p.path(name + ".d")
}

// A Fedora begins with the disk of a cloud image, whose list of checksums has the
// form of BSD.
func TestStockFedora(t *testing.T) {
	p, m := newProgram(t), newMirror(t)
	s := p.newTinySystem("system")
	s.stand(rpmTools)
	s.take("install")
	s.write("etc/sudoers", "Defaults requiretty\n")
	s.write("etc/yum.repos.d/fedora.repo", "[fedora]\n#baseurl=http://download.example/pub/fedora/linux/x\nmetalink=https://m.example.org/x\n")
	p.tool("bash", "-euc", `truncate -s 31M part; mkfs.ext4 -q -d system part
		truncate -s 33M disk; echo type=L | sfdisk -q disk; dd if=part of=disk bs=1M seek=1 conv=notrunc status=none
		qemu-img convert -O qcow2 disk disk.qcow2`)
	image := p.read("disk.qcow2")
	m.put("/43/Fedora-Cloud-Base-Generic-43-1.6.x86_64.qcow2", "", image)
	m.put("/43/Fedora-Cloud-43-1.6-x86_64-CHECKSUM", "", fmt.Sprintf("# Fedora\nSHA256 (Fedora-Cloud-Base-Generic-43-1.6.x86_64.qcow2) = %x\n", sha256.Sum256([]byte(image))))
	p.env = append(p.env, "DIB_CLOUD_IMAGES="+m.URL+"/43", "DIB_DISTRIBUTION_MIRROR=http://mirror.example.org/fedora")

	p.run("build", "-n", "-a", "amd64", "-t", "tar", "fedora")
	wants(t, p.inTar("etc/yum.repos.d/fedora.repo"), "[fedora]\nbaseurl=http://mirror.example.org/fedora/x\n", "!metalink")
	wants(t, p.inTar("etc/sudoers"), "!requiretty")
	wants(t, p.inTar("var/lib/calls"), "visudo -cqf /etc/sudoers\n", "dnf -y install audit", " kernel-modules ")
	_, said := p.run("build", "-n", "-a", "amd64", "-t", "tar", "fedora")
	wants(t, said, "image: nothing ran")
	wants(t, p.fails(1, "build", "-n", "-a", "s390x", "-t", "tar", "fedora"), "of the architecture s390x no cloud image is known")
}
