// Package aptsource reads where an installation of Debian or one of its
// relatives gets its packages from: the configuration files of apt.
package aptsource
