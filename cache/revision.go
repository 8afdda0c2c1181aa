package cache

import "strings"

// A Revision is what one layer did to a path.
type Revision struct {
	// Layer is the index of the layer.
	Layer int
	// Before and After are what was there below the layer and is there with
	// it; nil is nothing. They are entries of the listings.
	Before, After *Entry
	// Aspects say what differs between the two, if there are both.
	Aspects []Aspect
}

// Revisions returns what layers with these listings, bottom first, did to one
// path, oldest first. Layers that have the path and leave it as it was are none.
func Revisions(layers []*Listing, path string) []Revision {
	var revisions []Revision
	var shown *Entry
	for i, l := range layers {
		after := l.cover(path, shown)
		if r := (Revision{Layer: i, Before: shown, After: after, Aspects: visibleAspects(shown, after)}); r.differs() {
			revisions = append(revisions, r)
		}
		shown = after
	}
	return revisions
}

func (r Revision) differs() bool {
	return (r.Before == nil) != (r.After == nil) || len(r.Aspects) > 0
}

// cover returns what a path shows once the layer is above one that shows below.
func (l *Listing) cover(path string, below *Entry) *Entry {
	if e := l.Find(path); e != nil {
		if e.Whiteout {
			return nil
		}
		return e
	}
	for dir := path; ; {
		slash := strings.LastIndexByte(dir, '/')
		if slash < 0 {
			return below
		}
		dir = dir[:slash]
		if e := l.Find(dir); e != nil && (e.Type != TypeDir || e.Opaque) {
			return nil
		}
	}
}

// visibleAspects says what somebody who looks at a path finds to differ: not
// how overlayfs came to show it, which names the file has besides, or what is
// masked.
func visibleAspects(before, after *Entry) []Aspect {
	if before == nil || after == nil {
		return nil
	}
	a, b := *before, *after
	for _, e := range []*Entry{&a, &b} {
		e.HardLink, e.Opaque, e.Volatile = "", false, false
	}
	aspects, _ := differingAspects(&a, &b)
	return aspects
}
