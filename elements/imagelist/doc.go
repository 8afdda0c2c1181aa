// Package imagelist reads files that list images: the image lists of
// diskimage-builder, and what dibgraph knows besides (defaults, a matrix of
// variables, dependencies, freshness and caches of each image).
//
// A file is a list of entries, or a map with such a list under "images".
// Entries of one name are one image, see [Read]. The package opens no files,
// reads no environment and resolves no elements: [Image.Define] turns an image
// into an [elements.Definition], and what is wrong with that is found when it is
// loaded.
package imagelist
