package elements

import (
	"path"
	"slices"
	"sort"
	"strings"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/steps/mention"
)

// maxLinks is how many links are followed before a path counts as a loop, as
// in the kernel.
const maxLinks = 40

// A Tree is a listing of files. It does not change after it was made and can
// be used concurrently.
type Tree struct {
	// Files are sorted by path, byte-wise; every directory is there too, but
	// not the root.
	Files []File
}

// Lookup returns the file at a path, without following it if it is a link.
func (t *Tree) Lookup(name string) (File, bool) {
	i := t.search(name)
	if i < len(t.Files) && t.Files[i].Path == name {
		return t.Files[i], true
	}
	return File{}, false
}

// Under returns everything below a directory, at any depth; "" is the root.
// The slice belongs to the tree.
func (t *Tree) Under(dir string) []File {
	if dir == "" {
		return t.Files
	}
	// '0' is the byte after '/'.
	return t.Files[t.search(dir+"/"):t.search(dir+"0")]
}

// Entries returns what is directly in a directory.
func (t *Tree) Entries(dir string) []File {
	below := t.Under(dir)
	direct := func(f *File) bool { return parent(f.Path) == dir }
	count := 0
	for i := range below {
		if direct(&below[i]) {
			count++
		}
	}
	entries := make([]File, 0, count) // files are large, and trees have thousands
	for i := range below {
		if direct(&below[i]) {
			entries = append(entries, below[i])
		}
	}
	return entries
}

// Resolve returns the file or directory that a path leads to when links are
// followed. The links are read as the hooks see them: a target outside the
// tree, an absolute one too, leads nowhere.
func (t *Tree) Resolve(name string) (File, bool) {
	var at File // the zero File is the root
	links := 0
	rest := strings.Split(name, "/")
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			if at.Path == "" {
				return File{}, false
			}
			at, _ = t.Lookup(parent(at.Path))
			continue
		}
		f, ok := t.Lookup(path.Join(at.Path, part))
		if !ok {
			return File{}, false
		}
		if !f.IsLink() {
			if at = f; !f.IsDir() && len(rest) > 0 {
				return File{}, false
			}
			continue
		}
		if links++; links > maxLinks || strings.HasPrefix(f.Link, "/") {
			return File{}, false
		}
		rest = append(strings.Split(f.Link, "/"), rest...)
	}
	return at, at.Path != ""
}

// Digest returns the digest of all paths, types, permissions, link targets and
// contents. Times do not count.
func (t *Tree) Digest() cache.Digest {
	var h cache.Hasher
	for _, f := range t.Files {
		h.Write([]byte(f.line())) // a hasher never fails
	}
	return h.Sum()
}

// Words returns what the files below the directories may depend on, all of
// them together; no directory is the whole tree.
func (t *Tree) Words(dirs ...string) Words {
	if len(dirs) == 0 {
		dirs = []string{""}
	}
	var all []Words
	for _, dir := range dirs {
		for _, f := range t.Under(dir) {
			all = append(all, f.Words)
		}
	}
	return mention.Union(all...)
}

// parent returns the directory that a path is in; "" is the root.
func parent(name string) string {
	if dir := path.Dir(name); dir != "." {
		return dir
	}
	return ""
}

// search returns the index of the first path that is not before name.
func (t *Tree) search(name string) int {
	return sort.Search(len(t.Files), func(i int) bool { return t.Files[i].Path >= name })
}

// newTree returns the tree of the files in any order.
func newTree(files []File) *Tree {
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return &Tree{Files: files}
}
