// Package wire has the forms in which layers and blobs travel between stores.
//
// # Layers
//
// A layer is a tar file, compressed with zstd: PAX headers, entries in the order
// of the listing, times with nanoseconds, owners as numbers, attributes as
// SCHILY.xattr records, deleted paths as .wh.NAME and opaque directories with a
// .wh..wh..opq, as in images of containers. Five records are ours:
//
//	DIBGRAPH.whiteout  the entry is a whiteout; a file that is just called
//	                   .wh.something does not have it
//	DIBGRAPH.opaque    the entry makes its directory opaque
//	DIBGRAPH.volatile  the content is no part of the layer's digest
//	DIBGRAPH.xattr.N   as SCHILY.xattr, for names with a "=": N is escaped as in
//	                   the query of an address
//	DIBGRAPH.sparse    size, and offset and length of the data that follows
//
// [DecodeLayer] believes nothing. Everything that [EncodeLayer] does not write is
// a [*RefusedError].
//
// # Blobs
//
// A blob is sent as it is, or compressed, or with its holes left out and the rest
// compressed: whatever is smaller. How it was sent is its [Encoding].
package wire
