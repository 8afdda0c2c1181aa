// Package graph decides what has to run, in which order, and why.
//
// A [Node] places an [Action] in a [Graph]: what it works on (the state its
// Parent left), what else it reads (Inputs), and what it leaves behind: a
// layer of the build tree, or output blobs, or both. The [Builder] looks each
// node's key up in the cache and runs what misses.
//
// # Keys
//
// The key of a node is the hash of its description, a readable text with one
// input a line. The description has two parts. The static part is known
// before anything runs: format, kind, parent chain, the digests of the inputs
// and whatever [Action.Describe] writes. Its hash, the static key, leads to
// the trace shapes of earlier runs: sorted lists of the names of things that
// such a run was observed to read. For each shape, newest first, the present
// value of every name is added as the second part, the whole is hashed, and
// the record of that key is looked up. So no run is ever needed to compute a
// key.
//
// # Early cutoff
//
// Keys contain the content digests of a node's direct inputs, never their
// keys. A node that ran again and left the same bytes therefore changes no
// key after it: everything that follows hits.
//
// # Reasons
//
// Every miss carries its reasons, recorded where the decision is made, by
// comparing the description with the one of the record this node last used.
package graph
