package steps

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/internal/aptsource"
	"github.com/dibgraph/dibgraph/internal/mirror"
)

// An AptUse is a suite of a package archive that a run took packages from.
type AptUse struct {
	URI, Suite string
	// Found is the digest of the suite's state that apt fetched, as it left it
	// in the tree; empty if there is none.
	Found string
}

const (
	aptLists   = "var/lib/apt/lists"
	dpkgStatus = "var/lib/dpkg/status"
)

// aptUses returns the suites that a run depends on which fetched the lists of
// packages or, without that, changed which packages are installed. They are
// those that are configured in the finished tree, else those that the
// variables of the run name.
//
// A run that only installed, from lists which were in the tree before, got what
// these name. They are part of the state it worked on, so it depends on
// nothing else.
func aptUses(root string, fetched, changed bool, env map[string]string) []AptUse {
	if !fetched && !changed {
		return nil
	}
	tree, err := os.OpenRoot(root) // no link in it leads out of it
	if err != nil {
		return nil
	}
	defer tree.Close()
	entries := askable(aptsource.Read(tree.FS()))
	if len(entries) == 0 {
		entries = variableSources(env)
	}
	var uses []AptUse
	seen := make(map[string]bool)
	for _, e := range entries {
		name := AptToken(e.URI, e.Suite)
		found := fetchedState(tree.FS(), e)
		if seen[name] || found != "" && !fetched {
			continue
		}
		seen[name] = true
		uses = append(uses, AptUse{URI: e.URI, Suite: e.Suite, Found: found})
	}
	return uses
}

// askable leaves out what only the image can reach, such as media and
// directories in it, and what only apt can find the place of.
func askable(entries []aptsource.Entry) []aptsource.Entry {
	var list []aptsource.Entry
	for _, e := range entries {
		overHTTP := strings.HasPrefix(e.URI, "http://") || strings.HasPrefix(e.URI, "https://")
		if overHTTP && utf8.ValidString(e.URI+e.Suite) && !strings.Contains(e.URI+e.Suite, "$(") {
			list = append(list, e)
		}
	}
	return list
}

// variableSources returns what the variables that diskimage-builder has for it
// say about where packages are from: lines of the form NAME:deb …, else a
// mirror and a release. A file: address is one of the host here.
func variableSources(env map[string]string) []aptsource.Entry {
	var lines strings.Builder
	for line := range strings.Lines(env["DIB_APT_SOURCES_CONF"]) {
		_, entry, _ := strings.Cut(line, ":")
		lines.WriteString(strings.TrimSpace(entry) + "\n")
	}
	if entries := askable(aptsource.ParseList([]byte(lines.String()))); len(entries) > 0 {
		return entries
	}
	uri, suite := strings.TrimRight(env["DIB_DISTRIBUTION_MIRROR"], "/"), env["DIB_RELEASE"]
	if uri == "" || strings.ContainsAny(uri+suite, " \t\n") || suite == "" || !utf8.ValidString(uri+suite) {
		return nil
	}
	return []aptsource.Entry{{URI: uri, Suite: suite}}
}

// fetchedState returns the digest of the state of a suite that apt keeps in
// the tree, empty if there is none that can be read.
func fetchedState(tree fs.FS, e aptsource.Entry) string {
	for _, name := range mirror.ListNames(e.URI, e.Suite) {
		text, err := fs.ReadFile(tree, aptLists+"/"+name)
		if err != nil {
			continue
		}
		if release, err := mirror.ParseRelease(string(text)); err == nil {
			return graph.DigestText(release.Content).String()
		}
	}
	return ""
}

// packagesTouched says what a run did with packages, by the upper directory of
// its overlay: whether it fetched lists, which leaves files (a lock, if nothing
// else), and whether it changed what is installed.
func packagesTouched(upper string) (fetched, changed bool) {
	root := filepath.Join(upper, "mnt")
	info, err := os.Lstat(filepath.Join(root, dpkgStatus))
	return len(filesBelow(filepath.Join(root, aptLists))) > 0, err == nil && info.Mode().IsRegular()
}

// A packageState is what packagesTouched compares where there is no upper
// directory.
type packageState struct {
	lists  map[string]fs.FileInfo
	status string
}

func packagesIn(root string) packageState {
	content, err := os.ReadFile(filepath.Join(root, dpkgStatus))
	if err != nil {
		content = nil // none are installed
	}
	return packageState{filesBelow(filepath.Join(root, aptLists)), string(content)}
}

// since says what became of packages after an earlier state.
func (s packageState) since(earlier packageState) (fetched, changed bool) {
	for name, info := range s.lists {
		before, ok := earlier.lists[name]
		if !ok || before.Size() != info.Size() || !before.ModTime().Equal(info.ModTime()) {
			fetched = true
		}
	}
	return fetched, s.status != earlier.status
}

// filesBelow returns the regular files below a directory that may be absent.
func filesBelow(dir string) map[string]fs.FileInfo {
	files := make(map[string]fs.FileInfo)
	_ = eachFile(dir, func(path string) error { // what cannot be read is none
		info, err := os.Lstat(path)
		if err == nil {
			files[path] = info
		}
		return err
	})
	return files
}

// aptTokens returns the tokens of suites.
func aptTokens(suites []AptUse) []use {
	var uses []use
	for _, s := range suites {
		uses = append(uses, use{AptToken(s.URI, s.Suite), s.Found})
	}
	return uses
}

// variables turns the environment of a process back into a map.
func variables(env []string) map[string]string {
	values := make(map[string]string, len(env))
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		values[name] = value
	}
	return values
}
