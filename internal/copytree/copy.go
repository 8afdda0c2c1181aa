package copytree

import (
	"context"
	"fmt"
	"path"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// Options change what [Copy] does. The zero value copies everything.
type Options struct {
	// Workers is how many files are filled at the same time. 0 means 4: with
	// more, a tree of 17,000 entries on ext4 was copied no faster.
	Workers int

	// Exclude is asked about every entry, by its slash-separated name relative
	// to the source. What it says true to is left out; a directory, with all
	// that is in it. Nil excludes nothing. It is called from one goroutine.
	Exclude func(name string) bool

	// KeepRoot leaves owner, mode, times and attributes of the target
	// directory itself alone.
	KeepRoot bool

	// OneFilesystem copies directories on which another filesystem is mounted as
	// empty ones.
	OneFilesystem bool
}

const (
	defaultWorkers = 4

	// bufferSize keeps the buffers of 256 workers within 64 MiB; from 64 KiB
	// up, size makes no difference that could be measured.
	bufferSize = 256 << 10
	maxWorkers = 256

	// backlog is how many open files may wait for a worker. Twice as
	// many descriptors are open, and 1,024 is a common limit.
	backlog = 64
)

// Copy copies the entries of the directory source into the directory target,
// which must exist, and gives target the attributes of source. Needs root.
//
// Directories that exist in the target are merged, and take the attributes of
// the copied ones. Anything else that is in the way of a copy is
// replaced; a directory in the way of something else, or the reverse, is an error.
//
// What a filesystem can never hold is not asked of it: on vfat, owners, modes and
// attributes are dropped. Attributes of overlayfs (trusted.overlay.*)
// are not copied, for they mean something to one overlay only.
//
// After an error or a cancel the target holds part of the tree. Copy does not
// sync.
func Copy(ctx context.Context, source, target string, options Options) error {
	workers := options.Workers
	if workers == 0 {
		workers = defaultWorkers
	}
	files := make(chan *file, backlog)
	group, ctx := errgroup.WithContext(ctx)
	for range min(max(workers, 1), maxWorkers) {
		group.Go(func() error { return fill(ctx, files) })
	}
	group.Go(func() error {
		defer close(files)
		c := creator{options: options, files: files, links: map[link]string{}}
		return c.copyRoot(ctx, source, target)
	})
	err := group.Wait()
	// A worker that failed leaves files that nobody takes.
	for f := range files {
		f.close()
	}
	if err != nil {
		return fmt.Errorf("copy %q to %q: %w", source, target, err)
	}
	return nil
}

// A link tells whether two names are the same file, and can be in the target:
// names on two filesystems cannot.
type link struct{ device, inode, target uint64 }

// creator walks the source and makes names in the target.
type creator struct {
	options Options
	files   chan<- *file
	root    int             // the target directory, for hard links
	links   map[link]string // target name of the first copy of a file with several
	device  uint64          // of the source directory
}

// A pair is a directory of the source and its copy, both open.
type pair struct {
	source, target int
	name           string // relative to the root; "" is the root
	device         uint64 // of the target
	plain          bool   // the target knows no owners, modes and attributes
}

func (c *creator) copyRoot(ctx context.Context, source, target string) error {
	const flags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC
	from, err := unix.Open(source, flags, 0)
	if err != nil {
		return fmt.Errorf("open %q: %w", source, err)
	}
	defer unix.Close(from)
	to, err := unix.Open(target, flags, 0)
	if err != nil {
		return fmt.Errorf("open %q: %w", target, err)
	}
	defer unix.Close(to)

	var stat unix.Stat_t
	if err := unix.Fstat(from, &stat); err != nil {
		return fmt.Errorf("stat %q: %w", source, err)
	}
	c.root, c.device = to, stat.Dev
	root := pair{source: from, target: to}
	if root.device, root.plain, err = c.filesystem(to); err != nil {
		return err
	}
	if err := c.copyEntries(ctx, root); err != nil {
		return err
	}
	if c.options.KeepRoot {
		return nil
	}
	return named(".", setAttributes(from, to, &stat, root.plain))
}

func (c *creator) copyEntries(ctx context.Context, dir pair) error {
	names, err := list(dir.source)
	if err != nil {
		return named(dir.name, err)
	}
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		full := path.Join(dir.name, name)
		if c.options.Exclude != nil && c.options.Exclude(full) {
			continue
		}
		if err := c.copyEntry(ctx, dir, name, full); err != nil {
			return err
		}
	}
	return nil
}

func (c *creator) copyEntry(ctx context.Context, dir pair, name, full string) error {
	var stat unix.Stat_t
	if err := unix.Fstatat(dir.source, name, &stat, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return named(full, fmt.Errorf("stat: %w", err))
	}
	kind := stat.Mode & unix.S_IFMT
	if kind == unix.S_IFDIR {
		return c.copyDir(ctx, dir, name, full, &stat)
	}
	id := link{stat.Dev, stat.Ino, dir.device}
	if stat.Nlink > 1 {
		if first, ok := c.links[id]; ok {
			return named(full, replace(dir.target, name, func() error {
				return unix.Linkat(c.root, first, dir.target, name, 0)
			}))
		}
	}
	var err error
	switch kind {
	case unix.S_IFREG:
		err = c.copyFile(ctx, dir, name, full, &stat)
	case unix.S_IFLNK:
		err = copySymlink(dir, name, &stat)
	default:
		err = copySpecial(dir, name, &stat)
	}
	if err != nil {
		return named(full, err)
	}
	if stat.Nlink > 1 {
		c.links[id] = full
	}
	return nil
}

// named adds the entry to an error that does not name it.
func named(name string, err error) error {
	if err == nil {
		return nil
	}
	if name == "" {
		name = "."
	}
	return fmt.Errorf("%q: %w", name, err)
}
