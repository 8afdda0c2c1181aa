package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Kernel finds out what the kernel of this machine offers to builds that keep
// their store in the directory store, which need not exist. As root it tries
// things out in a sandbox, for which the program must have called
// sandbox.MaybeRun; as an ordinary user it says that it did not.
func (m Machine) Kernel(ctx context.Context, store string) []Finding {
	findings := []Finding{m.root()}
	if os.Geteuid() == 0 {
		findings = append(findings, try(ctx, existing(store))...)
	} else {
		findings = append(findings, m.untried()...)
	}
	return append(findings,
		m.filesystem("vfat", "EFI partitions; without it they are filled by mtools"),
		m.filesystem("xfs", "root filesystems of type xfs"),
		m.deviceMapper(),
		m.foreign(),
	)
}

func (m Machine) root() Finding {
	f := Finding{What: "root", For: "mounts, loop devices and chroots", State: OK}
	if uid := os.Geteuid(); uid != 0 {
		f.State = Degraded
		f.Detail = fmt.Sprintf("user %d; plan, explain and graph work, builds do not", uid)
		f.Fix = "sudo dibgraph …"
	}
	return f
}

// untried is what an ordinary user can see of the things that [try] tries.
func (m Machine) untried() []Finding {
	overlay := m.filesystem("overlay", "every step, whose writes are the upper of an overlay")
	if overlay.State != OK {
		overlay.State = Missing
	}
	loop := Finding{What: "loop devices", For: "disk images", State: OK, Detail: "not tried: needs root"}
	if !m.exists("/dev/loop-control") {
		loop.State, loop.Detail, loop.Fix = Missing, "no /dev/loop-control", loopFix
	}
	return []Finding{overlay, loop}
}

const loopFix = "modprobe loop; in a container: start it privileged, with the host's /dev"

// filesystem says whether the kernel has a filesystem, or can load it. It is
// optional.
func (m Machine) filesystem(name, why string) Finding {
	f := Finding{What: name, For: why, State: OK}
	for line := range strings.Lines(m.read("/proc/filesystems")) {
		words := strings.Fields(line)
		if len(words) > 0 && words[len(words)-1] == name {
			f.Detail = "in the kernel"
			return f
		}
	}
	if m.hasModule(name) {
		f.Detail = "a module, loaded when it is needed"
		return f
	}
	f.State, f.Detail = Degraded, "not in the running kernel"
	return f
}

// hasModule looks for a module of the running kernel in the lists that depmod
// makes, "kernel/fs/fat/vfat.ko.xz: …".
func (m Machine) hasModule(name string) bool {
	release := strings.TrimSpace(m.read("/proc/sys/kernel/osrelease"))
	for _, list := range []string{"modules.builtin", "modules.dep"} {
		for line := range strings.Lines(m.read(filepath.Join("/lib/modules", release, list))) {
			file, _, _ := strings.Cut(strings.TrimSpace(line), ":")
			if module, _, ok := strings.Cut(filepath.Base(file), ".ko"); ok && module == name {
				return true
			}
		}
	}
	return false
}

func (m Machine) deviceMapper() Finding {
	f := Finding{What: "device mapper", For: "images with logical volumes; nothing else uses it", State: OK}
	// Programs make the node without asking whether there is a driver behind it. Who may
	// not open it is told so first, and not that.
	control, err := os.Open(m.file("/dev/mapper/control"))
	switch {
	case err == nil:
		control.Close()
	case errors.Is(err, fs.ErrNotExist):
		f.State, f.Detail, f.Fix = Degraded, "no /dev/mapper/control", "modprobe dm_mod"
	case !errors.Is(err, fs.ErrPermission):
		f.State, f.Detail, f.Fix = Degraded, err.Error(), "modprobe dm_mod"
	}
	return f
}

// foreign lists the architectures whose programs run here by emulation.
func (m Machine) foreign() Finding {
	f := Finding{What: "other architectures", For: "images of an architecture this machine is not", State: OK}
	const dir = "/proc/sys/fs/binfmt_misc"
	entries, _ := os.ReadDir(m.file(dir)) // none if it is not mounted
	var usable, outside []string
	for _, entry := range entries {
		arch, ok := strings.CutPrefix(entry.Name(), "qemu-")
		registered := m.read(filepath.Join(dir, entry.Name()))
		switch {
		case !ok || !strings.HasPrefix(registered, "enabled"):
		case fixed(registered):
			usable = append(usable, arch)
		default:
			outside = append(outside, arch)
		}
	}
	f.Detail = strings.Join(usable, ", ")
	if len(usable) == 0 {
		f.State, f.Detail = Degraded, "none"
		if len(outside) > 0 {
			f.Detail = "not in a chroot, because their interpreters are registered without flag F: " + strings.Join(outside, ", ")
		}
		n := Need{What: f.What, Package: "qemu-user-static"}
		f.Package = m.Distribution().Family.provider(n.Package)
		f.Fix = m.Distribution().fix(n, f.Package)
	}
	return f
}

// fixed reports whether a registration of binfmt_misc has the flag F: the kernel
// keeps the interpreter open, so that a chroot need not have it.
func fixed(registered string) bool {
	return slices.ContainsFunc(strings.Split(registered, "\n"), func(line string) bool {
		flags, ok := strings.CutPrefix(line, "flags:")
		return ok && strings.Contains(flags, "F")
	})
}

// existing gives the nearest directory above path, or path, that exists.
func existing(path string) string {
	for ; ; path = filepath.Dir(path) {
		if info, err := os.Stat(path); err == nil && info.IsDir() || path == "/" || path == "." {
			return path
		}
	}
}

// filesystemNames are those that stores are found on, by the magic numbers of
// linux/magic.h.
var filesystemNames = map[int64]string{
	unix.EXT4_SUPER_MAGIC:      "ext4",
	unix.XFS_SUPER_MAGIC:       "xfs",
	unix.BTRFS_SUPER_MAGIC:     "btrfs",
	unix.TMPFS_MAGIC:           "tmpfs",
	unix.OVERLAYFS_SUPER_MAGIC: "overlay",
	unix.NFS_SUPER_MAGIC:       "nfs",
	unix.FUSE_SUPER_MAGIC:      "fuse",
}

// typeOf names the filesystem of a directory.
func typeOf(dir string) string {
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		return "unknown filesystem"
	}
	if name, ok := filesystemNames[stat.Type]; ok {
		return name
	}
	return fmt.Sprintf("filesystem of type %#x", stat.Type)
}
