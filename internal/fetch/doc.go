// Package fetch gets files by HTTP: whole, checked, and with what the server
// says by which a later version of them can be told.
//
//	c := fetch.New(environment)
//	version, err := c.Ask(ctx, address)       // what a HEAD request answers
//	version, err = c.Get(ctx, address, file)  // the bytes
//	sum, err := fetch.FindChecksum(list, "base.tar.xz")
//	err = sum.Check(file)
//
// A transfer that is cut off goes on where it stopped, if the server can tell
// that the file is still the same, and else from the beginning. What may pass
// (no connection, a stall, a status of the 500s) is tried a few times; see
// [Error.Passing] for the difference.
//
// The bytes are those that the server keeps: no encoding is asked for, and
// none is undone.
package fetch
