package packages

import (
	"maps"
	"slices"
	"testing"
)

func TestDpkg(t *testing.T) {
	for _, test := range []struct {
		name, status string
		want         map[string]string
	}{
		{"empty", "", map[string]string{}},
		{"installed", "Package: curl\nStatus: install ok installed\nVersion: 7.88.1-10\nArchitecture: amd64\n", map[string]string{"curl": "7.88.1-10"}},
		{"states", `Package: held
Status: hold ok installed
Version: 1

Package: half
Status: install reinstreq half-configured
Version: 2

Package: removed
Status: deinstall ok config-files
Version: 3

Package: purged
Status: purge ok not-installed

Package: waits
Status: install ok triggers-awaited
Version: 4
`, map[string]string{"held": "1", "half": "2", "waits": "4"}},
		{"continued lines", "Package: a\nStatus: install ok installed\nConffiles:\n /etc/a 0123\n /etc/b 4567\nDescription: short\n Version: 9\n .\n Package: b\nVersion: 1:2-3\n", map[string]string{"a": "1:2-3"}},
		{"two architectures", "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\nPackage: libc6\nStatus: install ok installed\nArchitecture: i386\nVersion: 2\n",
			map[string]string{"libc6:amd64": "1", "libc6:i386": "2"}},
		{"other architecture removed", "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\nPackage: libc6\nStatus: deinstall ok config-files\nArchitecture: i386\nVersion: 2\n",
			map[string]string{"libc6": "1"}},
		{"no status file", "\x00\x01: binary\n\n\n: \n", map[string]string{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Dpkg([]byte(test.status)); !maps.Equal(got, test.want) {
				t.Errorf("Dpkg(%q) = %v, want %v", test.status, got, test.want)
			}
		})
	}
}

func TestDiff(t *testing.T) {
	before := map[string]string{"same": "1", "up": "1", "gone": "1"}
	after := map[string]string{"same": "1", "up": "2", "new": "3"}
	want := []Change{{"gone", "1", ""}, {"new", "", "3"}, {"up", "1", "2"}}
	if got := Diff(before, after); !slices.Equal(got, want) {
		t.Errorf("Diff = %v, want %v", got, want)
	}
	if got := Diff(before, before); got != nil {
		t.Errorf("Diff of the same = %v", got)
	}
}

// Whatever is read, every package has a name, and reading does not fail.
func FuzzDpkg(f *testing.F) {
	f.Add([]byte("Package: curl\nStatus: install ok installed\nVersion: 7.88.1-10\n"))
	f.Add([]byte(" \n\nPackage:\n\n"))
	f.Fuzz(func(t *testing.T, status []byte) {
		for name := range Dpkg(status) {
			if name == "" {
				t.Error("a package without a name")
			}
		}
	})
}
