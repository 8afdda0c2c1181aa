// Package ociimage writes container images, and reads them as one tree.
//
//	image := &ociimage.Image{Name: "web:1.0", Architecture: "amd64", Created: t, Layers: layers}
//	sink, err := ociimage.CreateLayout("web")
//	manifest, err := image.Write(ctx, sink, ociimage.Gzip)
//
//	tree, err := ociimage.NewTree("")
//	err = tree.AddLayer(ctx, layer, verify)                // bottom first
//	err = tree.WriteTar(w)
//
// A [Sink] is where an image goes: a directory or an archive with the layout of
// the Open Container Initiative, the archive that docker load reads, or a
// registry. Layers are compressed in parallel into files without names, so that
// a killed process leaves none behind. The same image gives the same bytes.
package ociimage
