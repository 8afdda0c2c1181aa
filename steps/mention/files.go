package mention

import (
	"bytes"
	"path"
	"strings"
)

// files returns the paths that the text names outright.
func (c code) files() []string {
	var found []string
	for at := 0; ; {
		i := bytes.IndexByte(c.text[at:], '/')
		if i < 0 {
			return sortedSet(found)
		}
		at += i
		home, ok := pathStart(c.text[:at])
		end := at
		for end < len(c.text) && isPathByte(c.text[end]) {
			end++
		}
		name := path.Clean(string(c.text[at:end]))
		// What goes on with an expansion or a pattern is no name yet.
		whole := end == len(c.text) || !strings.ContainsRune("$*?[{`", rune(c.text[end]))
		address := bytes.HasPrefix(c.text[at:], []byte("//"))
		if ok && whole && name != "/" && !address {
			if home {
				name = "~" + name
			}
			found = append(found, name)
		}
		at = end
	}
}

// pathStart reports whether a path can begin after the text, and whether that
// is one in the home directory.
func pathStart(before []byte) (home, ok bool) {
	for _, prefix := range []string{"~", "$HOME", "${HOME}", `"$HOME"`, `"${HOME}"`} {
		if rest, ends := bytes.CutSuffix(before, []byte(prefix)); ends && apartFrom(rest) {
			return true, true
		}
	}
	return false, apartFrom(before)
}

// apartFrom reports whether a word can begin after the text.
func apartFrom(before []byte) bool {
	return len(before) == 0 || bytes.IndexByte([]byte(" \t\n\"'=(:,;|&<>["), before[len(before)-1]) >= 0
}

func isPathByte(b byte) bool {
	return b == '/' || b == '.' || b == '-' || b == '_' || b == '+' || b == '@' || b == '%' ||
		'0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'z'
}
