package elements

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// A shellCommand is a simple command of a shell script: its words, quotes taken
// off and expansions left as they are.
type shellCommand struct {
	// Line is that of the first word.
	Line  int
	Words []string
	// Redirects are operators and what follows them: "> file".
	Redirects []redirect
	// Outer is the command in whose words this one is substituted.
	Outer *shellCommand

	piped bool // into another command
}

type redirect struct{ op, to string }

// A shellReader finds the simple commands of a script. It knows as much of the
// shell's grammar as is needed not to take text for commands: quotes, comments,
// here-documents, substitutions, patterns of case. It takes any text, and what
// it does not understand it reads as words.
type shellReader struct {
	text     string
	at, line int
	heredocs []heredoc
	// backquote says that one ends what is being read.
	backquote bool
	commands  []*shellCommand
	// functions are those that the script defines.
	functions map[string]bool
}

type heredoc struct {
	end  string
	tabs bool // leading ones do not count
}

// shellCommands returns the simple commands of a script, without calls of
// functions that it defines.
func shellCommands(text string) []*shellCommand {
	r := shellReader{text: text, line: 1, functions: map[string]bool{}}
	for r.at < len(r.text) {
		r.list(0, nil)
	}
	return slices.DeleteFunc(r.commands, func(c *shellCommand) bool {
		return len(c.Words) > 0 && r.functions[c.Words[0]] && !strings.Contains(c.Words[0], "chroot")
	})
}

func (r *shellReader) peek() byte {
	if r.at < len(r.text) {
		return r.text[r.at]
	}
	return 0
}

func (r *shellReader) next() byte {
	c := r.peek()
	if c == '\n' {
		r.line++
	}
	r.at++
	return c
}

func (r *shellReader) has(prefix string) bool {
	return strings.HasPrefix(r.text[min(r.at, len(r.text)):], prefix)
}

// skip moves behind the next occurrence of what ends something.
func (r *shellReader) skip(end string) {
	for r.at < len(r.text) && !r.has(end) {
		r.next()
	}
	for range len(end) {
		if r.at < len(r.text) {
			r.next()
		}
	}
}

// A commandList is the part of a script that one call of list reads.
type commandList struct {
	now     *shellCommand
	cases   int  // case commands that are open
	pattern bool // what comes is a pattern of one
}

// list reads commands to an end, which is a closing parenthesis, a backquote,
// or 0 for that of the text.
func (r *shellReader) list(end byte, outer *shellCommand) {
	l := commandList{now: &shellCommand{Outer: outer}}
	defer func(was bool) { r.backquote = was }(r.backquote)
	r.backquote = end == '`'
	for r.at < len(r.text) {
		c := r.peek()
		switch {
		case c == end && end != 0 && (c != ')' || l.cases == 0):
			r.next()
			r.finish(&l)
			return
		case c == ' ' || c == '\t' || c == '\r':
			r.next()
		case r.has("\\\n"):
			r.next()
			r.next()
		case c == '#':
			r.comment()
		case len(l.now.Words) > 0 && l.now.Words[0] == "[[" && l.now.Words[len(l.now.Words)-1] != "]]":
			r.test(&l)
		case c == '<' || c == '>':
			r.redirect(l.now)
		case c == '(':
			r.parenthesis(&l)
		case c == ')' || strings.IndexByte(";&|\n", c) >= 0:
			r.separator(&l)
		default:
			r.addWord(&l)
		}
	}
	r.finish(&l)
}

func (r *shellReader) comment() {
	for r.at < len(r.text) && r.peek() != '\n' {
		r.next()
	}
}

// finish ends a command and begins another.
func (r *shellReader) finish(l *commandList) {
	if len(l.now.Words) > 0 || len(l.now.Redirects) > 0 {
		if !l.pattern {
			r.commands = append(r.commands, l.now)
		}
	}
	l.now = &shellCommand{Outer: l.now.Outer}
}

func (r *shellReader) separator(l *commandList) {
	switch c := r.next(); {
	case c == '|' && r.peek() != '|' && !l.pattern:
		l.now.piped = true
	case c == '|' && r.peek() == '|' && !l.pattern:
		r.next()
	case c == ')' && l.pattern:
		r.finish(l) // as the pattern that it is
		l.pattern = false
		return
	case c == '|' && l.pattern:
		return
	case c == ';' && l.cases > 0 && (r.peek() == ';' || r.peek() == '&'):
		r.next()
		r.finish(l)
		l.pattern = true
		return
	case c == '\n':
		if l.pattern && len(l.now.Words) == 0 {
			return
		}
		r.finish(l)
		r.bodies()
		return
	}
	r.finish(l)
}

