package mention

import (
	"bytes"
	"regexp"
)

// computedPath matches a name of a file that a shell puts together: an expansion
// after a slash, with or without something in between, and a slash that printf
// fills in.
var computedPath = regexp.MustCompile("/[^\\s\"'$}]*[\"']?[$`%]")

// computesPaths reports whether names of files below the merged hooks or the
// elements are put together in a way that the words of the text do not tell. In
// a language other than a shell's they always may be, and so they may where a
// shell has left for another directory.
func (c code) computesPaths() bool {
	if !c.shell {
		return true
	}
	for start, end := range wordsOf(c.text) {
		if word := string(c.text[start:end]); word == "cd" || word == "pushd" || word == "eval" {
			return true
		}
	}
	for _, at := range computedPath.FindAllIndex(c.text, -1) {
		word := shellWord(c.text, at[0])
		if !elsewhere.Match(word) || bytes.Contains(word, []byte("..")) {
			return true
		}
	}
	return placeSet.Match(c.text)
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
var placeSet = regexp.MustCompile(`\b(TARGET_ROOT|TMP_MOUNT_PATH|DIB_IMAGE_CACHE|HOME)=`)

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
