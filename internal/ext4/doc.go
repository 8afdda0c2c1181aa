// Package ext4 writes a directory tree into a new ext4 filesystem that is not
// mounted: into the file or device that it was made in.
//
//	err := ext4.Fill(ctx, file, ext4.Options{Offset: start, Source: "/run/tree"})
//
// The kernel decides anew in every copy which blocks a file gets. Here that follows
// from the tree alone: equal trees in equal new filesystems give equal bytes. And what
// changes little, changes little in the image:
//
//	directories, long links …   from the first free block on
//	files below 64 KiB  ┐       of the lowest rank, from a multiple of 64 KiB on,
//	larger files        ┘       each of these from a multiple of 64 KiB on
//	…                           of the next rank, and so on
//
// A rank is what the caller says: that of the layer that a file is from. What a late
// layer changes then moves nothing of earlier ones; what it moves, it moves by
// multiples of 64 KiB, so that those who look at clusters of an image find the same ones
// at other places. Inodes are numbered in the same order.
//
// The tree is listed first, and everything gets its place; then workers read
// files and write them in large parts, ascending, past all caches but that of the file; and
// in the end come inode tables, bitmaps, group descriptors and the superblock.
// Nothing is journaled, for nobody wants a filesystem that is half filled.
//
// Filesystems and trees with what this package does not know are an error that
// wraps [ErrUnsupported]; nothing was written then, and the kernel can do it.
package ext4