// bodies passes over the here-documents that were begun on the last line.
func (r *shellReader) bodies() {
	for _, h := range r.heredocs {
		for r.at < len(r.text) {
			start := r.at
			r.comment() // to the end of the line
			line := r.text[start:r.at]
			r.next()
			if h.tabs {
				line = strings.TrimLeft(line, "\t")
			}
			if line == h.end {
				break
			}
		}
	}
	r.heredocs = nil
}

// test reads a word of [[ … ]], in which parentheses and operators are none of
// commands.
func (r *shellReader) test(l *commandList) {
	c := r.peek()
	if c == '\n' || strings.IndexByte("()<>|&;", c) >= 0 {
		r.next()
		return
	}
	r.addWord(l)
}

func (r *shellReader) redirect(c *shellCommand) {
	if c.Line == 0 {
		c.Line = r.line
	}
	switch {
	case r.has("<("), r.has(">("):
		r.next()
		r.next()
		r.list(')', c)
		return
	case r.has("<<<"):
		r.at += 3
		r.blanks()
		r.word(c)
		return
	case r.has("<<"):
		r.at += 2
		tabs := r.peek() == '-'
		if tabs {
			r.next()
		}
		r.blanks()
		r.heredocs = append(r.heredocs, heredoc{r.word(c), tabs})
		return
	}
	op := string(r.next())
	for strings.IndexByte("<>&|", r.peek()) >= 0 && r.at < len(r.text) {
		op += string(r.next())
	}
	r.blanks()
	c.Redirects = append(c.Redirects, redirect{op, r.word(c)})
}

func (r *shellReader) blanks() {
	for r.peek() == ' ' || r.peek() == '\t' {
		r.next()
	}
}

// parenthesis reads an arithmetic command, a subshell, the values of an array,
// or passes over the parentheses of a function.
func (r *shellReader) parenthesis(l *commandList) {
	switch {
	case r.has("((") && len(l.now.Words) == 0:
		r.skip("))")
	case r.has("()"):
		r.at += 2
		if n := len(l.now.Words); n > 0 {
			r.functions[l.now.Words[n-1]] = true
		}
		l.now = &shellCommand{Outer: l.now.Outer}
	case l.pattern:
		r.next()
	case len(l.now.Words) > 0 && strings.HasSuffix(l.now.Words[len(l.now.Words)-1], "="):
		r.next()
		r.array(l.now)
	default:
		r.next()
		r.finish(l)
		r.list(')', l.now.Outer)
	}
}

func (r *shellReader) array(c *shellCommand) {
	for r.at < len(r.text) && r.peek() != ')' {
		switch {
		case strings.IndexByte(" \t\n;&|<>(", r.peek()) >= 0:
			r.next()
		case r.peek() == '#':
			r.comment()
		case r.peek() == '`' && r.backquote:
			return
		default:
			r.word(c)
		}
	}
	r.next()
}

func (r *shellReader) addWord(l *commandList) {
	line := r.line
	w := r.word(l.now)
	if w == "" && r.line != line {
		return // nothing but a continued line
	}
	if l.now.Line == 0 {
		l.now.Line = line
	}
	first := len(l.now.Words) == 0
	l.now.Words = append(l.now.Words, w)
	switch {
	case w == "in" && l.now.keyword("case"):
		l.cases++
		r.finish(l)
		l.pattern = true
	case w == "esac" && first && l.cases > 0:
		l.cases--
		l.pattern = false
		l.now = &shellCommand{Outer: l.now.Outer}
	case w == "{" && len(l.now.Words) == 3 && l.now.keyword("function"):
		r.functions[l.now.Words[1]] = true
		l.now = &shellCommand{Outer: l.now.Outer}
	case first && separateWords[w]:
		// What follows is a command of its own.
		l.now = &shellCommand{Outer: l.now.Outer}
	}
}

// separateWords are the reserved words that a command follows.
var separateWords = map[string]bool{
	"if": true, "then": true, "elif": true, "else": true, "while": true, "until": true, "do": true,
	"{": true, "}": true, "!": true, "time": true, "fi": true, "done": true,
}

func (c *shellCommand) keyword(word string) bool { return len(c.Words) > 0 && c.Words[0] == word }

// word reads a word; commands substituted in it have c as their outer one.
func (r *shellReader) word(c *shellCommand) string {
	var b strings.Builder
	for r.at < len(r.text) && strings.IndexByte(" \t\r\n;&|<>()", r.peek()) < 0 && (r.peek() != '`' || !r.backquote) {
		start := r.at
		switch {
		case r.peek() == '\'':
			r.next()
			r.skip("'")
			b.WriteString(strings.TrimSuffix(r.text[start+1:r.at], "'"))
		case r.peek() == '"':
			r.quoted(&b, c)
		case r.has("\\\n"):
			r.next()
			r.next()
		case r.peek() == '\\':
			r.next()
			if r.at < len(r.text) {
				b.WriteByte(r.next())
			}
		case r.has("$'"):
			r.ansi(&b)
		case r.peek() == '$' || r.peek() == '`':
			r.expansion(&b, c)
		default:
			b.WriteByte(r.next())
		}
	}
	return b.String()
}

