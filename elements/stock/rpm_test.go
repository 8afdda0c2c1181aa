package stock_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dibgraph/dibgraph/internal/testroot"
)

func TestInstallPackagesOfYum(t *testing.T) {
	both, old := recorder(t, "dnf", "yum"), recorder(t, "yum")
	write(t, "#!/bin/sh\necho yumdownloader $*\n", old, "yumdownloader")
	newer := t.TempDir()
	write(t, "#!/bin/sh\n[ \"$1\" != --version ] || { echo dnf5 version 5.2; exit; }\necho dnf $*\n", newer, "dnf")
	for _, bin := range []string{both, old, newer} {
		write(t, "#!/bin/sh\nshift 4\necho \"mapped-$1 extra\"\n", bin, "pkg-map")
	}
	for _, test := range []struct{ bin, args, env, want string }{
		{both, "one two", "", "dnf -y install one two\ndnf -y mark install one two\n"},
		{both, "one", "YUM=yum", "yum -y install one\n"},
		{old, "one", "YUM=yum", "yum -y install one\n"},
		{newer, "one", "", "dnf -y install one\ndnf -y mark user one\n"},
		{both, "one", "YUM_FLAGS=-y -v", "dnf -y -v install one\ndnf -y -v mark install one\n"},
		{both, "-e one", "", "dnf -y remove one\n"},
		{both, "-u", "DIB_OFFLINE=1", "dnf -y -C update\n"},
		{both, "-u", "", "dnf -y update\n"},
		{both, "-u one", "", "dnf -y update\ndnf -y install one\ndnf -y mark install one\n"},
		{both, "-m e one", "", "dnf -y install mapped-one extra\ndnf -y mark install mapped-one extra\n"},
		{both, "-d DIR one", "", "dnf -y download --destdir=DIR one\n"},
		{old, "-d DIR one", "YUM=yum", "yumdownloader --destdir=DIR one\n"},
		{both, "", "", "Nothing to install\n"},
		{both, "-e", "", "Nothing to remove\n"},
	} {
		dir := t.TempDir()
		args := strings.Fields(strings.ReplaceAll(test.args, "DIR", dir))
		got, stderr, status := run(t, test.bin, []string{test.env}, "yum/bin/install-packages", args...)
		if got = strings.ReplaceAll(got, dir, "DIR"); got != test.want || status != 0 {
			t.Errorf("%s install-packages %s = %q, status %d, want %q\n%s", test.env, test.args, got, status, test.want, stderr)
		}
	}
	// Names without a map are those of Debian; one word may hold several.
	write(t, "#!/bin/sh\nfor n in $*; do echo red-$n; done\n", both, "map-packages")
	if got, _, _ := run(t, both, nil, "yum/bin/install-packages", "-e", "one two", "three"); got != "dnf -y remove red-one red-two red-three\n" {
		t.Errorf("install-packages -e 'one two' three = %q", got)
	}
	failing := recorder(t)
	write(t, "#!/bin/sh\nexit 7\n", failing, "dnf")
	if _, _, status := run(t, failing, nil, "yum/bin/install-packages", "one"); status != 7 {
		t.Errorf("status %d of a failing dnf, want 7", status)
	}
}

