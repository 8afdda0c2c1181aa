package ext4

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A node is a file of the tree, of any kind, with what it is going to have in
// the filesystem. There are as many as there are files, so what most files do not
// have is elsewhere.
type node struct {
	// name is its first one, in the directory parent. That of the root is "", and the root
	// is its own parent.
	name   string
	parent *node
	// What its status says: mode with type, size, and time of the last modification.
	mode, uid, gid uint32
	inode          uint32
	size           int64
	modified       unix.Timespec

	rank    int
	names   int // how many entries name it
	extents []extent
	// rare is for reading; [node.own] for what is written to.
	rare *rare
}

// What a regular file with one run of data and without attributes does not have.
type rare struct {
	attrs  []attribute
	attrAt uint64   // block with attributes; 0 is none
	leaves []uint64 // blocks of the extent tree
	device uint64   // its number
	target string   // of a symbolic link
	// sparse says that pieces are the data of a file, in their order, and not all of it is.
	sparse bool
	pieces []piece
	// entries are those of a directory, sorted by name.
	entries []entry
	subdirs int
	// length is that of what a directory or a long link has in its blocks.
	length  int
	indexed bool // a directory with a tree of hashes
}

// none is what all files have together that have nothing rare.
var none rare

// own returns what is rare of a node, to be changed.
func (n *node) own() *rare {
	if n.rare == &none {
		n.rare = new(rare)
	}
	return n.rare
}

// path is the first name of a node, relative to the source; "" is the root.
func (n *node) path() string { return string(n.appendPath(nil)) }

func (n *node) appendPath(to []byte) []byte {
	if n.parent.name != "" {
		to = append(n.parent.appendPath(to), '/')
	}
	return append(to, n.name...)
}

// data returns the runs of a file that are no holes.
func (n *node) data() []piece {
	if n.rare.sparse || n.size == 0 || n.kind() != unix.S_IFREG {
		return n.rare.pieces
	}
	return []piece{{0, n.size}}
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
	root := &node{rank: math.MinInt, rare: new(rare)}
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
	at := "/proc/self/fd/" + strconv.Itoa(fd)
	attrs, err := l.attributes(at, unix.Listxattr, unix.Getxattr)
	if err != nil {
		return dir.named(err)
	}
	own := dir.own()
	own.attrs = attrs
	if dir.name != "" && l.Skip != nil && l.Skip(dir.path()) {
		return nil
	}
	names, err := readNames(fd)
	if err != nil {
		return dir.named(err)
	}
	own.entries = make([]entry, 0, len(names))
	for _, name := range names {
		child, err := l.listEntry(ctx, fd, at, dir, name)
		if err != nil {
			return err
		}
		if child != nil {
			child.names++
			own.entries = append(own.entries, entry{name, child})
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
	n := &node{name: name, parent: dir, rare: &none}
	path := n.path()
	if len(l.Source)+1+len(path) > maxPath {
		return nil, unsupported("a name of %d bytes", len(path))
	}
	var stat unix.Stat_t
	if err := unix.Fstatat(fd, name, &stat, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return nil, n.named(fmt.Errorf("stat: %w", err))
	}
	n.describe(&stat)
	if dir.name == "" && name == "lost+found" {
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
		n.rank = l.Rank(path)
	}
	l.all = append(l.all, n)
	return n, n.named(l.inspect(ctx, fd, at, n, stat.Blocks*512 < stat.Size))
}

// describe takes what the status of a file says.
func (n *node) describe(s *unix.Stat_t) {
	n.mode, n.uid, n.gid, n.size, n.modified = s.Mode, s.Uid, s.Gid, s.Size, s.Mtim
	if s.Rdev != 0 {
		n.own().device = s.Rdev
	}
}

// inspect reads what there is to know of a node beside its status.
func (l *lister) inspect(ctx context.Context, fd int, at string, n *node, sparse bool) error {
	if n.kind() == unix.S_IFDIR {
		return l.inspectDir(ctx, fd, n)
	}
	attrs, err := l.attributes(at+"/"+n.name, unix.Llistxattr, unix.Lgetxattr)
	if err != nil {
		return err
	}
	if len(attrs) > 0 {
		n.own().attrs = attrs
	}
	switch n.kind() {
	case unix.S_IFLNK:
		var buffer [unix.PathMax]byte
		size, err := unix.Readlinkat(fd, n.name, buffer[:])
		if err != nil {
			return fmt.Errorf("read link: %w", err)
		}
		n.own().target = string(buffer[:size])
	case unix.S_IFREG:
		if n.size > 0 && sparse {
			own := n.own()
			own.sparse = true
			own.pieces, err = l.pieces(fd, n.name, n.size)
		}
	}
	return err
}

func (l *lister) inspectDir(ctx context.Context, fd int, n *node) error {
	child, err := unix.Openat(fd, n.name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	defer unix.Close(child)
	n.parent.own().subdirs++
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
func (n *node) named(err error) error {
	if err == nil || errors.Is(err, ErrUnsupported) {
		return err
	}
	if _, ok := err.(*pathError); ok {
		return err
	}
	return &pathError{cmp.Or(n.path(), "."), err}
}

type pathError struct {
	path string
	err  error
}

func (e *pathError) Error() string { return fmt.Sprintf("%q: %v", e.path, e.err) }
func (e *pathError) Unwrap() error { return e.err }

func up(n, to int64) int64 { return (n + to - 1) / to * to }
