package steps

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/internal/mount"
)

// emptyFile is what hooks see in place of a hidden file.
const emptyFile = RunDir + "/empty"

// Hide covers directories and files of the host, the store above all, while hooks
// run: they find an empty directory or file, which is no input. What has a
// directory in it that hooks work in is not hidden. Call it before anything runs.
//
// It keeps hooks from reading by the way what is not theirs, and no more than
// that: root can unmount what covers something.
func (s *Site) Hide(paths ...string) {
	for _, path := range paths {
		needed := func(dir string) bool {
			_, in := below(path, dir)
			return in && dir != ""
		}
		if slices.ContainsFunc(append([]string{s.WorkDir, s.ImageCache, s.Files.Home}, s.HostDirs...), needed) {
			continue
		}
		s.hidden = append(s.hidden, path)
		s.Files.Ignored = append(s.Files.Ignored, path)
	}
}

// hide covers what is hidden, until the function it returns is called. No process
// of a hook may be left then.
func (t tree) hide() (reveal func() error, err error) {
	before, err := mount.Self()
	if err != nil {
		return nil, err
	}
	var covered []string
	for _, path := range t.Hidden {
		real, err := filepath.EvalSymlinks(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // there is nothing to see
		}
		if err == nil {
			err = cover(real)
		}
		if err != nil {
			return nil, fmt.Errorf("hide %s from hooks: %w", path, err)
		}
		covered = append(covered, real)
	}
	return func() error { return uncover(covered, before) }, nil
}

func cover(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return mount.Type("tmpfs", "tmpfs", path, unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "mode=0755,size=4k")
	}
	if err := os.WriteFile(emptyFile, nil, 0o444); err != nil {
		return err
	}
	return mount.Bind(emptyFile, path, true)
}

// uncover unmounts what was mounted at or below the paths since, last first. A
// hook may have unmounted some of it itself.
func uncover(paths []string, before []mount.Info) error {
	if len(paths) == 0 {
		return nil
	}
	infos, err := mount.Self()
	if err != nil {
		return err
	}
	for _, m := range slices.Backward(infos) {
		old := slices.ContainsFunc(before, func(b mount.Info) bool { return b.ID == m.ID })
		at := slices.ContainsFunc(paths, func(path string) bool { _, in := below(path, m.Point); return in })
		if old || !at {
			continue
		}
		if err := mount.Unmount(m.Point); err != nil {
			return fmt.Errorf("show again what was hidden from hooks: %w", err)
		}
	}
	return nil
}
