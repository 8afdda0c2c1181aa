// Package reports turns a build, or the plan of one, into a file that can be
// read elsewhere: a page for people, JSON, or a trace for a viewer of profiles.
//
// Whoever makes a [Report] words it; this package draws and writes.
package reports