func TestMapPackages(t *testing.T) {
	bin := t.TempDir()
	pkgMap, err := filepath.Abs("pkg-map/bin/pkg-map")
	if err != nil || os.Symlink(pkgMap, filepath.Join(bin, "pkg-map")) != nil {
		t.Fatal("link pkg-map", err)
	}
	env := []string{"PKG_MAP_DIR=" + t.TempDir(), "DISTRO_NAME=fedora", "DIB_RELEASE=40"}
	write(t, string(read(t, "redhat-common/pkg-map")), strings.TrimPrefix(env[0], "PKG_MAP_DIR="), "redhat-common")
	got, stderr, status := run(t, bin, env, "redhat-common/bin/map-packages", "apache2", "libfoo-dev", "vim", "build-essential", "libselinux-python")
	if want := "httpd\nlibfoo-devel\nvim\ngcc gcc-c++ make\npython3-libselinux\n"; got != want || status != 0 {
		t.Errorf("= %q, status %d, want %q\n%s", got, status, want, stderr)
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// What is set for the time of the build is gone afterwards, and only that.
func TestYumCacheSettings(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	dir := library(t, "yum")
	const settings = "[main]\ngpgcheck=1\nkeepcache = 0\ncachedir=/var/cache/own\n[fedora]\nname=x\n"
	write(t, settings, dir, "dnf.conf")
	out := inRoot(t, dir, `
		mkdir -p /etc/dnf; cp /hooks/dnf.conf /etc/dnf/dnf.conf; : >/etc/yum.conf
		rm -f /usr/bin/dnf5 /usr/local/bin/dnf5
		/hooks/pre-install.d/00-01-yum-keepcache
		cat /etc/dnf/dnf.conf /etc/yum.conf
		echo own=1 >>/etc/dnf/dnf.conf
		/hooks/post-install.d/99-reset-yum-conf
		echo -; cat /etc/dnf/dnf.conf /etc/yum.conf
		printf '#!/bin/sh\n' >/usr/local/bin/dnf5; chmod 755 /usr/local/bin/dnf5
		/hooks/pre-install.d/00-01-yum-keepcache
		echo -; cat /etc/yum.conf
		/hooks/post-install.d/99-reset-yum-conf
		echo -; cat /etc/yum.conf`)
	want := "[main]\nkeepcache=1\ncachedir=/tmp/yum\ngpgcheck=1\n#dib#keepcache = 0\n#dib#cachedir=/var/cache/own\n[fedora]\nname=x\n" +
		"[main]\nkeepcache=1\ncachedir=/tmp/yum\n-\n" + settings + "own=1\n[main]\n-\n" +
		"[main]\nkeepcache=1\ncachedir=/tmp/yum\nsystem_cachedir=/tmp/yum\n-\n[main]\n"
	if out != want {
		t.Errorf("gave\n%s\nwant\n%s", out, want)
	}
}

func TestRpmDistro(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	dir := library(t, "rpm-distro", "redhat-common")
	write(t, "[fedora]\n#baseurl=http://download.example/pub/fedora/linux/releases/$releasever/os/\nmetalink=https://m.example.org/x\ngpgcheck=1\n", dir, "fedora.repo")
	write(t, `#!/bin/bash
case "$*" in
    "-q kernel-core") ;;
    "-q --qf"*) printf '6.9-1.fc40\n6.10-1.fc40\n6.2-9.fc40\n' ;;
    "-qa "*) for v in 6.9-1.fc40 6.10-1.fc40 6.2-9.fc40; do echo "$v kernel-modules-$v.x86_64"; echo "$v kernel-core-$v.x86_64"; done ;;
    *) echo "rpm $*" ;;
esac
`, dir, "rpm")
	out := inRoot(t, dir, `
		printf '#!/bin/sh\necho "visudo $*"\n' >/usr/local/sbin/visudo; chmod 755 /usr/local/sbin/visudo
		install -m 755 /hooks/rpm /usr/local/sbin/rpm
		printf 'Defaults    requiretty\nDefaults    env_reset\nDefaults    secure_path = /sbin:/bin\n' >/etc/sudoers
		mkdir -p /etc/dnf/vars /etc/yum.repos.d; cp /hooks/fedora.repo /etc/yum.repos.d
		export ARCH=amd64 DISTRO_NAME=fedora DIB_DISTRIBUTION_MIRROR=http://mirror.example.org/fedora/
		echo uninitialized >/etc/machine-id
		for hook in /hooks/pre-install.d/*; do $hook; done
		cat /etc/machine-id
		/hooks/pre-install.d/00-usr-local-bin-secure-path
		cat /etc/sudoers /etc/dnf/vars/* /etc/yum.repos.d/fedora.repo
		rm -f /etc/sysconfig/network
		/hooks/post-install.d/06-network-config-nonzeroconf; /hooks/post-install.d/06-network-config-nonzeroconf
		cat /etc/sysconfig/network
		DIB_DISABLE_KERNEL_CLEANUP=1 /hooks/finalise.d/01-clean-old-kernels
		DIB_DISABLE_KERNEL_CLEANUP=0 /hooks/finalise.d/01-clean-old-kernels
		if ARCH=sparc /hooks/pre-install.d/01-override-yum-arch 2>&1; then exit 1; fi`)
	want := "visudo -cqf /etc/sudoers\nvisudo -cqf /etc/sudoers\n00000000000000000000000000000001\nvisudo -cqf /etc/sudoers\n" +
		"Defaults    env_reset\nDefaults    secure_path = /sbin:/bin:/usr/local/bin\nx86_64\nx86_64\n" +
		"[fedora]\nbaseurl=http://mirror.example.org/fedora/releases/$releasever/os/\ngpgcheck=1\nNOZEROCONF=yes\n" +
		"rpm -e kernel-core-6.2-9.fc40.x86_64 kernel-modules-6.2-9.fc40.x86_64\nrpm -e kernel-core-6.9-1.fc40.x86_64 kernel-modules-6.9-1.fc40.x86_64\n" +
		"the architecture sparc is not known to distributions of rpm\n"
	if out != want {
		t.Errorf("gave\n%s\nwant\n%s", out, want)
	}
}

// Every mount point gets its labels, the root also below what is mounted on it.
func TestSelinuxLabels(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	dir := library(t, "selinux-fixfiles-restore")
	out := inRoot(t, dir, `
		exec 2>&1
		# A stand-in for setfiles says what it sees in a directory that is mounted on.
		root=/tmp/image; mkdir -p $root/bin $root/usr/sbin $root/dev $root/etc/selinux
		export TARGET_ROOT=$root DIB_MOUNTPOINTS='/|/boot|/boot/efi'
		/hooks/cleanup.d/99-selinux-fixfiles-restore
		cp "$(command -v busybox)" $root/bin/sh
		contexts=$root/etc/selinux/minimum/contexts/files/file_contexts
		mkdir -p "${contexts%/*}"; : >$contexts; echo SELINUXTYPE=minimum >$root/etc/selinux/config
		/hooks/cleanup.d/99-selinux-fixfiles-restore && exit 1
		printf '#!/bin/sh\necho "$*: $(echo /dev/*)"\n' >$root/usr/sbin/setfiles; chmod 755 $root/usr/sbin/setfiles
		mount -t tmpfs none $root/dev; : >$root/dev/mounted
		/hooks/cleanup.d/99-selinux-fixfiles-restore`)
	want := "The image has no policy of SELinux\n" +
		"the image has a policy of SELinux, and no /usr/sbin/setfiles to set labels with; add the package policycoreutils\n" +
		"-F -m /etc/selinux/minimum/contexts/files/file_contexts /: /dev/*\n" +
		"-F -m /etc/selinux/minimum/contexts/files/file_contexts /boot: /dev/mounted\n"
	if out != want {
		t.Errorf("gave\n%s\nwant\n%s", out, want)
	}
}

// The repositories of a bootstrap are those of the user, or of an element, with
// the mirror that was asked for.
func TestYumChrootRepositories(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	dir := t.TempDir()
	write(t, "#!/bin/bash\nfor a in \"$@\"; do case $a in -C) echo cache only ;; --setopt=reposdir=*) grep -hE '^#?(baseurl|metalink)' ${a#*=*=}/*.repo ;; --releasever*) echo $a ;; esac; done\n"+
		"cat ~/.rpmmacros; mountpoint -q $TARGET_ROOT/proc && mountpoint -q $TARGET_ROOT/sys && echo mounted; exit 9\n", dir, "bin", "dnf")
	write(t, "baseurl=http://mine.example.org/\n", dir, "mine", "mine.repo")
	for _, test := range []struct{ env, want string }{
		{"", "--releasever=43\n#baseurl=http://download.example/pub/fedora/linux/releases/$releasever/Everything/$basearch/os/\n" +
			"metalink=https://mirrors.fedoraproject.org/metalink?repo=fedora-$releasever&arch=$basearch\n"},
		{"DIB_DISTRIBUTION_MIRROR=http://m.example.org/f/", "--releasever=43\nbaseurl=http://m.example.org/f/releases/$releasever/Everything/$basearch/os/\n" +
			"baseurl=http://m.example.org/f/updates/$releasever/Everything/$basearch/\n%_dbpath /usr/lib/sysimage/rpm\n"},
		{"DIB_YUM_MINIMAL_BOOTSTRAP_REPOS=" + dir + "/mine", "--releasever=43\nbaseurl=http://mine.example.org/\n%_dbpath"},
		{"DIB_OFFLINE=1", "--releasever=43\n#baseurl=http://download.example/pub/fedora/linux/releases/$releasever/Everything/$basearch/os/\n" +
			"metalink=https://mirrors.fedoraproject.org/metalink?repo=fedora-$releasever&arch=$basearch\n" +
			"#baseurl=http://download.example/pub/fedora/linux/updates/$releasever/Everything/$basearch/\n" +
			"metalink=https://mirrors.fedoraproject.org/metalink?repo=updates-released-f$releasever&arch=$basearch\ncache only\n"},
		{"TMP_HOOKS_PATH=/nowhere", "no element has a directory yum.repos.d"},
	} {
		env := []string{"DIB_RELEASE=43", "DISTRO_NAME=fedora", "ARCH=x86_64", "DIB_IMAGE_CACHE=" + dir + "/cache", "TARGET_ROOT=" + dir + "/root",
			"TMP_HOOKS_PATH=" + library(t, "fedora-minimal"), test.env}
		got, stderr, status := run(t, dir+"/bin:"+shims(t), env, "yum-minimal/root.d/08-yum-chroot")
		if status == 0 || !strings.HasPrefix(got+stderr, test.want) || strings.Contains(got, "_dbpath") != strings.Contains(got, "\nmounted\n") {
			t.Errorf("%s: status %d,\n%s\nwant\n%s", test.env, status, got+stderr, test.want)
		}
	}
}

// Without a file of the user's, that of an element is built, for its release.
func TestContainerfileOfElement(t *testing.T) {
	dir := t.TempDir()
	write(t, "#!/bin/bash\nwhile [ $# -gt 0 ]; do case $1 in --file) head -n 2 \"$2\" ;; --platform | --build-arg) echo $1 $2 ;; esac; shift; done; exit 9\n", dir, "docker")
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"TARGET_ROOT=" + dir, "ARCH=aarch64", "DIB_IMAGE_CACHE=" + dir, "DIB_CONTAINERFILE_RUNTIME=docker", "DIB_RELEASE=43", "IMAGE_ELEMENT=containerfile fedora-container",
		"BASH_FUNC_get_image_element_array%%=() { echo '[containerfile]=" + here + "/containerfile [fedora-container]=" + here + "/fedora-container'; }"}
	got, stderr, status := run(t, dir, env, "containerfile/root.d/08-containerfile")
	if want := "ARG DIB_RELEASE\nFROM docker.io/library/fedora:${DIB_RELEASE}\n--platform linux/arm64\n--build-arg DIB_RELEASE=43\n"; got != want || status != 9 {
		t.Errorf("status %d, %q, want %q\n%s", status, got, want, stderr)
	}
	_, stderr, status = run(t, dir, append(env, "IMAGE_ELEMENT=containerfile"), "containerfile/root.d/08-containerfile")
	if status != 1 || !strings.Contains(stderr, "there is no Containerfile of an element for release 43") {
		t.Errorf("status %d, %q", status, stderr)
	}
}