func (r *shellReader) quoted(b *strings.Builder, c *shellCommand) {
	r.next()
	for r.at < len(r.text) && r.peek() != '"' {
		switch {
		case r.has("\\\n"):
			r.next()
			r.next()
		case r.peek() == '\\':
			r.next()
			if r.at < len(r.text) {
				b.WriteByte(r.next())
			}
		case r.peek() == '$' || r.peek() == '`':
			r.expansion(b, c)
		default:
			b.WriteByte(r.next())
		}
	}
	r.next()
}

// ansi reads $'…', in which a backslash can quote the quote.
func (r *shellReader) ansi(b *strings.Builder) {
	r.at += 2
	for r.at < len(r.text) && r.peek() != '\'' {
		if r.peek() == '\\' {
			r.next()
		}
		if r.at < len(r.text) {
			b.WriteByte(r.next())
		}
	}
	r.next()
}

// expansion reads what begins with a dollar or a backquote. Of a substitution
// "$()" is left, all else stays as it is written.
func (r *shellReader) expansion(b *strings.Builder, c *shellCommand) {
	start := r.at
	switch {
	case r.peek() == '`':
		r.next()
		r.list('`', c)
		b.WriteString("$()")
		return
	case r.has("$(("):
		r.skip("))")
	case r.has("$("):
		r.at += 2
		r.list(')', c)
		b.WriteString("$()")
		return
	case r.has("${"):
		r.parameter(c)
	default:
		r.next()
	}
	b.WriteString(r.text[start:min(r.at, len(r.text))])
}

// parameter reads "${…}", in which there can be quotes and expansions.
func (r *shellReader) parameter(c *shellCommand) {
	r.at += 2
	var ignored strings.Builder
	for r.at < len(r.text) && r.peek() != '}' {
		switch {
		case r.peek() == '"':
			r.quoted(&ignored, c)
		case r.peek() == '\\':
			r.next()
			r.next()
		case r.peek() == '$' || r.peek() == '`':
			r.expansion(&ignored, c)
		default:
			r.next()
		}
	}
	r.next()
}

// call returns the program that a command starts, behind what starts others
// (sudo, env …), and its arguments. host is false for what runs in a chroot.
func (c *shellCommand) call() (name string, args []string, host bool) {
	words, host := c.Words, true
	for len(words) > 0 {
		word := words[0]
		switch {
		case assignment.MatchString(word):
			words = words[1:]
			continue
		case strings.Contains(path.Base(word), "chroot"): // or a function that calls it
			host = false
			words = words[1:]
			if path.Base(word) == "chroot" {
				words = afterOptions(words, 1)
			}
			continue
		case variable.MatchString(word) && len(words) > 1 && !strings.HasPrefix(words[1], "-"):
			words = words[1:] // a variable for what may start the program
			continue
		case wrappers[path.Base(word)] != nil:
			words = afterOptions(words[1:], wrappers[path.Base(word)].operands)
			continue
		}
		if isPython.MatchString(path.Base(word)) && len(words) > 2 && words[1] == "-m" {
			words = words[2:] // a program of its own, by another name
			continue
		}
		return path.Base(word), words[1:], host
	}
	return "", nil, host
}

var variable = regexp.MustCompile(`^\$(\w+|\{\w+\})$`)

var isPython = regexp.MustCompile(`^python[0-9.]*$`)

var assignment = regexp.MustCompile(`^[A-Za-z_]\w*(\[[^\]]*\])?\+?=`)

// A wrapper is a program that starts the one its arguments name.
type wrapper struct{ operands int }

var wrappers = map[string]*wrapper{
	"sudo": {}, "exec": {}, "command": {}, "nohup": {}, "nice": {}, "env": {}, "xargs": {}, "eatmydata": {}, "ionice": {},
	"timeout": {1}, "flock": {1}, "retry": {}, "setsid": {}, "unshare": {},
}

// afterOptions returns the words behind options, and behind some operands. Which
// options have a value is not known but for those of sudo and env that matter.
func afterOptions(words []string, operands int) []string {
	for len(words) > 0 && strings.HasPrefix(words[0], "-") {
		if w := words[0]; w == "-u" || w == "-g" || w == "-C" || w == "-I" || w == "-n" && len(words) > 1 && isDigits(words[1]) {
			words = words[min(1, len(words)):]
		}
		words = words[min(1, len(words)):]
	}
	return words[min(operands, len(words)):]
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
