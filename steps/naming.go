package steps

import (
	"os"
	"path/filepath"
	"strings"
)

// A hostCandidate is a word in the value of a variable that may be the name of a
// file of the host.
type hostCandidate struct {
	variable string
	// first is what has to be in the working directory for the word to name a
	// file; empty for a word that names one whether or not it is there.
	first string
}

// hostCandidates returns the words of a value that [HostFiles] may take for names.
func hostCandidates(variable, value string) []hostCandidate {
	var all []hostCandidate
	for _, word := range strings.FieldsFunc(value, isSeparator) {
		scheme, _, isURL := strings.Cut(word, "://")
		switch {
		case isURL && scheme == "file":
			all = append(all, hostCandidate{variable: variable})
		case !isURL:
			for part := range strings.SplitSeq(word, ":") {
				all = append(all, hostCandidate{variable, firstComponent(part)})
			}
		}
	}
	return all
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
// of hundreds does, and one look into the working directory tells most apart.
func (p *values) naming(files HostFiles) map[string]string {
	env := make(map[string]string)
	var present map[string]bool
	for _, c := range p.files {
		if c.first != "" && present == nil {
			present = namesIn(files.path("."))
		}
		if c.first == "" || present[c.first] || present["*"] {
			env[c.variable] = p.env[c.variable]
		}
	}
	return env
}

// namesIn returns the names in a directory; "*" stands for any if they cannot be
// read.
func namesIn(dir string) map[string]bool {
	names := map[string]bool{".": true}
	d, err := os.Open(dir)
	if err == nil {
		defer d.Close()
		var list []string
		if list, err = d.Readdirnames(-1); err == nil {
			for _, name := range list {
				names[name] = true
			}
		}
	}
	names["*"] = err != nil
	return names
}
