package stock_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dibgraph/dibgraph/internal/testroot"
)

// imageKinds make an image of the directory tree, under the name image.
var imageKinds = map[string]string{
	"tar":         `tar -C tree -cf image .`,
	"tar.xz":      `tar -C tree -cJf image .`,
	"squashfs":    `mksquashfs tree image -quiet -no-progress`,
	"qcow2":       disk + `qemu-img convert -f raw -O qcow2 disk image`,
	"qcow2.xz":    disk + `qemu-img convert -f raw -O qcow2 disk small; xz -0 -c small >image`,
	"raw disk.gz": disk + `gzip -1 -c disk >image`,
}

// disk has a partition for nothing, one for /boot and one for the root.
const disk = `
mkdir boot && mv tree/boot/vmlinuz-6.1 boot
truncate -s 24M disk
printf 'size=1M, type=L\nsize=6M, type=L\ntype=L\n' | sfdisk -q --label gpt disk
truncate -s 6M boot.img && mkfs.ext4 -q -d boot boot.img
truncate -s 15M root.img && mkfs.ext4 -q -d tree root.img
dd if=boot.img of=disk bs=1M seek=2 conv=notrunc status=none
dd if=root.img of=disk bs=1M seek=8 conv=notrunc status=none
`

func TestExtractImage(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	const tree = `
mkdir -p tree/etc tree/usr/lib tree/boot
echo NAME=x >tree/usr/lib/os-release
ln -s ../usr/lib/os-release tree/etc/os-release
echo kernel >tree/boot/vmlinuz-6.1
echo secret >tree/etc/shadow && chmod 0640 tree/etc/shadow && chown 7:9 tree/etc/shadow
`
	want := "./boot/vmlinuz-6.1 644 0:0\n./etc/shadow 640 7:9\n./usr/lib/os-release 644 0:0\n../usr/lib/os-release\n"
	for kind, script := range imageKinds {
		t.Run(kind, func(t *testing.T) {
			dir := t.TempDir()
			sh(t, dir, tree+script+"\nmkdir target")
			out, stderr, status := run(t, shims(t), []string{"TARGET_ROOT=" + dir + "/target", "TMP_DIR=" + dir}, "sysprep/bin/extract-image", dir+"/image")
			if status != 0 {
				t.Fatalf("status %d\n%s%s", status, out, stderr)
			}
			if got := sh(t, dir+"/target", `find . -type f -printf '%p %m %U:%G\n' | sort; readlink etc/os-release`); got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
			if left, _ := filepath.Glob(dir + "/tmp.*"); len(left) > 0 {
				t.Errorf("it left %q", left)
			}
		})
	}
}

// As a btrfs has them: the root is a directory beside others.
func TestExtractImageSubvolumes(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	dir := t.TempDir()
	sh(t, dir, `
mkdir -p tree/{root/{etc,usr/lib,var},home/user,var/lib,other/x} target
echo NAME=x >tree/root/usr/lib/os-release && ln -s ../usr/lib/os-release tree/root/etc/os-release
printf '# UUID=a /other btrfs subvol=other\nUUID=a / btrfs subvol=root 0 0\nUUID=a /home btrfs subvol=/home,ro\nUUID=a /var btrfs ro,subvol=var\nUUID=b /boot ext4 subvol=other\n' >tree/root/etc/fstab
truncate -s 12M image && echo type=L | sfdisk -q image && truncate -s 10M part && mkfs.ext4 -q -d tree part
dd if=part of=image bs=1M seek=1 conv=notrunc status=none`)
	if out, stderr, status := run(t, shims(t), []string{"TARGET_ROOT=" + dir + "/target", "TMP_DIR=" + dir}, "sysprep/bin/extract-image", dir+"/image"); status != 0 {
		t.Fatalf("status %d\n%s%s", status, out, stderr)
	}
	if got, want := sh(t, dir+"/target", "find . | LC_ALL=C sort | tr '\n' ' '"), ". ./etc ./etc/fstab ./etc/os-release ./home ./home/user ./usr ./usr/lib ./usr/lib/os-release ./var ./var/lib "; got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}

func TestExtractImageRefuses(t *testing.T) {
	testroot.Require(t)
	testroot.CheckMounts(t)
	for script, want := range map[string]string{
		"echo text >image": "neither an archive of tar, nor a squashfs",
		"mkdir tree && truncate -s 8M image && echo type=L | sfdisk -q image && truncate -s 7M part && mkfs.ext4 -q part && dd if=part of=image bs=1M seek=1 conv=notrunc status=none": "no partition has /etc/os-release",
		"true": "image",
	} {
		dir := t.TempDir()
		sh(t, dir, script+"\nmkdir target")
		_, stderr, status := run(t, shims(t), []string{"TARGET_ROOT=" + dir + "/target", "TMP_DIR=" + dir}, "sysprep/bin/extract-image", dir+"/image")
		if status == 0 || !strings.Contains(stderr, want) {
			t.Errorf("%s: status %d, %q, want %q in it", script, status, stderr, want)
		}
	}
}

// The form of diskimage-builder fetches first, but for a file of the user's.
func TestExtractImageFetches(t *testing.T) {
	testroot.Require(t)
	dir, bin := t.TempDir(), library(t, "sysprep", "cache-url")
	sh(t, dir, "mkdir tree target && echo one >tree/file && tar -C tree -cf upstream.tar .")
	extract := func(want string, env ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), bin+"/bin/extract-image", "image", "image.tgz", "file://"+dir+"/upstream.tar", dir+"/cached")
		cmd.Env = append(env, "PATH="+shims(t)+":"+os.Getenv("PATH"), "TARGET_ROOT="+dir+"/target")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if got := sh(t, dir, "cat target/file; rm target/file"); got != want {
			t.Errorf("with %q: %q, want %q", env, got, want)
		}
	}
	extract("one\n")
	sh(t, dir, "echo two >tree/file && tar -C tree -cf upstream.tar . && touch -d '+1 hour' upstream.tar")
	extract("one\n", "DIB_OFFLINE=1")
	extract("one\n", "DIB_LOCAL_IMAGE="+dir+"/cached")
	extract("two\n")
}

// sh runs a script in a directory and returns what it prints.
func sh(t *testing.T, dir, script string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", "-eu", "-o", "pipefail", "-c", script)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}

// shims is the directory of programs that hooks on the host find first.
func shims(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../steps/lib/bin")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
