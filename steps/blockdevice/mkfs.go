package blockdevice

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// epoch is the time that tools write into new filesystems, where they can be told one:
// 2000-01-01, a time that FAT can hold as well.
const epoch = "946684800"

func (f *filesystem) create(ctx context.Context, s *State) error {
	device := s.path(f.bases[0])
	size, err := deviceSize(device)
	if err != nil {
		return err
	}
	tool := f.mkfs(device, size, s.layout.params)
	return s.run(ctx, tool[0], tool[1:]...)
}

func deviceSize(path string) (int64, error) {
	device, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer device.Close()
	return device.Seek(0, io.SeekEnd)
}

// identifier is the UUID of the filesystem.
func (f *filesystem) identifier(p Params) string {
	if f.uuid != "" {
		return strings.ToLower(f.uuid)
	}
	return strings.ToLower(p.guid("filesystem uuid", f.name).String())
}

// mkfs returns the command that makes the filesystem on a device of size bytes. The
// environment that some tools take their time from goes before it.
func (f *filesystem) mkfs(device string, size int64, p Params) []string {
	uuid := f.identifier(p)
	command := []string{"env", "SOURCE_DATE_EPOCH=" + epoch}
	switch f.fstype {
	case "ext2", "ext3", "ext4":
		command = append(command, "E2FSPROGS_FAKE_TIME="+epoch, "mkfs."+f.fstype)
		command = append(command, f.extOptions(size).arguments(strings.ToLower(p.guid("hash seed", f.name).String()))...)
		return append(command, "-L", f.label, "-U", uuid, "-q", device)
	case "xfs":
		command = append(append(command, "mkfs.xfs"), f.opts...)
		return append(command, "-L", f.label, "-m", "uuid="+uuid, "-q", device)
	case "swap":
		// Options are for mkfs, which this is not; diskimage-builder drops
		// them too.
		return append(command, "mkswap", "-L", f.label, "-U", uuid, device)
	case "vfat", "fat":
		command = append(append(command, "mkfs.vfat"), f.opts...)
		return append(command, "-n", f.label, "-i", f.volumeID(p), device)
	default:
		// They have no common way to be told a UUID.
		command = append(append(command, "mkfs."+f.fstype), f.opts...)
		return append(command, "-L", f.label, device)
	}
}

// volumeID is what vfat has for a UUID: 32 bits.
func (f *filesystem) volumeID(p Params) string {
	if f.uuid != "" {
		return f.uuid[:8]
	}
	return fmt.Sprintf("%08x", p.uint32("volume id", f.name))
}

// Programs returns the programs of the host that Create runs to make filesystems and
// volumes, sorted.
func (l *Layout) Programs() []string {
	var all []string
	for _, n := range l.order {
		switch n := n.(type) {
		case *filesystem:
			all = append(all, n.programs()...)
		case *physical:
			all = append(all, "pvcreate", "vgcreate", "vgchange", "lvcreate", "lvchange")
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (f *filesystem) programs() []string {
	switch f.fstype {
	case "ext4":
		return []string{"mkfs.ext4", "tune2fs"}
	case "swap":
		return []string{"mkswap"}
	case "fat":
		return []string{"mkfs.vfat"}
	}
	return []string{"mkfs." + f.fstype}
}
