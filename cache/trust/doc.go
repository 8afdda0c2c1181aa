// Package trust says which packs of other machines are believed.
//
// A pack on a remote is one object: a note, which says in a few lines of text
// what the pack is, signed with one key or several, and the payload, whose
// SHA-256 and size are in the note:
//
//	dibgraph-pack 1 512 20480
//	dibgraph pack 1
//	scope: main
//	name: pack-main-web-amd64-…
//	salt: none
//	image: web
//	arch: amd64
//	builder: ci@runner
//	time: 2026-11-26T18:34:41Z
//	payload: sha256 … 20480
//
//	— ci AbCd…
//	(20480 bytes)
//
// Notes and keys have the form of golang.org/x/mod/sumdb/note, ed25519. The
// first line says how long note and payload are, and is not signed: with other
// lengths neither signature nor sum are right.
//
// A [Policy] opens such an object: whoever may write to a remote can neither
// change what a trusted key signed, nor show it under another name or in another
// scope. What was believed once keeps its [Origin], and is asked about again
// whenever it is used, since a key can be revoked.
//
// What this does not give: someone who may write to a remote can take packs away
// and put back old ones, signed by the same key for the same name. Both cost
// time only: what is in an old pack is as right as it was, and is used for the
// keys it was made for. The bytes of layers and blobs are bound by the payload,
// which names each by its SHA-256.
package trust
