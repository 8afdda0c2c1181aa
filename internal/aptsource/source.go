package aptsource

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// An Entry is one archive with one suite, for binary packages.
type Entry struct {
	// URI is the archive's address without slashes at the end; Suite ends in
	// one if the archive is flat, without a directory "dists".
	URI, Suite string
	Components []string
	// SignedBy names a file with keys, or holds a key; it may be empty.
	SignedBy string
	Trusted  bool
	// File is the base name of the file that has the entry, if it is from one.
	File string
}

// fileName is what apt accepts as a name in sources.list.d.
var fileName = regexp.MustCompile(`^[A-Za-z0-9_.-]+\.(list|sources)$`)

// Read returns all entries of the system with that root directory, in the
// order in which apt reads them. Files that are absent or cannot be read hold
// nothing.
func Read(root fs.FS) []Entry {
	names := []string{"etc/apt/sources.list"}
	files, _ := fs.ReadDir(root, "etc/apt/sources.list.d") // absent means empty
	for _, file := range files {
		if fileName.MatchString(file.Name()) {
			names = append(names, path.Join("etc/apt/sources.list.d", file.Name()))
		}
	}
	var entries []Entry
	for _, name := range names {
		text, err := fs.ReadFile(root, name)
		if err != nil {
			continue
		}
		parse := ParseList
		if path.Ext(name) == ".sources" {
			parse = ParseSources
		}
		for _, e := range parse(text) {
			e.File = path.Base(name)
			entries = append(entries, e)
		}
	}
	return entries
}

// ParseList reads the format of sources.list, with one entry a line:
//
//	deb [ option=value … ] URI suite component …
func ParseList(text []byte) []Entry {
	var entries []Entry
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "deb")
		if !ok || rest == "" || !strings.ContainsAny(rest[:1], " \t") {
			continue
		}
		rest = strings.TrimSpace(rest)
		var e Entry
		if strings.HasPrefix(rest, "[") {
			var options string
			options, rest, _ = strings.Cut(rest[1:], "]")
			e.setOptions(options)
		}
		if fields := strings.Fields(rest); len(fields) >= 2 {
			e.URI, e.Suite, e.Components = strings.TrimRight(fields[0], "/"), fields[1], fields[2:]
			entries = append(entries, e)
		}
	}
	return entries
}

// setOptions reads the options of an entry.
func (e *Entry) setOptions(options string) {
	for _, option := range strings.Fields(options) {
		name, value, _ := strings.Cut(option, "=")
		switch strings.ToLower(name) {
		case "signed-by":
			e.SignedBy = value
		case "trusted":
			e.Trusted = isYes(value)
		}
	}
}

// ParseSources reads the format of NAME.sources, paragraphs with fields, each of which makes
// an entry of every address with every suite.
func ParseSources(text []byte) []Entry {
	var entries []Entry
	for _, fields := range paragraphs(text) {
		enabled := fields["enabled"] == "" || isYes(fields["enabled"])
		if !enabled || !slices.Contains(strings.Fields(fields["types"]), "deb") {
			continue
		}
		for _, uri := range strings.Fields(fields["uris"]) {
			for _, suite := range strings.Fields(fields["suites"]) {
				entries = append(entries, Entry{
					URI: strings.TrimRight(uri, "/"), Suite: suite, Components: strings.Fields(fields["components"]),
					SignedBy: strings.TrimSpace(fields["signed-by"]), Trusted: isYes(fields["trusted"]),
				})
			}
		}
	}
	return entries
}

// paragraphs returns the fields of each paragraph, their names in lower case.
func paragraphs(text []byte) []map[string]string {
	var all []map[string]string
	fields, last := map[string]string{}, ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, " \t\r\n")
		switch name, value, ok := strings.Cut(line, ":"); {
		case line == "":
			all = append(all, fields)
			fields, last = map[string]string{}, ""
		case strings.HasPrefix(line, "#"):
		case line[0] == ' ' || line[0] == '\t':
			fields[last] += "\n" + strings.TrimSpace(line)
		case ok:
			last = strings.ToLower(name)
			fields[last] = strings.TrimSpace(value)
		}
	}
	return append(all, fields)
}

func isYes(value string) bool {
	return slices.Contains([]string{"yes", "true", "with", "on", "enable", "1"}, strings.ToLower(value))
}
