package cache

import (
	"slices"
	"strings"
	"time"
)

// A FileType is the type of an [Entry]; its value is the letter that begins the
// line of the entry in a listing.
type FileType byte

// The types of entries. Sockets are in no layer: they are dead once the process
// that listens is.
const (
	TypeFile    FileType = 'f'
	TypeDir     FileType = 'd'
	TypeSymlink FileType = 'l'
	TypeChar    FileType = 'c'
	TypeBlock   FileType = 'b'
	TypeFIFO    FileType = 'p'
)

// An Entry is one path of a layer.
type Entry struct {
	// Path is relative to the layer, without "." or "..", and never empty: the
	// root of a layer is not an entry. Its bytes are arbitrary but for NUL.
	Path string
	Type FileType
	// Mode is the permissions, with the set-id and sticky bits: at most 07777.
	Mode     uint32
	UID, GID uint32
	// Rdev is the device number of TypeChar and TypeBlock, as in stat(2).
	Rdev uint64
	// Size and Digest are of the content of TypeFile.
	Size   int64
	Digest Digest
	// ModTime is in UTC. It is not part of the layer's digest.
	ModTime time.Time
	// Link is the target of TypeSymlink.
	Link string
	// HardLink is the first path, in the order of the listing, of the same
	// file, and empty for that one. The other fields are those of the first.
	HardLink string
	// Xattrs are those of the allow-list, sorted by name.
	Xattrs []Xattr
	// Whiteout hides the path in the layers below. Type is TypeChar then, as
	// it is on disk, and nothing else is set.
	Whiteout bool
	// Opaque hides what the directory has in the layers below.
	Opaque bool
	// Volatile keeps Size and Digest of a TypeFile out of the layer's digest.
	Volatile bool
}

// An Xattr is an extended attribute; Value is arbitrary bytes.
type Xattr struct{ Name, Value string }

// A Listing says what is in a layer. The entries are in the order of a walk that
// sorts names by their bytes: a directory comes right before what it contains.
type Listing struct {
	Entries []Entry
}

// layerFormat is hashed before the entries; it changes with what is hashed of them.
const layerFormat = "dibgraph layer 1\n"

// Digest returns the layer's digest. Modification times, and sizes and digests
// of volatile files, make no difference to it.
func (l *Listing) Digest() Digest {
	var h Hasher
	h.Write([]byte(layerFormat))
	var line []byte
	for i := range l.Entries {
		line = appendEntry(line[:0], &l.Entries[i], true)
		h.Write(line)
	}
	return h.Sum()
}

// Find returns the entry of a path, or nil.
func (l *Listing) Find(path string) *Entry {
	i, found := l.find(path)
	if !found {
		return nil
	}
	return &l.Entries[i]
}

// Sort puts the entries in the order of a walk.
func (l *Listing) Sort() {
	slices.SortStableFunc(l.Entries, func(a, b Entry) int { return comparePaths(a.Path, b.Path) })
}

// MarkVolatile marks the files of which the content makes no difference; the
// patterns are those of [LayerOptions].
func (l *Listing) MarkVolatile(patterns []string) error {
	volatile, err := parsePatterns(patterns)
	if err != nil {
		return err
	}
	for i := range l.Entries {
		e := &l.Entries[i]
		e.Volatile = e.Type == TypeFile && volatile.match(e.Path)
	}
	return nil
}

// find returns where the entry of a path is, or would be.
func (l *Listing) find(path string) (int, bool) {
	return slices.BinarySearchFunc(l.Entries, path, func(e Entry, path string) int {
		return comparePaths(e.Path, path)
	})
}

// Below returns the entries below a directory, or all for "".
func (l *Listing) Below(dir string) []Entry {
	if dir == "" {
		return l.Entries
	}
	first, _ := l.find(dir + "/")
	last := first
	for last < len(l.Entries) && strings.HasPrefix(l.Entries[last].Path, dir+"/") {
		last++
	}
	return l.Entries[first:last]
}

// Remove takes a path and what is below it out of the listing.
func (l *Listing) Remove(path string) {
	l.Entries = slices.DeleteFunc(l.Entries, func(e Entry) bool { return e.Path == path || strings.HasPrefix(e.Path, path+"/") })
}

// Bytes returns the sum of the sizes of all files, hard links counted once.
func (l *Listing) Bytes() (n int64) {
	for i := range l.Entries {
		if e := &l.Entries[i]; e.HardLink == "" {
			n += e.Size
		}
	}
	return n
}

// top returns how many entries are in the root of the layer.
func (l *Listing) top() (n int) {
	for i := range l.Entries {
		if strings.IndexByte(l.Entries[i].Path, '/') < 0 {
			n++
		}
	}
	return n
}

// comparePaths orders paths as a walk with sorted names meets them. That is the
// order of their bytes, but with "/" before all others: "a/b" before "a-b".
func comparePaths(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] == b[i] {
			continue
		}
		switch {
		case a[i] == '/':
			return -1
		case b[i] == '/':
			return +1
		case a[i] < b[i]:
			return -1
		}
		return +1
	}
	return len(a) - len(b)
}

// AllowedXattr reports whether an attribute is part of a layer. Others belong to
// the machine (labels of security modules) or to overlayfs.
func AllowedXattr(name string) bool {
	switch name {
	case "security.capability", "system.posix_acl_access", "system.posix_acl_default":
		return true
	}
	return strings.HasPrefix(name, "user.") && len(name) > len("user.")
}
