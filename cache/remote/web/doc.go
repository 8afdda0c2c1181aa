// Package web is a remote on a server of HTTP that keeps what is put there:
//
//	GET, HEAD, PUT  BASE/ac/<sha256 of the name>   named objects
//	GET, HEAD, PUT  BASE/cas/<sha256>              contents
//
// That is how the caches of Bazel are laid out, so that bazel-remote (without its
// validation of ac), nginx with its dav module, and Artifactory can serve it. It
// cannot be listed, and so not be cleared up from here.
package web
