package fetch

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// FindChecksum returns the checksum of a file in a list of them, by its name
// without directories. It reads what is published beside files:
//
//	HEX  name              of sha256sum; "*name" for binary files, "./name"
//	SHA256 (name) = HEX    of BSD, and sha256sum --tag
//	HEX                    alone: a list of one file that needs no name
//
// All else is passed over: comments, and the signature around a list. Where a
// file has several checksums, the longest kind counts; two different ones of
// the same kind are an error, as is a file that is not listed, or only with a
// weak checksum.
func FindChecksum(list []byte, name string) (Checksum, error) {
	found := map[string]Checksum{}
	var tooWeak string
	for _, e := range entries(string(list)) {
		if e.name != "" && path.Base(e.name) != name {
			continue
		}
		if kind := weak[len(e.sum)]; kind != "" {
			tooWeak = kind
			continue
		}
		for algorithm, length := range digits {
			if len(e.sum) != length || e.algorithm != "" && e.algorithm != algorithm {
				continue
			}
			sum := Checksum{algorithm, e.sum}
			if other, ok := found[algorithm]; ok && other != sum {
				return Checksum{}, fmt.Errorf("the list has two checksums for %q: %s and %s", name, other, sum)
			}
			found[algorithm] = sum
		}
	}
	for _, algorithm := range []string{"sha512", "sha256"} {
		if sum, ok := found[algorithm]; ok {
			return sum, nil
		}
	}
	if tooWeak != "" {
		return Checksum{}, fmt.Errorf("the list has only the %s of %q; use one with sha256 or sha512", tooWeak, name)
	}
	return Checksum{}, fmt.Errorf("the list has no checksum of %q", name)
}

// An entry is one line of a list; the algorithm is that which it says.
type entry struct{ algorithm, sum, name string }

var (
	gnuLine = regexp.MustCompile(`^([0-9A-Fa-f]{32,128})[ \t]+\*?(\S.*)$`)
	bsdLine = regexp.MustCompile(`^([A-Za-z0-9-]+) \((.+)\) = ([0-9A-Fa-f]{32,128})$`)
)

// entries reads the lines of a list.
func entries(list string) []entry {
	var all []entry
	var bare []string
	for line := range strings.Lines(list) {
		line = strings.TrimRight(line, " \t\r\n")
		if m := bsdLine.FindStringSubmatch(line); m != nil {
			algorithm := strings.ReplaceAll(strings.ToLower(m[1]), "-", "")
			all = append(all, entry{algorithm, strings.ToLower(m[3]), m[2]})
		} else if m := gnuLine.FindStringSubmatch(line); m != nil {
			all = append(all, entry{"", strings.ToLower(m[1]), m[2]})
		} else if isHex(line) && len(line) >= 32 {
			bare = append(bare, strings.ToLower(line))
		}
	}
	if len(all) == 0 && len(bare) == 1 {
		all = append(all, entry{sum: bare[0]})
	}
	return all
}
