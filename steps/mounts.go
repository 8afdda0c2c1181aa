package steps

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/internal/mount"
	"golang.org/x/sys/unix"
)

// cacheToken stands for the image cache directory in recorded mounts, so that
// states made on two machines are the same.
const cacheToken = "{image-cache}"

// mountKernel mounts proc, dev, dev/pts and sys in a root tree.
func mountKernel(root string) error {
	infos, err := mount.Self()
	if err != nil {
		return err
	}
	for _, m := range []func() error{
		func() error { return mount.Type("proc", "none", filepath.Join(root, "proc"), 0, "") },
		func() error { return mount.Bind("/dev", filepath.Join(root, "dev"), false) },
		func() error {
			return mount.Type("devpts", "devpts", filepath.Join(root, "dev/pts"), 0, devptsOptions(infos))
		},
		func() error { return mount.Type("sysfs", "none", filepath.Join(root, "sys"), unix.MS_RDONLY, "") },
	} {
		if err := m(); err != nil {
			return fmt.Errorf("kernel filesystems of the image: %w", err)
		}
	}
	return nil
}

// kernelPoints are what mountKernel and bindHooks mount, in the order in
// which they can be unmounted.
var kernelPoints = []string{InTarget, "/sys", "/dev/pts", "/dev", "/proc"}

// devptsOptions returns the options of the host's own /dev/pts.
func devptsOptions(infos []mount.Info) string {
	for _, m := range slices.Backward(infos) {
		if m.Point == "/dev/pts" && m.FSType == "devpts" {
			options := slices.DeleteFunc(strings.Split(m.Super, ","), func(o string) bool { return o == "rw" || o == "ro" })
			return strings.Join(options, ",")
		}
	}
	return "mode=620,ptmxmode=666"
}

// restoreMounts makes again what earlier hooks left mounted in the image.
func restoreMounts(mounts []graph.Mount, imageCache string) error {
	for _, m := range mounts {
		if err := restoreMount(m, imageCache); err != nil {
			return fmt.Errorf("mount %s again, as an earlier hook did: %w", m.Point, err)
		}
	}
	return nil
}

func restoreMount(m graph.Mount, imageCache string) error {
	at := filepath.Join(TargetDir, m.Point)
	if m.FSType != "" {
		var flags uintptr
		if m.ReadOnly {
			flags = unix.MS_RDONLY
		}
		return mount.Type(m.FSType, m.Source, at, flags, m.Options)
	}
	source := m.Source
	if rest, ok := strings.CutPrefix(source, cacheToken); ok {
		source = imageCache + rest
		if err := os.MkdirAll(source, 0o755); err != nil {
			return err
		}
	}
	return mount.Bind(source, at, m.ReadOnly)
}

// leftMounts returns the mounts now in the image that are not this package's
// own, in the order in which they were made.
func leftMounts(imageCache string) ([]graph.Mount, error) {
	infos, err := mount.Self()
	if err != nil {
		return nil, err
	}
	var left []graph.Mount
	for _, m := range infos {
		point, ok := strings.CutPrefix(m.Point, TargetDir+"/")
		if !ok || slices.Contains(kernelPoints, "/"+point) {
			continue
		}
		left = append(left, describeMount(m, "/"+point, infos, imageCache))
	}
	return left, nil
}

// describeMount says how to make a mount again: as a bind mount of the place
// outside the image that shows the same directory, else as a filesystem of
// its type.
func describeMount(m mount.Info, point string, infos []mount.Info, imageCache string) graph.Mount {
	readOnly := slices.Contains(strings.Split(m.Options, ","), "ro")
	source, depth := "", -1
	for _, s := range infos {
		if s.ID == m.ID || s.Major != m.Major || s.Minor != m.Minor || len(s.Root) <= depth {
			continue
		}
		if rest, ok := below(s.Root, m.Root); ok && !strings.HasPrefix(s.Point, TargetDir+"/") {
			source, depth = filepath.Join(s.Point, rest), len(s.Root)
		}
	}
	if depth < 0 {
		return graph.Mount{Source: m.Source, Point: point, FSType: m.FSType, Options: m.Super, ReadOnly: readOnly}
	}
	if rest, ok := below(imageCache, source); ok && imageCache != "" {
		source = cacheToken + rest
	}
	return graph.Mount{Source: source, Point: point, ReadOnly: readOnly}
}

// below returns what follows dir in path, with its slash, if path is dir or
// is under it.
func below(dir, path string) (string, bool) {
	if dir == "/" || dir == path {
		return strings.TrimPrefix(path, dir), true
	}
	rest, ok := strings.CutPrefix(path, dir)
	return rest, ok && strings.HasPrefix(rest, "/")
}
