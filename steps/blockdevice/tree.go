package blockdevice

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/internal/copytree"
	"github.com/dibgraph/dibgraph/internal/ext4"
)

// A Tree is what the filesystems of a layout are filled with.
type Tree struct {
	// Dir is its root.
	Dir string
	// Rank orders files in filesystems that are filled before they are
	// mounted, as [ext4.Options] says.
	Rank func(name string) int
	// Say is told why a filesystem that could be filled before is left to the kernel;
	// nil for nobody.
	Say func(format string, args ...any)
}

// CreateFrom makes the layout as [Layout.Create] does, and fills it. Filesystems that
// this program can write itself are filled before they are mounted, the others by the
// kernel when all are.
func (l *Layout) CreateFrom(ctx context.Context, run Runner, tree Tree) (*State, error) {
	s, err := l.create(ctx, run, &tree)
	if err != nil {
		return nil, err
	}
	for _, m := range s.mounted {
		if m.filled {
			continue
		}
		if err := s.copyInto(ctx, m); err != nil {
			return nil, errors.Join(err, s.abandon())
		}
	}
	return s, nil
}

// fill writes the part of the tree that belongs below a mount point into its
// new filesystem. It reports false if that is left to the kernel.
func (m *mountPoint) fill(ctx context.Context, s *State, f *filesystem) (filled bool, err error) {
	if s.tree == nil || f.fstype != "ext4" {
		return false, nil
	}
	disk, offset := s.window(f.bases[0])
	source := filepath.Join(s.tree.Dir, m.point)
	if info, err := os.Lstat(source); disk == nil || err != nil || !info.IsDir() {
		return false, ignoreMissing(err)
	}
	// The new filesystem has to be in the file before that is written to behind the
	// backs of its devices, and nothing of how it was in their caches afterwards: whoever
	// looks for new filesystems may read it meanwhile.
	devices := []string{s.path(f.bases[0]), disk.loop.Path}
	if err := dropCaches(devices); err != nil {
		return false, err
	}
	defer func() {
		if err == nil {
			err = dropCaches(devices)
		}
	}()
	raw, err := os.OpenFile(disk.raw, os.O_RDWR, 0)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, raw.Close()) }()
	err = ext4.Fill(ctx, raw, ext4.Options{
		Offset: offset, Source: source,
		Skip: s.mountsBelow(m.point),
		Rank: func(name string) int { return s.tree.rank(path.Join(strings.TrimPrefix(m.point, "/"), name)) },
	})
	if errors.Is(err, ext4.ErrUnsupported) {
		if s.tree.Say != nil {
			s.tree.Say("the kernel copies to %q: %v", m.point, err)
		}
		return false, nil
	}
	return err == nil, err
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (t *Tree) rank(name string) int {
	if t.Rank == nil {
		return 0
	}
	return t.Rank(name)
}

// window returns the disk that a node is on, and where it begins there; nil for
// logical volumes.
func (s *State) window(node string) (disk *attached, offset int64) {
	for _, d := range s.disks {
		if at, ok := d.places[node]; ok {
			return d, at.start
		}
	}
	return s.disks[node], 0
}

// mountsBelow returns a function that tells names below a mount point on which
// another filesystem is mounted.
func (s *State) mountsBelow(point string) func(name string) bool {
	var points []string
	for _, m := range mounts(s.layout.order) {
		if m.point != point && s.layout.filesystemOf(m).fstype != "swap" {
			points = append(points, m.point)
		}
	}
	return func(name string) bool { return slices.Contains(points, path.Join(point, name)) }
}

// dropCaches writes what the caches of block devices hold, and empties them.
func dropCaches(devices []string) error {
	for _, device := range devices {
		file, err := os.Open(device)
		if err != nil {
			return err
		}
		err = unix.IoctlSetInt(int(file.Fd()), unix.BLKFLSBUF, 0)
		if err := errors.Join(err, file.Close()); err != nil {
			return fmt.Errorf("write the cache of %s: %w", device, err)
		}
	}
	return nil
}

// copyInto copies what belongs below a mounted filesystem's mount point.
func (s *State) copyInto(ctx context.Context, m *mounted) error {
	source := filepath.Join(s.tree.Dir, m.point)
	if _, err := os.Lstat(source); err != nil {
		return ignoreMissing(err)
	}
	err := copytree.Copy(ctx, source, m.target, copytree.Options{Exclude: s.mountsBelow(m.point)})
	if err != nil {
		return fmt.Errorf("fill the filesystem of %q: %w", m.point, err)
	}
	return nil
}
