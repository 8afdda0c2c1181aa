package ext4

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A node is a file of the tree, of any kind, with what it is going to have in
// the filesystem.
type node struct {
	// path is its first name, relative to the source; "" is the root.
	path string
	// What its status says: mode with type, size, time of the last modification,
	// and the number of a device.
	mode, uid, gid uint32
	size           int64
	modified       unix.Timespec
	device         uint64

	rank  int
	attrs []attribute
	// target is that of a symbolic link.
	target string
	// entries are those of a directory, sorted by name.
	entries []entry
	parent  *node // of a directory
	subdirs int
	names   int // how many entries name it

	inode uint32
	// length is that of what a directory or a long link has in its blocks.
	length  int
	indexed bool // a directory with a tree of hashes
	data    []piece
	extents []extent
	leaves  []uint64 // blocks of the extent tree
	attrAt  uint64   // block with attributes; 0 is none
}

// A piece is a run of bytes of a file that are not a hole, from the start of a block.
type piece struct{ start, end int64 }

// An entry is a name in a directory.
type entry struct {
	name string
	node *node
}

func (n *node) kind() uint32 { return n.mode & unix.S_IFMT }

// A lister reads the tree.
type lister struct {
	Options
	blockSize int64
	links     map[[2]uint64]*node // files with several names
	all       []*node
	// buffer takes attributes, and lists of them.
	buffer []byte
}

// maxPath is how long the name of a file may be for the system: longer ones the kernel
// has to copy, directory by directory.
const maxPath = unix.PathMax - 1

// list returns the root of the tree, and adds every node to l.all.
func (l *lister) list(ctx context.Context) (*node, error) {
	fd, err := unix.Open(l.Source, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %q: %w", l.Source, err)
	}
	defer unix.Close(fd)
	root := &node{rank: math.MinInt}
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return nil, fmt.Errorf("stat %q: %w", l.Source, err)
	}
	root.describe(&stat)
	root.parent = root
	l.all = append(l.all, root)
	return root, l.listDir(ctx, fd, root)
}

// listDir reads an open directory.
func (l *lister) listDir(ctx context.Context, fd int, dir *node) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	var err error
	at := "/proc/self/fd/" + strconv.Itoa(fd)
	if dir.attrs, err = l.attributes(at, unix.Listxattr, unix.Getxattr); err != nil {
		return named(dir.path, err)
	}
	if dir.path != "" && l.Skip != nil && l.Skip(dir.path) {
		return nil
	}
	names, err := readNames(fd)
	if err != nil {
		return named(dir.path, err)
	}
	for _, name := range names {
		child, err := l.listEntry(ctx, fd, at, dir, name)
		if err != nil {
			return err
		}
		if child != nil {
			child.names++
			dir.entries = append(dir.entries, entry{name, child})
		}
	}
	return nil
}

