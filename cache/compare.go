package cache

import (
	"slices"
)

// An Aspect is something about a path that two listings can disagree on.
type Aspect string

// The aspects of a path. Times are none: they make no difference to a digest.
const (
	AspectType     Aspect = "type" // nothing else is compared then
	AspectContent  Aspect = "content"
	AspectTarget   Aspect = "link target"
	AspectDevice   Aspect = "device number"
	AspectMode     Aspect = "mode"
	AspectOwner    Aspect = "owner"
	AspectXattrs   Aspect = "extended attributes"
	AspectHardLink Aspect = "hard link"
	AspectOpaque   Aspect = "opaque"
	AspectVolatile Aspect = "volatile"
)

// A Difference is a path that two listings do not agree on.
type Difference struct {
	Path string
	// Before and After are what the listings have there; nil is nothing.
	Before, After *Entry
	// Aspects say in a fixed order what differs. There are none for a path
	// that only one of the listings has.
	Aspects []Aspect
}

// A Comparison is what two listings do not agree on. It is about all that goes
// into a digest and nothing else: two listings have no differences if and only
// if they have the same digest.
type Comparison struct {
	// Differences are in the order of the listings.
	Differences []Difference
	// Masked is the number of volatile files with different content, which
	// makes no difference.
	Masked int
}

// CompareListings compares two listings, of which either may be nil for that of
// no layer. Only the first path of a file with several is compared in content;
// for the others it counts which file they are. The entries of the differences
// are those of the listings.
func CompareListings(before, after *Listing) Comparison {
	var c Comparison
	a, b := entriesOf(before), entriesOf(after)
	for len(a) > 0 || len(b) > 0 {
		order := 0
		switch {
		case len(a) == 0:
			order = +1
		case len(b) == 0:
			order = -1
		default:
			order = comparePaths(a[0].Path, b[0].Path)
		}
		switch {
		case order < 0:
			c.Differences = append(c.Differences, Difference{Path: a[0].Path, Before: &a[0]})
			a = a[1:]
		case order > 0:
			c.Differences = append(c.Differences, Difference{Path: b[0].Path, After: &b[0]})
			b = b[1:]
		default:
			c.compare(&a[0], &b[0])
			a, b = a[1:], b[1:]
		}
	}
	return c
}

func entriesOf(l *Listing) []Entry {
	if l == nil {
		return nil
	}
	return l.Entries
}

// compare adds what differs between two entries of one path.
func (c *Comparison) compare(before, after *Entry) {
	aspects, masked := differingAspects(before, after)
	if masked {
		c.Masked++
	}
	if len(aspects) > 0 {
		c.Differences = append(c.Differences, Difference{before.Path, before, after, aspects})
	}
}

func differingAspects(a, b *Entry) (aspects []Aspect, masked bool) {
	switch {
	case a.Whiteout && b.Whiteout:
		return nil, false
	case a.Whiteout != b.Whiteout || a.Type != b.Type:
		return []Aspect{AspectType}, false
	case a.HardLink != "" && b.HardLink != "":
		// All else is the first path's, and compared there.
		if a.HardLink != b.HardLink {
			aspects = []Aspect{AspectHardLink}
		}
		return aspects, false
	}
	content := a.Size != b.Size || a.Digest != b.Digest
	masked = content && a.Volatile && b.Volatile
	for _, one := range []struct {
		differs bool
		aspect  Aspect
	}{
		{content && !masked, AspectContent},
		{a.Link != b.Link, AspectTarget},
		{a.Rdev != b.Rdev, AspectDevice},
		{a.Mode != b.Mode, AspectMode},
		{a.UID != b.UID || a.GID != b.GID, AspectOwner},
		{!slices.Equal(a.Xattrs, b.Xattrs), AspectXattrs},
		{a.HardLink != b.HardLink, AspectHardLink},
		{a.Opaque != b.Opaque, AspectOpaque},
		{a.Volatile != b.Volatile, AspectVolatile},
	} {
		if one.differs {
			aspects = append(aspects, one.aspect)
		}
	}
	return aspects, masked
}
