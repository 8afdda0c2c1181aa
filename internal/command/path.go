package command

import (
	"path/filepath"
	"strconv"
	"strings"
)

// defaultPath is where a program is looked for when its environment has no
// PATH: the directories of the filesystem hierarchy standard.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// candidates lists the paths to try, in order.
func (c Cmd) candidates() []string {
	if strings.Contains(c.Path, "/") {
		return []string{c.Path}
	}
	search := defaultPath
	for _, entry := range c.Env {
		if value, ok := strings.CutPrefix(entry, "PATH="); ok {
			search = value // the last one counts, as in exec.Cmd
		}
	}
	var paths []string
	for dir := range strings.SplitSeq(search, ":") {
		// An empty or relative entry would mean the working directory, where
		// whatever is being built decides what runs.
		if filepath.IsAbs(dir) {
			paths = append(paths, filepath.Join(dir, c.Path))
		}
	}
	return paths
}

// maxShown is how much of a command line goes into an error.
const maxShown = 300

// String gives the command line, words with odd characters quoted, a long one
// shortened.
func (c Cmd) String() string {
	words := []string{quote(c.Path)}
	for _, arg := range c.Args {
		words = append(words, quote(arg))
	}
	line := strings.Join(words, " ")
	if len(line) > maxShown {
		line = strings.ToValidUTF8(line[:maxShown], "") + "…"
	}
	return line
}

func quote(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=,+@%^", r)
	}
	if word != "" && strings.TrimFunc(word, plain) == "" {
		return word
	}
	return strconv.Quote(word)
}
