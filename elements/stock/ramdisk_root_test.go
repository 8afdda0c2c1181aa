package stock_test

import (
	"os/exec"
	"testing"

	"github.com/dibgraph/dibgraph/internal/testroot"
)

// dracut is told what elements want, and runs their init where it would mount a
// root.
func TestDracutRamdisk(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	dir := library(t, "ramdisk-base", "dracut-ramdisk")
	write(t, "sh\n", dir, "binary-deps.d", "own")
	write(t, "own_driver\n", dir, "dracut-drivers.d", "own")
	write(t, "echo own part\n", dir, "init.d", "90-own")
	write(t, "#!/bin/sh\necho hook >$TMP_MOUNT_PATH/of-hook\n", dir, "ramdisk-install.d", "50-own")
	if out, err := exec.CommandContext(t.Context(), "bash", "-c", `mkdir "$1/build" && cp ../../steps/lib/{common,img,ramdisk}-{defaults,functions} "$1/build" &&
		cp -r "$1/extra-data.d/scripts" "$1/build"`, "copy", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	write(t, `#!/bin/bash
while [ $# -gt 0 ]; do
    case $1 in
        --install | --add-drivers | --kver) echo "$1 $2" ;;
        --include) echo "include $(ls $2 | xargs) $(cat $2/of-hook)" ;;
    esac
    last=$1; shift
done
echo made >"$last"
`, dir, "dracut")
	out := inRoot(t, dir, `
		install -m 755 /hooks/dracut /usr/local/sbin/dracut
		for program in ip ping wget; do ln -sf /bin/true /usr/local/bin/$program; done
		rm -rf /boot; mkdir -p /boot; echo kernel >/boot/vmlinuz-6.1
		ln -s /hooks /tmp/in_target.d; cp -r /hooks/build /tmp/ramdisk-build
		unset TMPDIR
		/hooks/post-install.d/01-ensure-binaries
		/hooks/post-install.d/01-ensure-drivers
		/hooks/post-install.d/99-build-dracut-ramdisk
		cat /tmp/ramdisk /tmp/kernel
		module=/usr/lib/dracut/modules.d/80deploy-ramdisk
		ls $module; bash -n $module/init.sh; grep '^# of' $module/init.sh
		echo nowhere >>/hooks/binary-deps.d/own
		if /hooks/post-install.d/01-ensure-binaries 2>&1; then exit 1; fi`)
	want := `running ramdisk-install.d/50-own
--install awk cut grep head ip ping sed tail wget sh
include init-func of-hook udhcpc-script hook
--kver 6.1
--add-drivers virtio_blk virtio_net virtio_pci virtio_scsi own_driver
made
kernel
deploy-cmdline.sh
init.sh
module-setup.sh
# of init.d/00-override-troubleshoot
# of init.d/20-init-variables
# of init.d/30-wait-for-network
# of init.d/90-own
programs that elements want in the ramdisk are not in PATH, no element has installed them: nowhere (of own)
`
	if out != want {
		t.Errorf("gave\n%s\nwant\n%s", out, want)
	}
}
