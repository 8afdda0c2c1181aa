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

// HostFiles says where hooks on the host find files of the machine that are
// inputs: what a DIB_* variable names, and files in known places that hooks
// look for by themselves. They count by content, and count too where they are
// absent, since they may appear.
type HostFiles struct {
	// Home and WorkDir are the caller's; relative names start from WorkDir.
	Home, WorkDir string
}

// knownHostFiles are files that hooks use if they are there, by a word that a
// hook which looks for them has.
var knownHostFiles = []struct{ word, name string }{
	{"authorized_keys", "~/.ssh/authorized_keys"},
	{"id_rsa", "~/.ssh/id_rsa.pub"},
	{"id_dsa", "~/.ssh/id_dsa.pub"},
	{"id_ecdsa", "~/.ssh/id_ecdsa.pub"},
	{"id_ed25519", "~/.ssh/id_ed25519.pub"},
	{"mirror_info", "/etc/ci/mirror_info.sh"},
}

// describe writes the files of the host that text with these words depends on.
func (h HostFiles) describe(d *graph.Description, v *Variables, env map[string]string, words matcher) error {
	names := make(map[string]bool)
	for name, value := range env {
		if strings.HasPrefix(name, "DIB_") && !v.Unkeyed(name) && words.Match(name) {
			for _, name := range h.named(value) {
				names[name] = true
			}
		}
	}
	for _, known := range knownHostFiles {
		if words.Match(known.word) {
			names[known.name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		value, err := hostDigest(h.path(name))
		if err != nil {
			return fmt.Errorf("read %s, which is an input of a hook: %w", name, err)
		}
		if value != "" {
			d.Add(fmt.Sprintf("host %q", name), "%s", value)
		}
	}
	return nil
}

// path makes a name of the caller's absolute.
func (h HostFiles) path(name string) string {
	if rest, ok := strings.CutPrefix(name, "~/"); ok {
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
	for _, word := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(" \t\n,", r) }) {
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

// isPath reports whether a word cannot be anything but the name of a file.
func isPath(word string) bool {
	for _, prefix := range []string{"/", "./", "../", "~/"} {
		if strings.HasPrefix(word, prefix) {
			return true
		}
	}
	return false
}

// hostDigest describes a file, or everything below a directory. It is empty
// for programs of the system, which are tools and no inputs, and for devices.
func hostDigest(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case os.IsNotExist(err):
		return "absent", nil
	case err != nil:
		return "", err
	case info.Mode().IsRegular():
		if info.Mode()&0o111 != 0 && inSystem(path) {
			return "", nil
		}
		digest, err := graph.DigestFile(path)
		return digest.String(), err
	case !info.IsDir() || inSystem(path):
		return "", nil
	}
	var text strings.Builder
	err = filepath.WalkDir(path, func(at string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		digest, err := graph.DigestFile(at)
		fmt.Fprintf(&text, "%q %s\n", strings.TrimPrefix(at, path), digest)
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
