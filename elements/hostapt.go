package elements

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// HostMirrors returns the package mirrors of the host's own distribution, as
// its apt configuration names them, if that is Debian or Ubuntu: the main
// archive as DIBGRAPH_DEBIAN_MIRROR and the one of security updates as
// DIBGRAPH_DEBIAN_SECURITY_MIRROR, or the same with UBUNTU. The caller adds
// them to [Definition.Environment]. root is the root directory, os.DirFS("/").
//
// Archives of others are left alone. One counts as the distribution's when its
// suites are called like those of the host's release, it has the component
// "main", no key of its own, and either an update suite beside the main one or
// its place in the file that the distribution itself installs. Files that are
// absent or cannot be read hold nothing.
func HostMirrors(root fs.FS) map[string]string {
	release := readOSRelease(root)
	id := release["ID"]
	if id != "debian" && id != "ubuntu" {
		return nil
	}
	var entries []aptEntry
	for _, e := range aptEntries(root) {
		if e.usable(id) {
			entries = append(entries, e)
		}
	}
	mirrors := map[string]string{}
	prefix := "DIBGRAPH_" + strings.ToUpper(id)
	suites := releaseSuites(id, release["VERSION_CODENAME"])
	if uri := mainMirror(entries, suites); uri != "" {
		mirrors[prefix+"_MIRROR"] = uri
	}
	if uri := securityMirror(entries, suites); uri != "" {
		mirrors[prefix+"_SECURITY_MIRROR"] = uri
	}
	return mirrors
}

// An aptEntry is one archive with one suite.
type aptEntry struct {
	uri, suite string
	components []string
	signedBy   string
	trusted    bool
	own        bool // from a file that the distribution installs
}

// usable reports whether another tool can bootstrap the distribution from the
// entry: over HTTP, and with the keys everyone has.
func (e aptEntry) usable(id string) bool {
	overHTTP := strings.HasPrefix(e.uri, "http://") || strings.HasPrefix(e.uri, "https://")
	ownKey := e.signedBy == "" || strings.HasPrefix(path.Base(e.signedBy), id+"-archive-")
	return overHTTP && ownKey && !e.trusted && slices.Contains(e.components, "main")
}

// releaseSuites returns the names of the main suite of a release.
func releaseSuites(id, codename string) []string {
	suites := []string{"stable", "testing", "unstable", "sid", "oldstable"}
	if id == "ubuntu" {
		suites = []string{"devel"}
	}
	if codename != "" {
		suites = append([]string{codename}, suites...)
	}
	return suites
}

// mainMirror returns the archive of the main suite.
func mainMirror(entries []aptEntry, suites []string) string {
	updated := func(e aptEntry) bool {
		return slices.ContainsFunc(entries, func(o aptEntry) bool { return o.uri == e.uri && o.suite == e.suite+"-updates" })
	}
	for _, accept := range []func(aptEntry) bool{updated, func(e aptEntry) bool { return e.own }} {
		for _, e := range entries {
			if slices.Contains(suites, e.suite) && accept(e) {
				return e.uri
			}
		}
	}
	return ""
}

// securityMirror returns the archive of the security updates.
func securityMirror(entries []aptEntry, suites []string) string {
	for _, e := range entries {
		for _, suite := range suites {
			// Before 2021 the suite of Debian had a slash.
			if e.suite == suite+"-security" || e.suite == suite+"/updates" {
				return e.uri
			}
		}
	}
	return ""
}

// readOSRelease returns the settings of os-release.
func readOSRelease(root fs.FS) map[string]string {
	settings := map[string]string{}
	text, err := fs.ReadFile(root, "etc/os-release")
	if err != nil {
		text, _ = fs.ReadFile(root, "usr/lib/os-release") // absent means unknown
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			settings[name] = strings.Trim(value, `"'`)
		}
	}
	return settings
}

// aptFile is what apt accepts as a name in sources.list.d.
var aptFile = regexp.MustCompile(`^[A-Za-z0-9_.-]+\.(list|sources)$`)

// aptEntries returns all entries of the host, in the order in which apt reads
// them.
func aptEntries(root fs.FS) []aptEntry {
	names := []string{"etc/apt/sources.list"}
	files, _ := fs.ReadDir(root, "etc/apt/sources.list.d") // absent means empty
	for _, file := range files {
		if aptFile.MatchString(file.Name()) {
			names = append(names, path.Join("etc/apt/sources.list.d", file.Name()))
		}
	}
	var entries []aptEntry
	for _, name := range names {
		text, err := fs.ReadFile(root, name)
		if err != nil {
			continue
		}
		parse := parseSourcesList
		if path.Ext(name) == ".sources" {
			parse = parseSources
		}
		for _, e := range parse(text) {
			e.own = slices.Contains(ownAptFiles, path.Base(name))
			entries = append(entries, e)
		}
	}
	return entries
}

// ownAptFiles are the files that installers of the distributions write.
var ownAptFiles = []string{"sources.list", "debian.list", "debian.sources", "ubuntu.list", "ubuntu.sources"}

// parseSourcesList reads the format with one entry a line:
//
//	deb [ option=value … ] URI suite component …
func parseSourcesList(text []byte) []aptEntry {
	var entries []aptEntry
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "deb")
		if !ok || rest == "" || !strings.ContainsAny(rest[:1], " \t") {
			continue
		}
		rest = strings.TrimSpace(rest)
		var e aptEntry
		if strings.HasPrefix(rest, "[") {
			var options string
			options, rest, _ = strings.Cut(rest[1:], "]")
			e.setOptions(options)
		}
		if fields := strings.Fields(rest); len(fields) >= 2 {
			e.uri, e.suite, e.components = strings.TrimRight(fields[0], "/"), fields[1], fields[2:]
			entries = append(entries, e)
		}
	}
	return entries
}

// setOptions reads the options of an entry.
func (e *aptEntry) setOptions(options string) {
	for _, option := range strings.Fields(options) {
		name, value, _ := strings.Cut(option, "=")
		switch strings.ToLower(name) {
		case "signed-by":
			e.signedBy = value
		case "trusted":
			e.trusted = isYes(value)
		}
	}
}

// parseSources reads the format of paragraphs with fields, each of which makes
// an entry of every address with every suite.
func parseSources(text []byte) []aptEntry {
	var entries []aptEntry
	for _, fields := range paragraphs(text) {
		enabled := fields["enabled"] == "" || isYes(fields["enabled"])
		if !enabled || !slices.Contains(strings.Fields(fields["types"]), "deb") {
			continue
		}
		for _, uri := range strings.Fields(fields["uris"]) {
			for _, suite := range strings.Fields(fields["suites"]) {
				entries = append(entries, aptEntry{
					uri: strings.TrimRight(uri, "/"), suite: suite, components: strings.Fields(fields["components"]),
					signedBy: strings.TrimSpace(fields["signed-by"]), trusted: isYes(fields["trusted"]),
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
