package stock_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dibgraph/dibgraph/internal/testroot"
)

// inRoot runs a script as root of a copy of this machine's own root that
// forgets all changes: an overlay in a mount namespace that dies with the
// script. The directory dir is /hooks there.
func inRoot(t *testing.T, dir, script string) string {
	t.Helper()
	const enter = `
set -eu
mount -t tmpfs none "$2/scratch"
mkdir "$2/scratch/upper" "$2/scratch/work" "$2/scratch/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$2/scratch/upper,workdir=$2/scratch/work" "$2/scratch/root"
root=$2/scratch/root
mkdir -p "$root/hooks"
mount --bind "$1" "$root/hooks"
mount -t tmpfs none "$root/tmp"
mount --rbind /dev "$root/dev"
mount -t proc none "$root/proc"
exec chroot "$root" /bin/bash -eu -o pipefail -c "$3"
`
	scratch := t.TempDir()
	if err := os.Mkdir(filepath.Join(scratch, "scratch"), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-c", enter, "bash", dir, scratch, script)
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "DIB_DEBUG_TRACE=0"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// library copies elements of the library into a merged hooks tree.
func library(t *testing.T, elements ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, element := range elements {
		if out, err := exec.CommandContext(t.Context(), "cp", "-a", element+"/.", dir).CombinedOutput(); err != nil {
			t.Fatalf("copy %s: %v: %s", element, err, out)
		}
	}
	return dir
}

func TestInstallStatic(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	dir := library(t, "install-static")
	write(t, "new", dir, "static", "srv", "sub dir", "new file")
	write(t, "#!/bin/sh\n", dir, "static", "srv", "tool")
	write(t, "changed", dir, "static", "srv", "kept-mode")
	write(t, "own", dir, "static", "srv", "was-link")
	write(t, "under", dir, "static", "bin", "through-link")
	for _, litter := range []string{"x.bak", "y~", "core", ".git/config", "z.o"} {
		write(t, "litter", dir, "static", "srv", litter)
	}
	if err := os.Symlink("tool", filepath.Join(dir, "static", "srv", "link")); err != nil {
		t.Fatal(err)
	}
	out := inRoot(t, dir, `
		mkdir -p /srv
		rm -rf /bin; mkdir -p /usr/bin; ln -sfT usr/bin /bin
		echo old >/srv/kept-mode; chmod 0600 /srv/kept-mode
		echo target >/srv/target; ln -s target /srv/was-link
		/hooks/install.d/10-install-static-files
		cd /srv
		find . | LC_ALL=C sort
		stat -c '%a %U' tool kept-mode
		cat kept-mode target was-link 'sub dir/new file' /usr/bin/through-link; echo
		readlink link; test ! -L was-link; test -L /bin`)
	want := ".\n./kept-mode\n./link\n./sub dir\n./sub dir/new file\n./target\n./tool\n./was-link\n" +
		"755 root\n600 root\nchangedtarget\nownnewunder\ntool\n"
	if out != want {
		t.Errorf("install-static gave\n%s\nwant\n%s", out, want)
	}
}

func TestInstallBin(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	dir := library(t, "install-bin")
	write(t, "not a script", dir, "bin", "tool-a")
	if err := os.Symlink("tool-a", filepath.Join(dir, "bin", "tool-b")); err != nil {
		t.Fatal(err)
	}
	out := inRoot(t, dir, `/hooks/pre-install.d/01-install-bin; stat -c '%n %a %U:%G %F' /usr/local/bin/tool-?`)
	if want := "/usr/local/bin/tool-a 755 root:root regular file\n/usr/local/bin/tool-b 755 root:root regular file\n"; out != want {
		t.Errorf("install-bin gave %q, want %q", out, want)
	}
}

// apt is a stand-in for the real one: it says how it is called, and holds what
// it does while downloading against anyone else who downloads.
const apt = `#!/bin/bash
set -eu
echo "$(basename "$0") $*" >>/hooks/calls
case " $* " in
    *" --download-only "*)
        mkdir /var/cache/apt/archives/busy || { echo "two downloads at once" >&2; exit 1; }
        sleep 0.2
        rmdir /var/cache/apt/archives/busy
        ;;
esac
`

func TestSharedPackageCache(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	dir := library(t, "dpkg")
	write(t, apt, dir, "fake-apt")
	out := inRoot(t, dir, `
		mkdir -p /var/cache/apt/archives /usr/local/sbin
		for tool in apt-get apt; do
			install -m 0755 /hooks/fake-apt /usr/bin/$tool
			install -m 0755 /hooks/apt-cache/apt-shared /usr/local/sbin/$tool
		done
		apt-get clean
		echo "- without the cache" >>/hooks/calls
		mount -t tmpfs none /var/cache/apt/archives
		touch /var/cache/apt/archives/kept.deb /var/cache/apt/pkgcache.bin
		apt-get clean
		test -e /var/cache/apt/pkgcache.bin || echo gone
		ls /var/cache/apt/archives
		apt-get -o A=install -t stable install -y one
		apt remove two
		apt-get update
		echo "- at once" >>/hooks/calls
		for i in 1 2 3 4 5; do apt-get install -y x & done
		for i in 1 2 3 4 5; do wait -n; done
		cat /hooks/calls`)
	head, _, _ := strings.Cut(out, "- at once\n")
	want := `gone
kept.deb
apt-get clean
- without the cache
apt-get -o A=install -t stable install -y one -qq --download-only
apt-get -o Debug::NoLocking=true -o APT::Keep-Downloaded-Packages=true -o A=install -t stable install -y one
apt -o Debug::NoLocking=true remove two
apt-get update
`
	if head != want {
		t.Errorf("calls were\n%s\nwant\n%s", head, want)
	}
	if n := strings.Count(out, "install -y x"); n != 10 {
		t.Errorf("%d calls for five installs at once, want 10:\n%s", n, out)
	}
}

// What the package scripts of a kernel ask for many times is done once.
func TestInitramfsIsMadeOnce(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	dir := library(t, "dpkg")
	out := inRoot(t, dir, `
		export DIB_ROOT_FSTYPE=xfs
		rm -rf /boot; mkdir -p /boot /lib/modules/6.1-a /lib/modules/6.1-b
		touch /boot/vmlinuz-6.1-a /boot/vmlinuz-6.1-b /boot/vmlinuz-6.1-gone
		printf '#!/bin/sh\necho "real $*"; cat /etc/initramfs-tools/conf.d/dib-build; touch /boot/initrd.img-$3\n' >/usr/sbin/update-initramfs
		chmod 0755 /usr/sbin/update-initramfs
		cd /
		/hooks/pre-install.d/00-defer-initramfs
		echo "- nothing asked"; /hooks/install.d/02-build-initramfs
		update-initramfs -c -k 6.1-a >/dev/null; update-initramfs -u >/dev/null
		echo "- asked twice"; /hooks/install.d/02-build-initramfs
		echo "- not asked again"; /hooks/install.d/02-build-initramfs
		echo "- removal"; update-initramfs -d -k 6.1-b
		update-initramfs -u >/dev/null
		echo "- asked again"; /hooks/post-install.d/98-build-initramfs
		echo "- at once"; update-initramfs -u -k x
		ls /etc/initramfs-tools/conf.d/dib-build /usr/sbin/update-initramfs.deferred /var/lib/dib-initramfs-wanted 2>/dev/null || true`)
	const settings = "FSTYPE=xfs\nCOMPRESSLEVEL=3\n"
	want := "- nothing asked\n- asked twice\nreal -c -k 6.1-a\n" + settings + "real -c -k 6.1-b\n" + settings +
		"- not asked again\n- removal\nreal -d -k 6.1-b\n" +
		"- asked again\nreal -u -k 6.1-a\n" + settings + "real -u -k 6.1-b\n" + settings +
		"- at once\nreal -u -k x\n"
	out = strings.ReplaceAll(out, "cat: /etc/initramfs-tools/conf.d/dib-build: No such file or directory\n", "")
	if out != want {
		t.Errorf("gave\n%s\nwant\n%s", out, want)
	}
}