// readNames returns the names in a directory, sorted by bytes.
func readNames(dir int) ([]string, error) {
	fd, err := unix.Openat(dir, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	file := os.NewFile(uintptr(fd), ".")
	defer file.Close()
	names, err := file.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	slices.Sort(names)
	return names, nil
}

// listEntry returns the node of a name; nil if it is not to be in the filesystem.
func (l *lister) listEntry(ctx context.Context, fd int, at string, dir *node, name string) (*node, error) {
	n := &node{path: path.Join(dir.path, name), parent: dir}
	if len(l.Source)+1+len(n.path) > maxPath {
		return nil, unsupported("a name of %d bytes", len(n.path))
	}
	var stat unix.Stat_t
	if err := unix.Fstatat(fd, name, &stat, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return nil, named(n.path, fmt.Errorf("stat: %w", err))
	}
	n.describe(&stat)
	if dir.path == "" && name == "lost+found" {
		return nil, unsupported("a tree that has lost+found")
	}
	id := [2]uint64{stat.Dev, stat.Ino}
	if n.kind() != unix.S_IFDIR && stat.Nlink > 1 {
		if first := l.links[id]; first != nil {
			return first, nil
		}
		l.links[id] = n
	}
	if l.Rank != nil {
		n.rank = l.Rank(n.path)
	}
	l.all = append(l.all, n)
	return n, named(n.path, l.inspect(ctx, fd, at, name, n, stat.Blocks*512 < stat.Size))
}

// describe takes what the status of a file says.
func (n *node) describe(s *unix.Stat_t) {
	n.mode, n.uid, n.gid, n.size, n.modified, n.device = s.Mode, s.Uid, s.Gid, s.Size, s.Mtim, s.Rdev
}

// inspect reads what there is to know of a node beside its status.
func (l *lister) inspect(ctx context.Context, fd int, at, name string, n *node, sparse bool) (err error) {
	if n.kind() == unix.S_IFDIR {
		return l.inspectDir(ctx, fd, name, n)
	}
	if n.attrs, err = l.attributes(at+"/"+name, unix.Llistxattr, unix.Lgetxattr); err != nil {
		return err
	}
	switch n.kind() {
	case unix.S_IFLNK:
		var buffer [unix.PathMax]byte
		size, err := unix.Readlinkat(fd, name, buffer[:])
		if err != nil {
			return fmt.Errorf("read link: %w", err)
		}
		n.target = string(buffer[:size])
	case unix.S_IFREG:
		n.data = []piece{{0, n.size}}
		if n.size == 0 {
			n.data = nil
		} else if sparse {
			n.data, err = l.pieces(fd, name, n.size)
		}
	}
	return err
}

func (l *lister) inspectDir(ctx context.Context, fd int, name string, n *node) error {
	child, err := unix.Openat(fd, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	defer unix.Close(child)
	n.parent.subdirs++
	return l.listDir(ctx, child, n)
}

// pieces asks where a sparse file has data, in whole blocks.
func (l *lister) pieces(dir int, name string, size int64) ([]piece, error) {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	defer unix.Close(fd)
	var pieces []piece
	for at := int64(0); at < size; {
		start, err := unix.Seek(fd, at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("find data: %w", err)
		}
		end, err := unix.Seek(fd, start, unix.SEEK_HOLE)
		if err != nil {
			return nil, fmt.Errorf("find hole: %w", err)
		}
		start, end = start/l.blockSize*l.blockSize, min(up(end, l.blockSize), size)
		if last := len(pieces) - 1; last >= 0 && start <= pieces[last].end {
			pieces[last].end = end
		} else {
			pieces = append(pieces, piece{start, end})
		}
		at = max(end, at+1)
	}
	return pieces, nil
}

// attributes returns those of a name, in the form and order of the disk.
func (l *lister) attributes(name string, list func(string, []byte) (int, error), get func(string, string, []byte) (int, error)) ([]attribute, error) {
	n, err := list(name, l.buffer)
	if errors.Is(err, unix.ENOTSUP) || err == nil && n == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list extended attributes: %w", err)
	}
	var all []attribute
	for _, full := range strings.Split(strings.TrimSuffix(string(l.buffer[:n]), "\x00"), "\x00") {
		if strings.HasPrefix(full, "trusted.overlay.") {
			continue
		}
		n, err := get(name, full, l.buffer)
		if errors.Is(err, unix.ENODATA) {
			continue // overlayfs lists some that it does not show
		}
		if err != nil {
			return nil, fmt.Errorf("read extended attribute %q: %w", full, err)
		}
		a, err := newAttribute(full, slices.Clone(l.buffer[:n]))
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b attribute) int {
		return cmp.Or(cmp.Compare(a.index, b.index), cmp.Compare(len(a.name), len(b.name)), cmp.Compare(a.name, b.name))
	})
	return all, nil
}

// named adds the file to an error that does not name one.
func named(name string, err error) error {
	if err == nil || errors.Is(err, ErrUnsupported) {
		return err
	}
	if _, ok := err.(*pathError); ok {
		return err
	}
	return &pathError{cmp.Or(name, "."), err}
}

type pathError struct {
	path string
	err  error
}

func (e *pathError) Error() string { return fmt.Sprintf("%q: %v", e.path, e.err) }
func (e *pathError) Unwrap() error { return e.err }

func up(n, to int64) int64 { return (n + to - 1) / to * to }
