// Package cache is the local store: what is already done, kept as plain files
// under one directory, without a database.
//
// # Terms
//
//   - A [Digest] names bytes: a blob, or what a layer changes.
//   - A [Key] names work: it is the hash of a readable description.
//   - A blob is the bytes of one file.
//   - A layer is what one node changed in the tree of its parent: the upper
//     directory of an overlay, with a canonical [Listing] of it.
//   - A [Record] says what the work of a key left behind. A record is only
//     visible while everything it names is there.
//   - A miss is the answer of [Store.Lookup] when there is no such record. It
//     is a [*MissError] and carries its reason.
//
// # Layout
//
//	VERSION  CACHEDIR.TAG  lock
//	trim.lock  usage         held alone by a trim, shared by look-ups; what the store takes, if it has a limit
//	tmp/<owner>/             temporary work of one open store, which holds a flock on "lock" in it,
//	                         the hashes of what it uses, in "leases", and what is known of builds
//	                         that are under way, in "build-<n>": of a dead owner's, records are made
//	pins/<kind>-<name>       JSON: what is never trimmed
//	trash/                   renamed away, deleted when a store is closed
//	pending/<owner>.<n>      an epoch of writes that are not known to be on disk yet
//	layers/ab/<digest>/      tree (the upper directory), listing (text), meta (JSON)
//	squash/ab/<digest>/      tree, meta: many layers merged into one directory
//	blobs/ab/<digest>        read-only files
//	records/ab/<key>         JSON
//	shapes/ab/<static key>   JSON: the trace shapes seen for a static key
//	history/<image>/<node>   the key this node last used
//	validators/ab/<name>     JSON: what a server said last about a file
//	tokens/ab/<hash of name> JSON: the last known state of something remote
//	delivered/ab/<path>      what was copied to a path outside, and its stat
//	lost/ab/<key>            a record that an unclean boot made worthless, to be told of
//	places/ab/<digest>       JSON: where content is that may not be here
//	builds/<id>_<image>      JSON: one build
//	locks/ab/<key>           single flight
//	quarantine/              damaged content, for study
//
// Everything but the three files at the top is readable by the owner only:
// layers hold set-user-id files and password hashes, records hold the values
// of variables.
//
// # Writing
//
// Every object is made under tmp and renamed into place, content first and the
// record last, so that nothing is ever half there. A second writer of the same
// object is harmless.
//
// Renames order what other processes see, but not what a power failure leaves
// on disk. Instead of an fsync for each file there is one syncfs for a group of
// commits: before its first write after a sync, a store puts a durable marker,
// the epoch, under pending, with the boot id of the kernel and the mount that the
// store is on, and [Store.Sync] removes the marker after syncfs. Records and builds
// name the epoch that they were written in. [Open] finds the markers of other boots,
// drops what was written in their epochs, and all content that no remaining record
// names. Of epochs of this boot on another mount it drops blobs that are damaged.
//
// # Trimming
//
// The modification time of a record is its last use. Everything that an open
// store found or made is leased until it is closed or its process ends, see
// leases; [Store.Trim] never chooses that. With Options.MaxSize, whoever puts
// something in its place makes room first: at no moment does the store take more
// than that, temporary files of running work and what open stores need aside.
//
// # Use
//
//	store, err := cache.Open(dir, cache.Options{})
//	if err != nil {
//		return err
//	}
//	defer store.Close()
//	record, err := store.Lookup(cache.KeyOf(description))
//	if errors.Is(err, cache.ErrMiss) {
//		// build, then store.Put
//	}
//
// All methods of [Store] may be called concurrently, by several goroutines and
// by several processes.
package cache
