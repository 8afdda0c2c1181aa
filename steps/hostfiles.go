package steps

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dibgraph/dibgraph/graph"
)

// HostFiles says which files of the machine are inputs of hooks on the host: what
// a DIB_* variable names, what a hook names outright, files in known places that
// tools look for, and whatever else it was seen to open, but for [notInputs].
// They count by content, and where they were named also if they are absent, since
// they may appear.
type HostFiles struct {
	// Home and WorkDir are the caller's; relative names start from WorkDir.
	Home, WorkDir string
	// Ignored are files that are no inputs, and directories below which nothing
	// is one: caches, locks, and what the build itself delivers.
	Ignored []string
	// Strict says that the programs of the host count too.
	Strict bool
}

// knownHostFiles are files that are used if they are there, by a word that a
// hook which leads to them has. That they are opened would be seen; that they
// are not there is not.
var knownHostFiles = []struct{ word, name string }{
	{"authorized_keys", "~/.ssh/authorized_keys"},
	{"id_rsa", "~/.ssh/id_rsa.pub"},
	{"id_dsa", "~/.ssh/id_dsa.pub"},
	{"id_ecdsa", "~/.ssh/id_ecdsa.pub"},
	{"id_ed25519", "~/.ssh/id_ed25519.pub"},
	{"mirror_info", "/etc/ci/mirror_info.sh"},
	{"curl", "~/.curlrc"},
	{"curl", "~/.netrc"},
	{"wget", "~/.wgetrc"},
	{"wget", "~/.netrc"},
	{"git", "~/.gitconfig"},
	{"git", "~/.config/git/config"},
	{"git", "/etc/gitconfig"},
	{"pip", "~/.config/pip/pip.conf"},
	{"pip", "/etc/pip.conf"},
	{"pip3", "~/.config/pip/pip.conf"},
	{"pip3", "/etc/pip.conf"},
	{"rpm", "~/.rpmmacros"},
	{"podman", "~/.config/containers/registries.conf"},
	{"docker", "~/.docker/config.json"},
}

// describe writes the files of the host that texts with these words depend on,
// and the declared ones.
func (h HostFiles) describe(d *graph.Description, v *Variables, env map[string]string, words readers, declared []string) error {
	values := make(map[string]string) // by the name that each has in the description
	for _, name := range declared {
		value, err := h.contentDigest(h.path(name))
		if err != nil {
			return fmt.Errorf("read %s, which is declared to be an input of a hook: %w", name, err)
		}
		values[h.spelled(name)] = value
	}
	paths := make(map[string]string)
	for name, value := range env {
		if strings.HasPrefix(name, "DIB_") && !v.Unkeyed(name) && words.Match(name) {
			for _, name := range h.named(value) {
				paths[h.spelled(name)] = h.path(name)
			}
		}
	}
	for _, known := range knownHostFiles {
		if words.Match(known.word) {
			paths[h.spelled(known.name)] = h.path(known.name)
		}
	}
	for name, path := range paths {
		if _, known := values[name]; known {
			continue
		}
		value, err := h.digest(path)
		if err != nil {
			return fmt.Errorf("read %s, which is an input of a hook: %w", name, err)
		}
		values[name] = value
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if values[name] != "" {
			d.Add(fmt.Sprintf("host %q", name), "%s", values[name])
		}
	}
	return nil
}

// spelled returns the one name of a file, however a text or a variable names it.
func (h HostFiles) spelled(name string) string { return h.name(h.path(name)) }

// path makes a name of the caller's absolute.
func (h HostFiles) path(name string) string {
	if rest, ok := strings.CutPrefix(name, "~"); ok && (rest == "" || rest[0] == '/') {
		return filepath.Join(h.Home, rest)
	}
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(h.WorkDir, name)
}

// named returns the names of files in the value of a variable, as they are
// written there: words that begin like a path, relative ones only if there is
// such a file. What is below RunDir is the build's own.
func (h HostFiles) named(value string) []string {
	var names []string
	add := func(name string) {
		if _, own := below(RunDir, name); own || strings.Trim(name, "./~") == "" {
			return
		}
		if !isPath(name) {
			if _, err := os.Stat(h.path(name)); err != nil {
				return
			}
		}
		names = append(names, name)
	}
	for _, word := range strings.FieldsFunc(value, isSeparator) {
		scheme, rest, isURL := strings.Cut(word, "://")
		switch {
		case isURL && scheme == "file":
			add(rest)
		case !isURL:
			for part := range strings.SplitSeq(word, ":") {
				add(part)
			}
		}
	}
	return names
}

// isSeparator reports what is between the words of a value.
func isSeparator(r rune) bool { return strings.ContainsRune(" \t\n,", r) }

// isPath reports whether a word cannot be anything but the name of a file.
func isPath(word string) bool {
	for _, prefix := range []string{"/", "./", "../", "~/"} {
		if strings.HasPrefix(word, prefix) {
			return true
		}
	}
	return false
}

// digest describes a file, or everything below a directory. It is empty
// for programs of the system, which are tools and no inputs, and for devices.
func (h HostFiles) digest(path string) (string, error) {
	info, err := os.Stat(path)
	if err == nil && inSystem(path) && (info.IsDir() || info.Mode()&0o111 != 0) {
		return "", nil
	}
	return h.contentDigest(path)
}

// contentDigest is the same for all files, but empty for devices.
func (h HostFiles) contentDigest(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case os.IsNotExist(err):
		return h.content(path), nil
	case os.IsPermission(err):
		return "unreadable", nil
	case err != nil:
		return "", err
	case info.Mode().IsRegular():
		return h.content(path), nil
	case !info.IsDir():
		return "", nil
	}
	if path, err = filepath.EvalSymlinks(path); err != nil { // a walk does not begin with a link
		return "", err
	}
	var text strings.Builder
	err = filepath.WalkDir(path, func(at string, e fs.DirEntry, err error) error {
		if os.IsPermission(err) {
			fmt.Fprintf(&text, "%q unreadable\n", strings.TrimPrefix(at, path))
			return nil // a plan need not be able to read what the build can
		}
		if err == nil && !e.IsDir() {
			fmt.Fprintf(&text, "%q %s\n", strings.TrimPrefix(at, path), h.content(at))
		}
		return err
	})
	return "tree " + graph.DigestText(text.String()).String(), err
}

// inSystem reports whether a path belongs to the host's operating system.
func inSystem(path string) bool {
	for _, dir := range []string{"/usr", "/bin", "/sbin", "/lib", "/lib64", "/proc", "/sys", "/dev", "/run"} {
		if _, ok := below(dir, path); ok {
			return true
		}
	}
	return false
}
