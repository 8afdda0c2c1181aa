package cache

import (
	"errors"
	"fmt"
	"strings"
)

// ParseListing is the inverse of [Listing.AppendText]. It accepts only what
// AppendText writes, and only listings that a tree can have: in order, each
// parent listed and a directory, each hard link after its first path.
func ParseListing(text []byte) (*Listing, error) {
	rest, ok := strings.CutPrefix(string(text), listingFormat)
	if !ok {
		return nil, fmt.Errorf("parse listing: the first line is not %q", trimLine([]byte(listingFormat)))
	}
	p := listingParser{entries: make([]Entry, 0, strings.Count(rest, "\n"))}
	for number := 2; rest != ""; number++ {
		line, after, ok := strings.Cut(rest, "\n")
		if !ok {
			return nil, fmt.Errorf("parse listing: line %d is cut off", number)
		}
		if err := p.add(line); err != nil {
			return nil, fmt.Errorf("parse listing: line %d: %w", number, err)
		}
		rest = after
	}
	return &Listing{Entries: p.entries}, nil
}

// A listingParser takes one line after the other. The entries share the memory
// of the text.
type listingParser struct {
	entries []Entry
	dirs    []string // the directory of the previous entry and its parents
}

var (
	errFields   = errors.New("wrong number of fields")
	errSpelling = errors.New("a field is not spelled as it has to be")
	errXattr    = errors.New("extended attribute out of order or not of the allow-list")
)

func (p *listingParser) add(line string) error {
	if len(line) < 2 || line[1] != ' ' {
		return errFields
	}
	p.entries = append(p.entries, Entry{})
	e := &p.entries[len(p.entries)-1]
	f := fields{rest: line[2:]}
	switch line[0] {
	case 'w':
		e.Type, e.Whiteout, e.Path = TypeChar, true, f.text()
	case 'h':
		first := f.text()
		path := f.text()
		if err := p.link(e, first, path); err != nil {
			return err
		}
	default:
		if err := f.entry(e, FileType(line[0])); err != nil {
			return err
		}
	}
	if f.err == nil && !f.done {
		f.err = errFields
	}
	if f.err != nil {
		return f.err
	}
	return p.place(e)
}

// link makes e another path of an earlier entry.
func (p *listingParser) link(e *Entry, first, path string) error {
	before := Listing{Entries: p.entries[:len(p.entries)-1]}
	target := before.Find(first)
	if target == nil || target.HardLink != "" || target.Whiteout || target.Type == TypeDir {
		return fmt.Errorf("hard link to %q, which is no earlier file", first)
	}
	*e = *target
	e.Path, e.HardLink = path, first
	return nil
}

// place checks the path of the last entry against those before it.
func (p *listingParser) place(e *Entry) error {
	if !validPath(e.Path) {
		return fmt.Errorf("invalid path %q", e.Path)
	}
	if n := len(p.entries); n > 1 && comparePaths(p.entries[n-2].Path, e.Path) >= 0 {
		return fmt.Errorf("%q is out of order", e.Path)
	}
	parent := ""
	if slash := strings.LastIndexByte(e.Path, '/'); slash >= 0 {
		parent = e.Path[:slash]
	}
	for len(p.dirs) > 0 && p.dirs[len(p.dirs)-1] != parent {
		p.dirs = p.dirs[:len(p.dirs)-1]
	}
	if parent != "" && len(p.dirs) == 0 {
		return fmt.Errorf("the parent of %q is not a directory of the listing", e.Path)
	}
	if e.Type == TypeDir {
		p.dirs = append(p.dirs, e.Path)
	}
	return nil
}

func validPath(path string) bool {
	for name := range strings.SplitSeq(path, "/") {
		if name == "" || name == "." || name == ".." {
			return false
		}
	}
	return strings.IndexByte(path, 0) < 0
}
