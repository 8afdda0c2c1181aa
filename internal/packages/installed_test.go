package packages

import (
	"errors"
	"io/fs"
	"testing"
)

func TestInstalled(t *testing.T) {
	rpm := string(database(t))
	for _, test := range []struct {
		name    string
		files   map[string]string
		manager string
		count   int
		failed  bool
	}{
		{"nothing", nil, "", 0, false},
		{"dpkg", map[string]string{DpkgStatus: "Package: a\nStatus: install ok installed\nVersion: 1\n"}, "dpkg", 1, false},
		{"dpkg without packages", map[string]string{DpkgStatus: ""}, "dpkg", 0, false},
		{"rpm", map[string]string{"var/lib/rpm/rpmdb.sqlite": rpm, "var/lib/rpm/rpmdb.sqlite-wal": ""}, "rpm", 5, false},
		{"rpm in the new place", map[string]string{"usr/lib/sysimage/rpm/rpmdb.sqlite": rpm}, "rpm", 5, false},
		{"rpm was writing", map[string]string{"var/lib/rpm/rpmdb.sqlite": rpm, "var/lib/rpm/rpmdb.sqlite-wal": "log"}, "rpm", 0, true},
		{"old rpm", map[string]string{"var/lib/rpm/Packages": "\x00"}, "rpm", 0, true},
		{"damaged rpm", map[string]string{"var/lib/rpm/rpmdb.sqlite": rpm[:5000]}, "rpm", 0, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			manager, versions, err := Installed(func(path string) ([]byte, error) {
				content, ok := test.files[path]
				if !ok {
					return nil, fs.ErrNotExist
				}
				return []byte(content), nil
			})
			if manager != test.manager || len(versions) != test.count || errors.Is(err, ErrUnreadable) != test.failed {
				t.Errorf("got %q, %v, %v", manager, versions, err)
			}
		})
	}
	broken := errors.New("broken disk")
	if _, _, err := Installed(func(string) ([]byte, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("error %v, want that of the disk", err)
	}
}

// Every file that is read is in the list of those that may be.
func TestFiles(t *testing.T) {
	listed := make(map[string]bool)
	for _, path := range Files {
		listed[path] = true
	}
	_, _, err := Installed(func(path string) ([]byte, error) {
		if !listed[path] {
			t.Errorf("%s is read and not listed", path)
		}
		return nil, fs.ErrNotExist
	})
	if err != nil {
		t.Error(err)
	}
}
