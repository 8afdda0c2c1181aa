// Package directory is a remote in a directory that several machines mount, or
// that is carried from one to another: "dir:/path".
//
//	ac/<name>            named objects
//	cas/ab/<sha256>      contents
//
// A file appears under its name when it is whole and on disk. Nothing is locked,
// so that NFS is as good as a disk. Modes follow the umask of whoever writes: who
// may read the directory may read the images.
package directory
