// Package oci keeps the content and the packs of stores in a repository of a
// container registry.
//
// A content is a blob. A named object is a manifest under a tag of the same name:
// its config is the object's bytes, which the manifest carries with it if they
// are small, so that one request answers a look-up; its layers are the contents
// that the object is about, so that the garbage collection of the registry keeps
// them as long as it is there. An object that is about very many contents is an
// index of several such manifests.
//
// A registry lists no blobs, and deletes manifests only if it is configured to.
// An object that was replaced stays in the registry without a tag, until its
// garbage collection removes it.
package oci
