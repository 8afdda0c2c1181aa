// Package qcow2 writes qcow2 images, version 3, from sparse raw ones.
//
//	err := qcow2.Write(ctx, image, raw, qcow2.Options{})
//
// The words are those of the format: a cluster is the unit that both disks,
// the guest's and the image file, are divided into. A standard cluster holds
// the bytes as they are; compressed ones are packed byte by byte, and may cross
// from one host cluster to the next. An L2 table maps guest clusters to places
// in the file, the L1 table says where the L2 tables are. Every host cluster has
// a reference count; those are in refcount blocks, found by the refcount table.
// All numbers are big-endian.
//
// Everything but the header and the L1 table is written in the order in which
// it becomes known, so that no table has to be kept:
//
//	header                     one cluster
//	L1 table                   as long as the virtual size needs
//	data ┐                     of the guest clusters of one L2 table
//	L2   ┘ repeated            behind its data; no table where all is zero
//	refcount block, anywhere   once all it counts is written
//	refcount blocks, table     the rest, at the end
//
// Standard clusters are gathered and placed some together, since nothing can be
// packed across them. Guest clusters that are zero take no place at all.
//
// Three kinds of goroutines work on one image: a scanner asks the filesystem
// where the raw file has data, workers read and compress, and one that stores
// takes their results in the order of the guest. So the bytes of an image do not
// depend on the number of workers.
//
// With [Options.Reuse] a worker looks the digest of a cluster up in the index of an
// earlier image first, and reads there what the compressor would make of it.
package qcow2
