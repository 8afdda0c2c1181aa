package elements

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// CanDeliver returns an error if no file can be made in the directory of the
// outputs, as on a filesystem that is mounted read-only. It says so before there
// is anything to deliver.
func (i *Image) CanDeliver() error {
	d := &i.Definition
	err := unix.Faccessat(unix.AT_FDCWD, d.path(d.OutputDir), unix.W_OK|unix.X_OK, unix.AT_EACCESS)
	if err != nil {
		return fmt.Errorf("build %s: write to the output directory %q: %w", d.Name, d.OutputDir, err)
	}
	return nil
}
