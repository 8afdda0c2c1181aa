package mention

import (
	"bytes"
	"strings"
)

// Of returns the variables that a text may depend on, whatever its
// language: the words in it that can be names, comments included. A word that
// ends in "_" is the beginning of a name that is put together when the text
// runs ("DIB_REPOREF_$name"); one of nothing else only where it does not stand
// by itself ("read _ rest"). A text that uses the environment as a whole, or
// names that it computes in another way, or that is no text, depends on all.
//
// It rather says too much than too little. It does not see the programs that
// the text starts; [ReadByTools] is for those.
func Of(text []byte) Words {
	if isBinary(text) {
		return Words{All: true, Opaque: true, Paths: true}
	}
	w := Words{Names: make(map[string]bool, typicalNames)}
	whole := string(text) // of which the names are parts, not copies
	for start, end := range wordsOf(text) {
		name := whole[start:end]
		if w.Names[name] && whole[end-1] != '_' {
			continue // most words are repeated
		}
		w.Names[name] = true
		if whole[end-1] == '_' && !isBlank(whole, start, end) {
			w.Prefixes = append(w.Prefixes, name)
		}
	}
	if bytes.Contains(text, []byte("$0")) || bytes.Contains(text, []byte("${0")) {
		w.Names[OwnPath] = true
	}
	code := codeOf(text, w.Names)
	if w.Names[OwnPath] && ownName.Match(code.text) {
		w.Names["argv"] = true
	}
	w.All = code.usesAll() || code.computesNames()
	w.Paths = code.computesPaths()
	if code.has(helper) {
		w.addHelper()
	}
	w.Files = code.files()
	w.Mounts = code.mountsTrees()
	w.Prefixes = sortedSet(append(w.Prefixes, code.prefixes()...))
	return w
}

// isBlank reports whether the word at text[start:end] is of underscores only and
// stands where it begins no name: by itself, for a value that is not wanted or
// between words; or as what a substitution puts in ("${x//-/_}", "s/-/_/").
func isBlank(text string, start, end int) bool {
	if strings.Trim(text[start:end], "_") != "" {
		return false
	}
	before, after := byte('\n'), byte('\n')
	if start > 0 {
		before = text[start-1]
	}
	if end < len(text) {
		after = text[end]
	}
	byItself := strings.IndexByte(" \t\r\n(,", before) >= 0 && strings.IndexByte(" \t\r\n),;", after) >= 0
	putIn := before == '/' && (after == '/' || after == '}')
	return byItself || putIn
}

// typicalNames is room for the different words of most hooks.
const typicalNames = 48

// IsText reports whether content is a text, of which Of can tell more than that
// it may depend on everything.
func IsText(content []byte) bool { return !isBinary(content) }

// ownName matches the name of a script where a shell or Perl has it, which
// leads to the files beside it. It counts as the word of other languages.
var ownName = re(`\$\{?0\b`)

// OwnPath is the word that a text has which asks where it is itself, however
// it writes that: a shell's $0 is no name of a variable.
const OwnPath = "BASH_SOURCE"

// isBinary reports whether text has bytes that no text has.
func isBinary(text []byte) bool {
	for _, c := range text {
		if classes[c]&binaryByte != 0 {
			return true
		}
	}
	return false
}

// What bytes are, as bits of classes.
const (
	binaryByte byte = 1 << iota
	letter
	digit
)

// classes has what each byte is. All hooks and whatever they may run are read byte
// by byte, and one look-up costs less than comparisons do.
var classes = func() (table [256]byte) {
	for i := range table {
		switch c := byte(i); {
		case strings.IndexByte(textControls, c) >= 0:
		case c < ' ' || c == 0x7f:
			table[i] = binaryByte
		case c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z':
			table[i] = letter
		case '0' <= c && c <= '9':
			table[i] = digit
		}
	}
	return table
}()

// textControls are the control characters of texts: those of layout, and
// escape, which colours messages.
const textControls = "\a\b\t\n\v\f\r\x1b"

// wordsOf yields start and end of the words that can be names. Digits before a
// word do not belong to it.
func wordsOf(text []byte) func(yield func(start, end int) bool) {
	return func(yield func(start, end int) bool) {
		for i := 0; i < len(text); i++ {
			if !isLetter(text[i]) {
				continue
			}
			start := i
			for i < len(text) && isWordByte(text[i]) {
				i++
			}
			if !yield(start, i) {
				return
			}
		}
	}
}

func isLetter(c byte) bool { return classes[c]&letter != 0 }

func isWordByte(c byte) bool { return classes[c]&(letter|digit) != 0 }

// code is a text as far as it runs, for the rules of dump.go.
type code struct {
	// text is without lines that are comments, and with continued lines joined.
	text []byte
	// names are its words, and those of the comments.
	names map[string]bool
	// shell says that words at the start of a line can be commands.
	shell bool
}

// codeOf returns what runs of a text with these words.
func codeOf(text []byte, names map[string]bool) code {
	c := code{shell: true, names: names, text: make([]byte, 0, len(text))}
	for line := range bytes.Lines(text) {
		if trimmed := bytes.TrimLeft(line, " \t"); bytes.HasPrefix(trimmed, []byte("#")) {
			continue
		}
		if joined, ok := bytes.CutSuffix(line, []byte("\\\n")); ok {
			line = append(bytes.Clone(joined), ' ')
		}
		c.text = append(c.text, line...)
	}
	first, _, _ := bytes.Cut(text, []byte("\n"))
	if interpreter, ok := bytes.CutPrefix(first, []byte("#!")); ok {
		for _, language := range []string{"python", "perl", "ruby", "node"} {
			c.shell = c.shell && !bytes.Contains(interpreter, []byte(language))
		}
	}
	return c
}

// has reports whether the word occurs anywhere in the text, be it in a longer one.
func (c code) has(word string) bool { return bytes.Contains(c.text, []byte(word)) }

// occurrences yields start and end of the places where wordsOf finds the word.
func (c code) occurrences(word string) func(yield func(start, end int) bool) {
	return func(yield func(start, end int) bool) {
		if !c.names[word] {
			return
		}
		for end := 0; ; {
			next := bytes.Index(c.text[end:], []byte(word))
			if next < 0 {
				return
			}
			start := end + next
			end = start + len(word)
			before := start
			for before > 0 && classes[c.text[before-1]]&digit != 0 {
				before-- // digits before a word do not belong to it
			}
			longer := before > 0 && isLetter(c.text[before-1]) || end < len(c.text) && isWordByte(c.text[end])
			if !longer && !yield(start, end) {
				return
			}
		}
	}
}
