package overlay

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/dibgraph/dibgraph/internal/mount"
	"golang.org/x/sys/unix"
)

// Relink makes the upper of an overlay hold every name of each file that has
// been copied up and that a lower has under several names, except for names that
// are gone or mean another file by now. The overlay o is mounted at merged, and
// nothing writes there while Relink runs.
//
// When no such file was touched, which is nearly always, it reads one empty
// directory. Else it lists the names of the lowers, until it has found all.
// Contents are not copied again, and no times change but that of the inode.
func Relink(o mount.Overlay, merged string) error {
	if o.Upper == "" {
		return nil
	}
	entries, err := readIndex(o.Work)
	if err != nil {
		return fmt.Errorf("keep hard links: read the index: %w", err)
	}
	if len(entries) == 0 {
		return nil
	}
	r := relinker{merged: merged, upper: o.Upper, wanted: map[uint64]*group{}}
	if err := r.find(o.Lower, entries); err != nil {
		return fmt.Errorf("keep hard links: %w", err)
	}
	for _, lower := range o.Lower {
		if len(r.wanted) == 0 {
			break
		}
		if err := walk(lower, r.visit); err != nil {
			return fmt.Errorf("keep hard links: %w", err)
		}
	}
	return nil
}

// A group is a lower file with several names.
type group struct {
	copies []entry // of it; more than one only if two filesystems use one number
	names  uint64  // that have not been found yet
}

type relinker struct {
	merged, upper string
	wanted        map[uint64]*group // by inode number in the lower
}

// find looks up which lower files the index entries stand for. An entry does not
// tell the filesystem, but a handle hardly ever is good on two of them; visit
// compares the files.
func (r *relinker) find(lowers []string, entries []entry) error {
	seen := map[uint64]bool{}
	for _, lower := range lowers {
		dir, err := os.Open(lower)
		if err != nil {
			return err
		}
		info, err := dir.Stat()
		if err == nil && !seen[device(info)] {
			seen[device(info)] = true
			err = r.resolve(dir, entries)
		}
		if err := errors.Join(err, dir.Close()); err != nil {
			return err
		}
	}
	return nil
}

func device(info fs.FileInfo) uint64 {
	return uint64(info.Sys().(*syscall.Stat_t).Dev)
}

// resolve adds the groups of the entries whose file is on the filesystem of dir.
func (r *relinker) resolve(dir *os.File, entries []entry) error {
	for _, e := range entries {
		fd, err := unix.OpenByHandleAt(int(dir.Fd()), e.handle, unix.O_PATH|unix.O_CLOEXEC)
		if errors.Is(err, unix.ESTALE) || errors.Is(err, unix.EOPNOTSUPP) {
			continue // a file of another filesystem, or one that has no handles
		}
		if err != nil {
			return fmt.Errorf("open by handle on the filesystem of %q: %w", dir.Name(), err)
		}
		var stat unix.Stat_t
		err = unix.Fstat(fd, &stat)
		unix.Close(fd)
		if err != nil {
			return fmt.Errorf("lower file of %q: %w", e.path, err)
		}
		g := r.wanted[stat.Ino]
		if g == nil {
			g = &group{}
			r.wanted[stat.Ino] = g
		}
		g.copies = append(g.copies, e)
		g.names += uint64(stat.Nlink)
	}
	return nil
}

// visit gets every name in a lower that is no directory, and tells whether to go
// on.
func (r *relinker) visit(path string, inode uint64) (bool, error) {
	g := r.wanted[inode]
	if g == nil {
		return true, nil
	}
	for _, e := range g.copies {
		if err := r.link(path, e); err != nil {
			return false, fmt.Errorf("%q: %w", path, err)
		}
	}
	if g.names--; g.names == 0 {
		delete(r.wanted, inode)
	}
	return len(r.wanted) > 0, nil
}

// link makes path a name of the copy in the upper, if in the merged tree it is
// one already.
func (r *relinker) link(path string, e entry) error {
	inUpper := filepath.Join(r.upper, path)
	var there unix.Stat_t
	if err := unix.Lstat(inUpper, &there); err == nil {
		return nil // linked, or replaced, or removed
	} else if !gone(err) {
		return err
	}
	fd, err := openBeneath(r.merged, path)
	if gone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var copied, shown unix.Stat_t
	if err := errors.Join(unix.Lstat(e.path, &copied), unix.Fstat(fd, &shown)); err != nil {
		return err
	}
	if !sameFile(copied, shown) {
		return nil
	}
	if err := touch(fd, shown); err != nil {
		return err
	}
	if err := unix.Lstat(inUpper, &there); err != nil {
		return fmt.Errorf("not in the upper after it was touched: %w", err)
	}
	if there.Ino != copied.Ino || there.Dev != copied.Dev {
		return errors.New("the kernel has copied the file instead of linking it")
	}
	return nil
}

// touch sets attributes to what they are. Any change of attributes makes the
// kernel copy a name up, which for an indexed file means: link it.
func touch(fd int, stat unix.Stat_t) error {
	if stat.Mode&unix.S_IFMT == unix.S_IFLNK {
		return unix.Fchownat(fd, "", int(stat.Uid), int(stat.Gid), unix.AT_EMPTY_PATH)
	}
	return unix.Chmod("/proc/self/fd/"+strconv.Itoa(fd), stat.Mode&^unix.S_IFMT)
}

// sameFile tells whether the file that the overlay shows is the copy. Numbers of
// inode and device differ between the two views; what the overlay passes through
// of the copy are its attributes, and its time of change belongs to this step.
func sameFile(copied, shown unix.Stat_t) bool {
	return copied.Mode == shown.Mode && copied.Uid == shown.Uid && copied.Gid == shown.Gid &&
		copied.Size == shown.Size && copied.Rdev == shown.Rdev &&
		copied.Mtim == shown.Mtim && copied.Ctim == shown.Ctim
}

// openBeneath opens a name of the merged tree as it is: where the step has put a
// symbolic link in the way, the name is gone.
func openBeneath(root, path string) (int, error) {
	dir, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open %q: %w", root, err)
	}
	defer unix.Close(dir)
	return unix.Openat2(dir, path, &unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS,
	})
}

func gone(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP)
}
