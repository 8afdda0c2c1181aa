package cache

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// A scan reads a tree into a listing and notes what has to be removed from it
// to make it a layer. It changes nothing.
type scan struct {
	root     string
	volatile func(path string) bool

	listing Listing
	strip   []stripped
	sockets []string // relative paths

	attributes attributeReader
	links      map[uint64]int // inode with several names → index of its first entry
}

// A stripped attribute is one that must not stay on a path (absolute).
type stripped struct{ path, name string }

// run reads the whole tree. One goroutine reads what is not content, which is a
// quarter of the work and gains little from a second one; contents are hashed by
// one for each processor.
func (s *scan) run() error {
	s.links = map[uint64]int{}
	a, err := s.attributes.read(s.root)
	if err != nil {
		return fmt.Errorf("%q: %w", s.root, err)
	}
	s.note(s.root, a)
	if err := s.directory(""); err != nil {
		return err
	}
	return s.hash()
}

// directory adds what is in a directory; dir is "" or ends in a slash.
func (s *scan) directory(dir string) error {
	d, err := os.Open(s.root + "/" + dir)
	if err != nil {
		return err
	}
	names, err := d.Readdirnames(-1)
	d.Close()
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, name := range names {
		path := dir + name
		if err := s.add(path); err != nil {
			return fmt.Errorf("%q: %w", path, err)
		}
		// The last entry is not this path's if it was left out.
		if n := len(s.listing.Entries); n > 0 {
			if e := &s.listing.Entries[n-1]; e.Type == TypeDir && e.Path == path {
				if err := s.directory(path + "/"); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// add adds one path.
func (s *scan) add(path string) error {
	full := s.root + "/" + path
	var st unix.Stat_t
	if err := lstat(full, &st); err != nil {
		return err
	}
	e, kept := entryOf(path, &st)
	switch {
	case !kept:
		s.sockets = append(s.sockets, path)
		return nil
	case e.Whiteout:
		// The kernel links whiteouts to one inode: they are no hard links.
		s.listing.Entries = append(s.listing.Entries, e)
		return nil
	case e.Type != TypeDir && st.Nlink > 1:
		if first, seen := s.links[st.Ino]; seen {
			e = s.listing.Entries[first]
			e.Path, e.HardLink = path, e.Path
			s.listing.Entries = append(s.listing.Entries, e)
			return nil
		}
		s.links[st.Ino] = len(s.listing.Entries)
	}
	if err := s.complete(&e, full); err != nil {
		return err
	}
	s.listing.Entries = append(s.listing.Entries, e)
	return nil
}

// complete adds what stat does not tell, but for the digest.
func (s *scan) complete(e *Entry, full string) error {
	a, err := s.attributes.read(full)
	if err != nil {
		return err
	}
	s.note(full, a)
	e.Xattrs, e.Opaque = a.keep, a.opaque && e.Type == TypeDir
	switch e.Type {
	case TypeSymlink:
		e.Link, err = os.Readlink(full)
	case TypeFile:
		e.Volatile = s.volatile(e.Path)
	}
	return err
}

func (s *scan) note(path string, a attributes) {
	for _, name := range a.strip {
		s.strip = append(s.strip, stripped{path, name})
	}
}

// entryOf returns what stat tells about a path, and false for a socket.
func entryOf(path string, st *unix.Stat_t) (Entry, bool) {
	e := Entry{
		Path: path, Mode: st.Mode & 0o7777, UID: st.Uid, GID: st.Gid,
		ModTime: time.Unix(st.Mtim.Sec, st.Mtim.Nsec).UTC(),
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		e.Type, e.Size = TypeFile, st.Size
	case unix.S_IFDIR:
		e.Type = TypeDir
	case unix.S_IFLNK:
		e.Type = TypeSymlink
	case unix.S_IFBLK:
		e.Type, e.Rdev = TypeBlock, st.Rdev
	case unix.S_IFIFO:
		e.Type = TypeFIFO
	case unix.S_IFCHR:
		if st.Rdev == 0 {
			return Entry{Path: path, Type: TypeChar, Whiteout: true}, true
		}
		e.Type, e.Rdev = TypeChar, st.Rdev
	default:
		return Entry{}, false
	}
	return e, true
}

// hash fills in the digests of all files, and copies them to hard links.
func (s *scan) hash() error {
	entries := s.listing.Entries
	var next atomic.Int64
	var group errgroup.Group
	for range min(runtime.NumCPU(), 1+len(entries)/16) {
		group.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(entries) {
					return nil
				}
				e := &entries[i]
				if e.Type != TypeFile || e.HardLink != "" {
					continue
				}
				var err error
				if e.Digest, err = digestFile(s.root+"/"+e.Path, e.Size); err != nil {
					return err
				}
			}
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i := range entries {
		if e := &entries[i]; e.HardLink != "" && e.Type == TypeFile {
			e.Digest = s.listing.Find(e.HardLink).Digest
		}
	}
	return nil
}

func lstat(path string, st *unix.Stat_t) error {
	for {
		err := unix.Lstat(path, st)
		if err != unix.EINTR {
			return err
		}
	}
}
