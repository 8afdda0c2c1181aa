package elements

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/dibgraph/dibgraph/internal/aptsource"
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
	var entries []aptsource.Entry
	for _, e := range aptsource.Read(root) {
		if usable(e, id) {
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

// usable reports whether another tool can bootstrap the distribution from the
// entry: over HTTP, and with the keys everyone has.
func usable(e aptsource.Entry, id string) bool {
	overHTTP := strings.HasPrefix(e.URI, "http://") || strings.HasPrefix(e.URI, "https://")
	ownKey := e.SignedBy == "" || strings.HasPrefix(path.Base(e.SignedBy), id+"-archive-")
	return overHTTP && ownKey && !e.Trusted && slices.Contains(e.Components, "main")
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
func mainMirror(entries []aptsource.Entry, suites []string) string {
	updated := func(e aptsource.Entry) bool {
		return slices.ContainsFunc(entries, func(o aptsource.Entry) bool { return o.URI == e.URI && o.Suite == e.Suite+"-updates" })
	}
	for _, accept := range []func(aptsource.Entry) bool{updated, func(e aptsource.Entry) bool { return slices.Contains(ownAptFiles, e.File) }} {
		for _, e := range entries {
			if slices.Contains(suites, e.Suite) && accept(e) {
				return e.URI
			}
		}
	}
	return ""
}

// securityMirror returns the archive of the security updates.
func securityMirror(entries []aptsource.Entry, suites []string) string {
	for _, e := range entries {
		for _, suite := range suites {
			// Before 2021 the suite of Debian had a slash.
			if e.Suite == suite+"-security" || e.Suite == suite+"/updates" {
				return e.URI
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

// ownAptFiles are the files that installers of the distributions write.
var ownAptFiles = []string{"sources.list", "debian.list", "debian.sources", "ubuntu.list", "ubuntu.sources"}
