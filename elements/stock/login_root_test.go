package stock_test

import (
	"testing"

	"github.com/dibgraph/dibgraph/internal/testroot"
)

func TestDynamicLogin(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	for _, test := range []struct{ line, want string }{
		{`quiet "rootpwd=$6$a" sshkey="ssh-rsa AAA who" ro`, "$6$a\n600\nssh-rsa AAA who\n"},
		{`rootpwd="$6$b" root=LABEL=x`, "$6$b\nno key\n"},
		{`sshkey=one-word nosshkey=other`, "*\n600\none-word\n"},
		{`myrootpwd="$6$c"`, "*\nno key\n"},
	} {
		out := inRoot(t, library(t, "dynamic-login"), `
			usermod -p '*' root
			rm -rf /root/.ssh
			cat >/tmp/line <<'END'
`+test.line+`
END
			mount --bind /tmp/line /proc/cmdline
			/hooks/static/usr/local/bin/dynamic-login
			getent shadow root | cut -d : -f 2
			if [ -e /root/.ssh/authorized_keys ]; then
				stat -c %a /root/.ssh/authorized_keys
				cat /root/.ssh/authorized_keys
			else
				echo no key
			fi`)
		if out != test.want {
			t.Errorf("%s: %q, want %q", test.line, out, test.want)
		}
	}
}

func TestSysctl(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	out := inRoot(t, library(t, "sysctl"), `
		export PATH=/hooks/bin:$PATH
		rm -rf /etc/sysctl.d
		before=$(cat /proc/sys/kernel/printk)
		sysctl-set-value kernel.printk "1 2 3 4" "quiet"
		sysctl-set-value kernel.printk "1 2 3 4"
		cat /etc/sysctl.d/kernel.printk.conf
		sysctl-set-value kernel.printk "4 3 2 1" 2>&1 || echo refused
		sysctl-set-value no.such 1 2>/dev/null || echo refused
		sysctl-write-value no.such 1
		cat /etc/sysctl.d/no.such.conf
		[ "$(cat /proc/sys/kernel/printk)" = "$before" ]`)
	want := "# quiet\nkernel.printk = 1 2 3 4\n" +
		"sysctl-write-value: kernel.printk is to be \"4 3 2 1\", but /etc/sysctl.d/kernel.printk.conf has: kernel.printk = 1 2 3 4\nrefused\nrefused\n" +
		"# Set while this image was built.\nno.such = 1\n"
	if out != want {
		t.Errorf("sysctl gave\n%s\nwant\n%s", out, want)
	}
}

// Only the kernel that boots stays, with all that belongs to it.
func TestCleanupKernelInitrd(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	dir := library(t, "cleanup-kernel-initrd", "../../steps/lib")
	out := inRoot(t, dir, `
		export PATH=/hooks/bin:$PATH _LIB=/hooks TARGET_ROOT=/tmp/root
		mkdir -p /tmp/root/boot/grub /tmp/root/etc; echo 12 >/tmp/root/etc/debian_version
		for version in 6.1.0-9-amd64 6.1.0-10-amd64 6.1.0-10-amd64-extra; do
			touch /tmp/root/boot/{vmlinuz,initrd.img,config,System.map}-$version
		done
		rm /tmp/root/boot/vmlinuz-6.1.0-10-amd64-extra
		/hooks/cleanup.d/99-cleanup-kernel-initrd
		ls /tmp/root/boot`)
	want := "Removing kernel 6.1.0-9-amd64\nSystem.map-6.1.0-10-amd64\nSystem.map-6.1.0-10-amd64-extra\nconfig-6.1.0-10-amd64\nconfig-6.1.0-10-amd64-extra\n" +
		"grub\ninitrd.img-6.1.0-10-amd64\ninitrd.img-6.1.0-10-amd64-extra\nvmlinuz-6.1.0-10-amd64\n"
	if out != want {
		t.Errorf("it left\n%s\nwant\n%s", out, want)
	}
}

func TestAptSettings(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	dir := library(t, "apt-conf", "apt-sources", "apt-preferences", "../../steps/lib")
	out := inRoot(t, dir, `
		export PATH=/hooks/bin:$PATH TMP_MOUNT_PATH=/tmp/root
		for hook in /hooks/extra-data.d/*; do $hook; done
		test ! -e /tmp/root || echo something
		echo 'APT::X "1";' >/tmp/conf; echo 'deb x y z' >/tmp/list
		echo '{"packages": [{"package": "a", "version": "1:2"}, {"package": "b", "version": "3"}]}' >/tmp/manifest
		export DIB_APT_CONF=/tmp/conf DIB_APT_SOURCES=/tmp/list DIB_DPKG_MANIFEST=/tmp/manifest
		for hook in /hooks/extra-data.d/*; do $hook; done
		cat /tmp/root/etc/apt/{apt.conf,sources.list,preferences}
		for variable in DIB_APT_CONF DIB_APT_SOURCES DIB_DPKG_MANIFEST; do
			for hook in /hooks/extra-data.d/*; do env $variable=/none $hook 2>&1 || true; done
		done`)
	want := "APT::X \"1\";\ndeb x y z\nPackage: a\nPin: version 1:2\nPin-Priority: 1001\n\nPackage: b\nPin: version 3\nPin-Priority: 1001\n" +
		"DIB_APT_CONF names \"/none\", which is no file that can be read\nDIB_APT_SOURCES names \"/none\", which is no file that can be read\n" +
		"DIB_DPKG_MANIFEST names \"/none\", which is no file that can be read\n"
	if out != want {
		t.Errorf("it left\n%s\nwant\n%s", out, want)
	}
}
