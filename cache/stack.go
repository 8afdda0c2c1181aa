package cache

import "slices"

// Distinct returns layers, which are given bottom first, without those that are
// there again further up. The same change made twice, such as a file that comes
// and goes in one directory, is the same layer twice, but overlayfs refuses the
// same directory twice (ELOOP).
//
// What is seen stays the same: every path of the lower one is covered by the
// same path of the upper one, and what the lower one hides is hidden by the
// upper one. The argument is not modified.
func Distinct(layers []Digest) []Digest {
	seen := make(map[Digest]bool, len(layers))
	distinct := make([]Digest, 0, len(layers))
	for _, d := range slices.Backward(layers) {
		if !seen[d] {
			seen[d] = true
			distinct = append(distinct, d)
		}
	}
	slices.Reverse(distinct)
	return distinct
}
