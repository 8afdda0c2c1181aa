// Package mount mounts and unmounts: overlays, binds, and the kernel's own
// filesystems. It changes the mount namespace of the calling process and
// remembers nothing; whoever mounts registers the [Unmount] on the next line.
//
// Words: a lower is a read-only directory of an overlay, the upper is the one
// that takes the writes, the work directory belongs to the kernel while the
// overlay is mounted and is on the same filesystem as the upper.
//
// Overlays and binds use the mount API of file descriptors (fsopen, open_tree,
// move_mount) where the kernel has it, else mount(2). The difference that
// matters: mount(2) takes one page of options, and what does not fit is cut off
// without an error, so that 52 lowers with names of 80 bytes end in a misleading
// ENOENT. The descriptor API takes one lower at a time (kernel 6.8 and later).
//
// Symbolic links in a source or target are followed, as in mount(2).
package mount
