package cache

import (
	"path"
	"strings"
)

// maxLinks is how many symbolic links the kernel follows in one path.
const maxLinks = 40

// Resolve returns where name, a path as a process whose root directory is root
// writes it, is in the tree: symbolic links among its directories are followed,
// the last name is not. Names that are not there are taken as they are.
func (l *Listing) Resolve(root, name string) string {
	at := root
	rest := path.Clean("/" + name)[1:]
	for links := 0; rest != ""; {
		var next string
		next, rest, _ = strings.Cut(rest, "/")
		switch next {
		case "", ".":
			continue
		case "..":
			if at != root {
				at = path.Dir(at)
			}
			continue
		}
		e := l.Find(at + "/" + next)
		if rest == "" || e == nil || e.Type != TypeSymlink || links == maxLinks {
			at += "/" + next
			continue
		}
		links++
		if strings.HasPrefix(e.Link, "/") {
			at = root
		}
		rest = e.Link + "/" + rest
	}
	return at
}
