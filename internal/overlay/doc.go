// Package overlay repairs what an overlay mount cannot keep in its upper
// directory: hard links that an earlier layer made.
//
// Say a lower has one file under the names a and b, and a step appends to a. The
// overlay copies the file up and writes there. While it is mounted, with
// index=on, b shows the new content too: the kernel notes in the index, a
// directory below the work directory, which lower file the copy stands for. But
// the upper has the name a only, and as a layer of its own, without the index, it
// would leave b with the old content. [Relink] gives the upper the other names.
//
//	o.Mount(merged)
//	… the step runs, everything it started is killed …
//	overlay.Relink(o, merged)
//	mount.UnmountTree(merged)
//	os.RemoveAll(o.Work) // the index holds a link to each of those files
//	… o.Upper is the layer …
//
// A name that is replaced (rename over it, or remove and create) is not written
// in place: its old siblings keep the old content, as on any filesystem. The
// index tells the two apart; the upper alone does not.
//
// The kernel does without an index where the filesystem of a lower cannot name
// its files by handles (some network filesystems, another overlay). Hard links
// that are written in place then come apart, in the mount already, and Relink
// changes nothing. Ext4, xfs, btrfs, erofs, squashfs and tmpfs have handles.
package overlay
