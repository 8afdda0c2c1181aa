// Package packages reads what the package managers of a root have installed.
package packages

import (
	"cmp"
	"slices"
	"strings"
)

// DpkgStatus is where dpkg keeps what [Dpkg] reads, in the root.
const DpkgStatus = "var/lib/dpkg/status"

// A Change is a package that two states of a root do not agree on. An empty
// version is that of a package which is not installed.
type Change struct {
	Name   string `json:"name"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// Diff lists what differs between two sets of packages, versions by names, in
// the order of the names.
func Diff(before, after map[string]string) []Change {
	var changes []Change
	for name, version := range before {
		if now := after[name]; now != version {
			changes = append(changes, Change{name, version, now})
		}
	}
	for name, version := range after {
		if _, known := before[name]; !known {
			changes = append(changes, Change{Name: name, After: version})
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Compare(a.Name, b.Name) })
	return changes
}

// Dpkg returns the versions of the packages that are unpacked or configured
// according to a status file of dpkg. Where a package is there for several
// architectures the names have the architecture after a colon.
func Dpkg(status []byte) map[string]string {
	type key struct{ name, architecture string }
	versions := make(map[key]string)
	count := make(map[string]int)
	for paragraph := range strings.SplitSeq(strings.ReplaceAll(string(status), "\r\n", "\n"), "\n\n") {
		fields := paragraphFields(paragraph)
		k := key{fields["Package"], fields["Architecture"]}
		if k.name == "" || !present(fields["Status"]) {
			continue
		}
		if _, twice := versions[k]; !twice {
			count[k.name]++
		}
		versions[k] = fields["Version"]
	}
	installed := make(map[string]string, len(versions))
	for k, version := range versions {
		name := k.name
		if count[name] > 1 {
			name += ":" + k.architecture
		}
		installed[name] = version
	}
	return installed
}

// paragraphFields returns the fields of one line; continued lines, as those of
// descriptions and lists of files, are left out.
func paragraphFields(paragraph string) map[string]string {
	fields := make(map[string]string)
	for line := range strings.Lines(paragraph) {
		if line[0] == ' ' || line[0] == '\t' {
			continue
		}
		if name, value, ok := strings.Cut(line, ":"); ok {
			fields[name] = strings.TrimSpace(value)
		}
	}
	return fields
}

// present reports whether a package's files are there, by the third word of
// its status.
func present(status string) bool {
	words := strings.Fields(status)
	return len(words) == 3 && words[2] != "not-installed" && words[2] != "config-files"
}
