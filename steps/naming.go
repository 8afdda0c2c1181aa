package steps

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// hostCandidates returns, of the words of a value that [HostFiles] may take for
// names, what has to be in the working directory for each to name a file; it is
// empty for a word that names one whether or not it is there.
func hostCandidates(value string) (first []string) {
	for _, word := range strings.FieldsFunc(value, isSeparator) {
		scheme, _, isURL := strings.Cut(word, "://")
		switch {
		case isURL && scheme == "file":
			first = append(first, "")
		case !isURL:
			for part := range strings.SplitSeq(word, ":") {
				first = append(first, firstComponent(part))
			}
		}
	}
	return first
}

// firstComponent returns what a relative name begins with, "" for other names.
func firstComponent(name string) string {
	clean := filepath.Clean(name)
	first, _, _ := strings.Cut(clean, "/")
	if isPath(name) || first == ".." || first == "~" {
		return ""
	}
	return first
}

// naming returns the variables that may name files of the host. Almost no value
// of hundreds does, and one look into the working directory tells which: there
// are fewer names in it than words that could be one.
func (p *values) naming(files HostFiles) map[string]string {
	env := make(map[string]string)
	take := func(first string) {
		for _, variable := range p.files[first] {
			env[variable] = p.env[variable]
		}
	}
	if len(p.files) == 0 {
		return env
	}
	names, err := namesIn(files.path("."))
	if err != nil { // what is there cannot be known
		names = slices.Collect(maps.Keys(p.files))
	}
	take("")
	take(".")
	for _, name := range names {
		take(name)
	}
	return env
}

func namesIn(dir string) ([]string, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Readdirnames(-1)
}
