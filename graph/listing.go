package graph

import (
	"context"

	"github.com/dibgraph/dibgraph/cache"
)

// A Listing says what is in a tree, an [Entry] is one path of it, with its
// attributes ([Xattr]), and a [Comparison] is what two listings do not agree on.
// They are the cache's types under names that actions can use without importing
// the cache.
type (
	Listing    = cache.Listing
	Entry      = cache.Entry
	Xattr      = cache.Xattr
	Comparison = cache.Comparison

	// A PathDifference is one of a [Comparison].
	PathDifference = cache.Difference
)

// The types of entries.
const (
	TypeFile    = cache.TypeFile
	TypeDir     = cache.TypeDir
	TypeSymlink = cache.TypeSymlink
	TypeChar    = cache.TypeChar
	TypeBlock   = cache.TypeBlock
	TypeFIFO    = cache.TypeFIFO
)

// ListTree returns the listing of a directory.
func ListTree(dir string) (*Listing, error) { return cache.ListUpper(dir, cache.LayerOptions{}) }

// CompareListings compares two listings; see [cache.CompareListings].
func CompareListings(before, after *Listing) Comparison { return cache.CompareListings(before, after) }

// An OutputComparer is an [Action] that can look into its outputs, which may
// hold the same without being the same bytes.
type OutputComparer interface {
	// CompareOutput compares what is in two versions of an output, which are
	// files that do not change. Dir is an empty directory to work in. It returns
	// false if it cannot tell.
	CompareOutput(ctx context.Context, name, before, after, dir string) (c Comparison, ok bool, err error)
}
