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
	"github.com/dibgraph/dibgraph/steps/mention"
)

// HostFiles says where hooks on the host find files of the machine that are
// inputs: what a DIB_* variable names, and files in known places that hooks
// look for by themselves. They count by content, and count too where they are
// absent, since they may appear.
type HostFiles struct {
	// Home and WorkDir are the caller's; relative names start from WorkDir.
	Home, WorkDir string
}

// knownHostFiles are files that hooks use if they are there, below a home
// directory unless absolute, by a word that a hook which looks for them has.
var knownHostFiles = []struct{ word, path string }{
	{"authorized_keys", ".ssh/authorized_keys"},
	{"id_rsa", ".ssh/id_rsa.pub"},
	{"id_dsa", ".ssh/id_dsa.pub"},
	{"id_ecdsa", ".ssh/id_ecdsa.pub"},
	{"id_ed25519", ".ssh/id_ed25519.pub"},
	{"mirror_info", "/etc/ci/mirror_info.sh"},
}

// describe writes the files of the host that text with these words depends on.
func (h HostFiles) describe(d *graph.Description, v *Variables, env map[string]string, words mention.Words) error {
	paths := make(map[string]bool)
	for name, value := range env {
		if strings.HasPrefix(name, "DIB_") && !v.Unkeyed(name) && words.Match(name) {
			for _, path := range h.named(value) {
				paths[path] = true
			}
		}
	}
	for _, known := range knownHostFiles {
		if words.Match(known.word) {
			paths[h.absolute("~/"+known.path, known.path)] = true
		}
	}
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		value, err := hostDigest(path)
		if err != nil {
			return fmt.Errorf("read %s, which is an input of a hook: %w", path, err)
		}
		if value != "" {
			d.Add(fmt.Sprintf("host %q", path), "%s", value)
		}
	}
	return nil
}

func (h HostFiles) absolute(inHome, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return h.path(inHome)
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

// named returns the paths in the value of a variable: the whole value, or a
// word of a list, that looks like one. What is below RunDir is the build's own.
func (h HostFiles) named(value string) []string {
	var paths []string
	for _, word := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(" \t\n,:", r) }) {
		if !strings.HasPrefix(word, "/") && !strings.HasPrefix(word, "./") && !strings.HasPrefix(word, "../") && !strings.HasPrefix(word, "~/") {
			if _, err := os.Stat(h.path(word)); err != nil || word == "." || word == ".." {
				continue
			}
		}
		path := h.path(strings.TrimPrefix(word, "//")) // of file://
		if _, own := below(RunDir, path); !own && path != "/" {
			paths = append(paths, path)
		}
	}
	return paths
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
