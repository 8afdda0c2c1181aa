package mention

import (
	"bytes"
	"regexp"
	"slices"
)

// computedPaths yields where in the text a name of a file begins that a shell
// puts together: a slash with an expansion after it, with or without something in
// between, or one that printf fills in. As a regular expression, which was the
// most expensive thing done to a text, it is /[^\s"'$}]*["']?[$`%].
func computedPaths(text []byte) func(yield func(at int) bool) {
	return func(yield func(at int) bool) {
		for next := 0; ; {
			i := bytes.IndexByte(text[next:], '/')
			if i < 0 {
				return
			}
			at := next + i
			end := at + 1
			for end < len(text) && !endsPath[text[end]] {
				end++
			}
			if next = expansionEnd(text, at+1, end); next < 0 {
				next = end // no slash up to there has one after it either
			} else if !yield(at) {
				return
			}
		}
	}
}

// endsPath are the bytes that what follows a slash goes up to.
var endsPath = [256]bool{' ': true, '\t': true, '\n': true, '\f': true, '\r': true, '"': true, '\'': true, '$': true, '}': true}

// expansionEnd returns the end of the expansion that follows the bytes from start
// to end, maybe after a quote, or else that is the last one among them; -1 if
// there is none.
func expansionEnd(text []byte, start, end int) int {
	at := end
	if at < len(text) && (text[at] == '"' || text[at] == '\'') {
		at++
	}
	if at < len(text) && bytes.IndexByte([]byte("$`%"), text[at]) >= 0 {
		return at + 1
	}
	if last := bytes.LastIndexAny(text[start:end], "`%"); last >= 0 {
		return start + last + 1
	}
	return -1
}

// computesPaths reports whether names of files below the merged hooks or the
// elements are put together in a way that the words of the text do not tell. In
// a language other than a shell's they always may be, and so they may where a
// shell has left for another directory.
func (c code) computesPaths() bool {
	if !c.shell {
		return true
	}
	for _, word := range []string{"cd", "pushd", "eval"} {
		for range c.occurrences(word) {
			return true
		}
	}
	for at := range computedPaths(c.text) {
		word := shellWord(c.text, at)
		if !elsewhere.Match(word) || bytes.Contains(word, []byte("..")) {
			return true
		}
	}
	return c.setsPlace()
}

// shellWord returns the text from the beginning of the word that position is in
// to the end of the line.
func shellWord(text []byte, position int) []byte {
	start := 1 + bytes.LastIndexAny(text[:position], " \t\n=;|&<>(`")
	word, _, _ := bytes.Cut(text[start:], []byte("\n"))
	return word
}

// elsewhere matches paths that cannot lead to the merged hooks or the elements,
// however they go on: in a directory of the system, or in a place that one of
// these variables names. Nothing of them is mounted there.
var elsewhere = regexp.MustCompile(`^["']?(/(boot|dev|etc|home|lib|lib64|opt|proc|root|sbin|srv|sys|usr|var)/` +
	`|\$\{?(TARGET_ROOT|TMP_MOUNT_PATH|DIB_IMAGE_CACHE|HOME)\}?["']?/)`)

// placeSet matches where a text gives one of these variables a value of its own.
var placeSet = re(`\b(TARGET_ROOT|TMP_MOUNT_PATH|DIB_IMAGE_CACHE|HOME)=`)

// setsPlace reports whether it does. Most texts have none of the names, and to
// look for those costs less than the pattern.
func (c code) setsPlace() bool {
	named := slices.ContainsFunc([]string{"ROOT=", "PATH=", "CACHE=", "HOME="}, c.has)
	return named && placeSet.Match(c.text)
}

// EveryWord reports whether has is true for all the words that a name is made
// of.
func EveryWord(name string, has func(word string) bool) bool {
	for start, end := range wordsOf([]byte(name)) {
		if !has(name[start:end]) {
			return false
		}
	}
	return true
}

// FirstWord returns the first word in a name, "" if it has none.
func FirstWord(name string) string {
	for start, end := range wordsOf([]byte(name)) {
		return name[start:end]
	}
	return ""
}

// Plain returns the words of a value, such as that of a variable.
func Plain(value string) Words {
	w := Words{Names: make(map[string]bool)}
	for start, end := range wordsOf([]byte(value)) {
		w.Names[value[start:end]] = true
	}
	return w
}
