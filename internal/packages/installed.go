package packages

import (
	"errors"
	"fmt"
	"io/fs"
)

// Files are the paths in a root, without the slash, that [Installed] reads.
var Files = []string{
	DpkgStatus,
	"usr/lib/sysimage/rpm/rpmdb.sqlite", "usr/lib/sysimage/rpm/rpmdb.sqlite-wal", "usr/lib/sysimage/rpm/Packages.db", "usr/lib/sysimage/rpm/Packages",
	"var/lib/rpm/rpmdb.sqlite", "var/lib/rpm/rpmdb.sqlite-wal", "var/lib/rpm/Packages.db", "var/lib/rpm/Packages",
}

// rpmDirs are where rpm keeps its database: the new place, and the old one,
// which may be a link to it.
var rpmDirs = []string{"usr/lib/sysimage/rpm", "var/lib/rpm"}

// ErrUnreadable says that a root has a package database that cannot be read
// here.
var ErrUnreadable = errors.New("its packages cannot be compared")

// Installed returns the packages of a root, whose files read returns, and which
// package manager installed them. A root without one has no packages. An error
// is that of read, or ErrUnreadable.
func Installed(read func(path string) ([]byte, error)) (manager string, versions map[string]string, err error) {
	status, err := optional(read, DpkgStatus)
	if err != nil {
		return "", nil, err
	}
	if status != nil {
		return "dpkg", Dpkg(status), nil
	}
	for _, dir := range rpmDirs {
		found, versions, err := rpmIn(read, dir)
		if found || err != nil {
			return "rpm", versions, err
		}
	}
	return "", nil, nil
}

// rpmIn reads the database in one place, and reports whether there is one.
func rpmIn(read func(path string) ([]byte, error), dir string) (found bool, versions map[string]string, err error) {
	unreadable := func(name, why string) error {
		return fmt.Errorf("%w: /%s/%s: %s", ErrUnreadable, dir, name, why)
	}
	const name = "rpmdb.sqlite"
	database, err := optional(read, dir+"/"+name)
	if err != nil {
		return false, nil, err
	}
	if database == nil {
		for _, old := range []string{"Packages.db", "Packages"} {
			if content, err := optional(read, dir+"/"+old); content != nil || err != nil {
				return true, nil, errors.Join(err, unreadable(old, "a database of rpm from before it used SQLite is not read"))
			}
		}
		return false, nil, nil
	}
	if log, err := optional(read, dir+"/"+name+"-wal"); len(log) > 0 || err != nil {
		return true, nil, errors.Join(err, unreadable(name, "rpm did not finish writing to it"))
	}
	if versions, err = Rpm(database); err != nil {
		return true, nil, unreadable(name, err.Error())
	}
	return true, versions, nil
}

// optional reads a file that need not be there: then it is nil.
func optional(read func(path string) ([]byte, error), path string) ([]byte, error) {
	content, err := read(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case content == nil:
		content = []byte{}
	}
	return content, nil
}
