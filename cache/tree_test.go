package cache

import (
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// A tree is a listing that can be made on disk, with the contents of its files.
type tree struct {
	Listing
	content map[string]string
}

// A capability in the form of the kernel (VFS_CAP_REVISION_2, CAP_NET_RAW);
// others are refused.
const netRaw = "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// anyTree draws a tree. With privileges there are owners, devices, opaque
// directories and capabilities in it.
func anyTree(privileged bool) *rapid.Generator[*tree] {
	return rapid.Custom(func(t *rapid.T) *tree {
		made := &tree{content: map[string]string{}}
		for _, e := range anyListing().Draw(t, "listing").Entries {
			if e.HardLink != "" {
				first := *made.Find(e.HardLink)
				first.Path, first.HardLink = e.Path, e.HardLink
				made.Entries = append(made.Entries, first)
				continue
			}
			if !e.Whiteout {
				made.makeable(&e, privileged)
			}
			made.Entries = append(made.Entries, e)
		}
		return made
	})
}

// makeable changes what a filesystem would not take.
func (made *tree) makeable(e *Entry, privileged bool) {
	e.UID, e.GID = e.UID%1e6, e.GID%1e6
	if !privileged {
		e.UID, e.GID, e.Opaque = uint32(os.Getuid()), uint32(os.Getgid()), false
	}
	e.ModTime = time.Unix(e.ModTime.Unix()%1e9, int64(e.ModTime.Nanosecond())).UTC()
	e.Volatile = false
	e.Xattrs = slices.DeleteFunc(e.Xattrs, func(x Xattr) bool {
		capability := privileged && e.Type == TypeFile && x.Name == "security.capability"
		user := (e.Type == TypeFile || e.Type == TypeDir) && strings.HasPrefix(x.Name, "user.")
		return !capability && !user
	})
	if len(e.Xattrs) == 0 {
		e.Xattrs = nil
	} else if e.Xattrs[0].Name == "security.capability" {
		e.Xattrs[0].Value = netRaw
	}
	switch e.Type {
	case TypeChar, TypeBlock:
		e.Rdev = unix.Mkdev(unix.Major(e.Rdev)%512, 1+unix.Minor(e.Rdev)%512)
		if !privileged {
			e.Type, e.Rdev = TypeFIFO, 0
		}
	case TypeFile:
		text := e.Digest.String()[:e.Size%64]
		made.content[e.Path] = text
		e.Size, e.Digest = int64(len(text)), DigestBytes([]byte(text))
	case TypeSymlink:
		e.Mode = 0o777
	}
	if e.Type == TypeDir && !privileged {
		e.Mode |= 0o700
	}
}

// put makes the tree in a new directory of the store.
func (made *tree) put(t testing.TB, s *Store) string {
	t.Helper()
	upper := must[string](t)(s.TempDir("upper"))
	for i := range made.Entries {
		e := &made.Entries[i]
		made.putEntry(t, e, upper)
		if !e.Whiteout && e.HardLink == "" {
			dress(t, upper+"/"+e.Path, e)
		}
	}
	for i := range slices.Backward(made.Entries) {
		e := &made.Entries[i]
		if e.Whiteout {
			continue
		}
		at := unix.Timespec{Sec: e.ModTime.Unix(), Nsec: int64(e.ModTime.Nanosecond())}
		check(t, unix.UtimesNanoAt(unix.AT_FDCWD, upper+"/"+e.Path, []unix.Timespec{at, at}, unix.AT_SYMLINK_NOFOLLOW))
	}
	return upper
}

func (made *tree) putEntry(t testing.TB, e *Entry, upper string) {
	t.Helper()
	path := upper + "/" + e.Path
	switch {
	case e.Whiteout:
		check(t, unix.Mknod(path, unix.S_IFCHR, 0))
	case e.HardLink != "":
		check(t, os.Link(upper+"/"+e.HardLink, path))
	case e.Type == TypeDir:
		check(t, os.Mkdir(path, 0o700))
	case e.Type == TypeSymlink:
		check(t, os.Symlink(e.Link, path))
	case e.Type == TypeFIFO:
		check(t, unix.Mkfifo(path, 0o600))
	case e.Type == TypeChar:
		check(t, unix.Mknod(path, unix.S_IFCHR|0o600, int(e.Rdev)))
	case e.Type == TypeBlock:
		check(t, unix.Mknod(path, unix.S_IFBLK|0o600, int(e.Rdev)))
	case e.Type == TypeFile:
		check(t, os.WriteFile(path, []byte(made.content[e.Path]), 0o600))
	}
}

// dress gives a path the owner, mode and attributes of an entry.
func dress(t testing.TB, path string, e *Entry) {
	t.Helper()
	// Also to ourselves: in a directory with the set-group-id bit it has its group.
	check(t, os.Lchown(path, int(e.UID), int(e.GID)))
	if e.Type != TypeSymlink {
		check(t, unix.Chmod(path, e.Mode))
	}
	for _, x := range e.Xattrs {
		check(t, unix.Lsetxattr(path, x.Name, []byte(x.Value), 0))
	}
	if e.Opaque {
		check(t, unix.Lsetxattr(path, overlayPrefix+"opaque", []byte("y"), 0))
	}
}

// files makes an upper directory with a few files in it, "dir/" for a directory.
func files(t testing.TB, s *Store, names ...string) string {
	t.Helper()
	upper := must[string](t)(s.TempDir("upper"))
	for _, name := range names {
		if dir, isDir := strings.CutSuffix(name, "/"); isDir {
			check(t, os.Mkdir(upper+"/"+dir, 0o755))
		} else {
			check(t, os.WriteFile(upper+"/"+name, []byte("content of "+name), 0o644))
		}
	}
	return upper
}

// paths returns the paths in a directory, sorted as in a listing.
func paths(t testing.TB, dir string) []string {
	t.Helper()
	list := []string{}
	check(t, fs.WalkDir(os.DirFS(dir), ".", func(path string, _ fs.DirEntry, err error) error {
		if path != "." {
			list = append(list, path)
		}
		return err
	}))
	slices.SortFunc(list, comparePaths)
	return list
}
