package packages

import (
	"errors"
	"fmt"
	"io/fs"
)

// Files are the paths in a root, without the slash, that [Installed] reads.
var Files = append([]string{DpkgStatus}, rpmDatabases...)

// rpmDatabases are where rpm keeps what is installed, in formats of three
// database libraries, old and new places.
var rpmDatabases = []string{
	"usr/lib/sysimage/rpm/rpmdb.sqlite", "usr/lib/sysimage/rpm/Packages.db", "usr/lib/sysimage/rpm/Packages",
	"var/lib/rpm/rpmdb.sqlite", "var/lib/rpm/Packages.db", "var/lib/rpm/Packages",
}

// ErrUnreadable says that a root has a package database that cannot be read
// here.
var ErrUnreadable = errors.New("its packages cannot be compared")

// Installed returns the packages of a root, whose files read returns, and which
// package manager installed them. A root without one has no packages.
func Installed(read func(path string) ([]byte, error)) (manager string, versions map[string]string, err error) {
	status, err := read(DpkgStatus)
	if err == nil {
		return "dpkg", Dpkg(status), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", nil, err
	}
	for _, path := range rpmDatabases {
		_, err := read(path)
		if err == nil {
			return "rpm", nil, fmt.Errorf("%w: /%s is a database of rpm, which this program does not read", ErrUnreadable, path)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", nil, err
		}
	}
	return "", nil, nil
}
