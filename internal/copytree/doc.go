// Package copytree copies a directory tree with everything that a filesystem
// can say about it: modes (set-user-id bits too), owners, times to the
// nanosecond, extended attributes, ACLs, capabilities, hard links, devices,
// fifos, sockets, holes, and names of any bytes.
//
//	err := copytree.Copy(ctx, "/run/tree", "/mnt/target", copytree.Options{})
//
// One goroutine, the creator, walks the source in sorted order and makes every
// name in the target; workers fill the files it has opened. Directory
// entries and hard links are therefore made in one order, always, while the bytes
// move in parallel. A directory gets its own attributes when its last entry has
// been made: a default ACL must not be inherited by copies, and a new entry
// would change the directory's times.
//
// All names are opened relative to their directory and never through a
// symbolic link, so nothing in a tree can direct a copy out of it.
package copytree
