package main

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/dibgraph/dibgraph/cache"
)

// withFilesystemHint adds to an error of a filesystem what to do about it. What
// else there is to say next has no sense before that is done.
func withFilesystemHint(err error) error {
	switch {
	case cache.OutOfRoom(err):
		return &hintError{err, `make room where it is named and run the same command again, which goes on from what is kept: ` +
			`"dibgraph cache trim" gives up results, and --cache-dir and -o can name other filesystems`}
	case errors.Is(err, unix.EROFS):
		return &hintError{err, "make that filesystem writable, or name a directory on another one with --cache-dir or -o; " +
			`"dibgraph plan", "explain" and "log" read a store that cannot be written`}
	}
	return err
}
