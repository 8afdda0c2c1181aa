// Package compat compares the trees of two images that different programs built
// from the same elements.
//
// What two builds of one image cannot have in common, such as the ids of the
// machine or the caches of package managers, is a list of [Rule]s, each with its
// reason. Everything else that differs is reported.
package compat
