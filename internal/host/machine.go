package host

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// DefaultPath is where host tools are looked for: as builds do, which run as
// root, and not as the PATH of whoever asks says.
const DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// A Machine is looked at through its files. The zero value is this machine.
type Machine struct {
	Root string // where its root directory is; empty: "/"
	Path string // directories to find programs in, separated by colons; empty: DefaultPath
}

// file gives the real name of a file of the machine.
func (m Machine) file(name string) string {
	return filepath.Join("/", m.Root, name)
}

// read gives the content of a file, "" if it cannot be read.
func (m Machine) read(name string) string {
	text, err := os.ReadFile(m.file(name))
	if err != nil {
		return ""
	}
	return string(text)
}

func (m Machine) exists(name string) bool {
	_, err := os.Stat(m.file(name))
	return err == nil
}

// program gives the path of an executable of the machine, "" if there is none.
func (m Machine) program(name string) string {
	search := m.Path
	if search == "" {
		search = DefaultPath
	}
	for dir := range strings.SplitSeq(search, ":") {
		path := filepath.Join(dir, name)
		info, err := os.Stat(m.file(path))
		if err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path
		}
	}
	return ""
}

// match gives the first file that one of the patterns matches, "" if none does.
func (m Machine) match(patterns []string) string {
	for _, pattern := range patterns {
		// The patterns are our own: a bad one is found by the tests.
		found, _ := fs.Glob(os.DirFS(m.file("/")), strings.TrimPrefix(pattern, "/"))
		if len(found) > 0 {
			return "/" + found[0]
		}
	}
	return ""
}
