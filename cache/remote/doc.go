// Package remote keeps the content and the packs of stores where several
// machines reach them: in a directory, a registry, a bucket, or on a web server.
//
// A [Remote] knows nothing of records, layers or trust. It has two kinds of
// things. A content is bytes under their own SHA-256, which never change. A
// named object is a small text, a signed pack, under a name that is known
// before; the newest one replaces those before it.
//
// What comes from a remote is believed by nobody: [Remote] gives bytes as they
// come, and who reads them checks digest, size and signature.
package remote
