// Package export turns a state of the local store into what other programs can
// read: tar archives, one of the whole tree or one a layer, and a directory.
//
//	tree, err := export.Flat(store, layers, "mnt")
//	err = tree.WriteTar(ctx, w)
//
//	trees, err := export.Layered(store, layers, "mnt", 100)
//	for _, t := range trees { ... } // bottom first, whiteouts as container images have them
//
// Only what is below one directory of the build tree is taken, and becomes the
// root. Nothing is mounted and nothing is written to the store. The content of
// every file is compared with its digest on the way.
//
// The same layers give the same bytes. Times are whole seconds, as in the layers
// that other programs write; holes of sparse files are written as zeros to
// archives, and stay holes in a directory.
package export
