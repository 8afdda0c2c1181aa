// Package mirror asks what others serve over the network for the state it is
// in, without fetching what they serve: a suite of a package archive by its
// Release file, a reference of a git repository by what it points to.
//
// A [State] is equal to an earlier one if and only if what can be got is the
// same. A release that was signed again, or whose validity was extended, has
// the state it had before.
package mirror
