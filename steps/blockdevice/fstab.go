package blockdevice

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// create makes nothing: the line is written when the tree is there.
func (*fstabLine) create(context.Context, *State) error { return nil }

// Fstab returns the content of /etc/fstab: a line for each mount that has an
// fstab node, in the order of mounting.
func (l *Layout) Fstab() string {
	lines := map[string]*fstabLine{}
	for _, n := range l.order {
		if line, ok := n.(*fstabLine); ok && len(line.bases) == 1 {
			lines[line.bases[0]] = line
		}
	}
	var text strings.Builder
	for _, m := range mounts(l.order) {
		line, ok := lines[m.name]
		if !ok {
			continue
		}
		f := l.filesystemOf(m)
		if f.fstype == "swap" {
			fmt.Fprintf(&text, "LABEL=%s none swap sw 0 0\n", f.label)
			continue
		}
		fmt.Fprintf(&text, "LABEL=%s %s %s %s %s %s\n", f.label, escape(m.point), f.fstype, line.options, line.dump, line.pass)
	}
	return text.String()
}

// escape writes blanks as fstab(5) wants them.
func escape(point string) string {
	return strings.NewReplacer(" ", `\040`, "\t", `\011`, "\n", `\012`, `\`, `\134`).Replace(point)
}

// WriteFstab replaces the file at path, its directory made if need be. What is
// there is never written into: it may be a link. The file is as old as its
// directory was before, and that stays so: when it was written says nothing.
func (l *Layout) WriteFstab(path string) error {
	if err := l.writeFstab(path); err != nil {
		return fmt.Errorf("write fstab: %w", err)
	}
	return nil
}

func (l *Layout) writeFstab(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.WriteFile(path, []byte(l.Fstab()), 0o644); err != nil {
		return err
	}
	// Whatever the umask.
	if err := os.Chmod(path, 0o644); err != nil {
		return err
	}
	when := info.ModTime()
	return errors.Join(os.Chtimes(path, when, when), os.Chtimes(dir, when, when))
}
