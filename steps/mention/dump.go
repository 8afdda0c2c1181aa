package mention

import (
	"bytes"
	"regexp"
)

// A dumpRule says when a word uses the environment as a whole: when what is
// before it on its line and what is after it match, and no exception does.
// Only words that have a rule are looked at.
type dumpRule struct {
	before, after *regexp.Regexp // nil matches all
	// not holds pairs of what is before and after that are harmless.
	not [][2]*regexp.Regexp
	// shell limits the rule to texts that can be of a shell.
	shell bool
	// with is a text that has to occur for the rule to count.
	with string
}

// Parts of the patterns below.
const (
	// end is the end of a command.
	end = "[ \\t\\r]*(#.*|[0-9]*[<>&|;)`].*|\\n)?$"
	// apart is what is before a word that is no part of a longer one.
	apart = "(^|[\\s;|&({`\"'!]|bin/)$"
	// command is what is before a word that is run.
	command = "(^|[;|&({`!]|\\b(sudo|exec|command|then|do|else|elif|if|while|until|time)\\b[^;|&\"']*)[ \\t]*(\\S*bin/)?$"
	// literal is a name in quotes, or the beginning of one, which counts as a
	// prefix.
	literal = `\s*[bfru]*(["'][A-Za-z_]\w*["']\s*[\]),}]|["'][A-Za-z_]\w*_["'%{$])`
)

func re(pattern string) *regexp.Regexp { return regexp.MustCompile(pattern) }

// member matches a literal name that is looked for in what follows.
var member = [2]*regexp.Regexp{re(`["'][A-Za-z_]\w*["']\s+(not\s+)?in\s+(os\.)?$`), nil}

// imported matches an import, which by itself reads nothing.
var imported = [2]*regexp.Regexp{re(`\bimport\b[^;]*$`), re(`^\s*(,|#.*|$)`)}

// one matches an access to a single variable with a literal name.
func one(access string) [2]*regexp.Regexp { return [2]*regexp.Regexp{nil, re("^" + access + literal)} }

// dumpRules are the rules by their words.
var dumpRules = map[string][]dumpRule{
	// A dump without a command. It can stand after so much (xargs, chroot DIR …)
	// that it counts wherever a command ends after it.
	"env": {
		{before: re(apart), after: re(`^([ \t]+((-u|--unset|-C|--chdir)[ =]\S+|-[^\s;|&)]*|\w+=[^\s;|&)]*))*` + end), shell: true},
		{before: re(`["'](\S*bin/)?$`), after: re(`^["']`)},
	},
	"printenv": {{
		before: re(apart),
		not:    [][2]*regexp.Regexp{{nil, re(`^([ \t]+-\S+)*([ \t]+["']?[A-Za-z_]\w*["']?)+` + end)}, {nil, re(`^([ \t]+["']?[A-Za-z_]\w*["']?)+["'\]]`)}},
	}},
	"set": {
		{before: re(command), after: re("^" + end), shell: true},
		{before: re(`-c[ \t]*["']$`), after: re(`^["']`)},
	},
	"export":   declareRules,
	"declare":  append([]dumpRule{nameReference}, declareRules...),
	"typeset":  append([]dumpRule{nameReference}, declareRules...),
	"local":    {nameReference},
	"compgen":  {{after: re(`^.*([ \t]-[a-z]*[ve]|\bvariable\b|\bexport\b)`), shell: true}},
	"envsubst": {{before: re(apart), after: re(`^([ \t]+-\S+)*` + end)}},
	// Python, and the files of /proc.
	"environ":  {{not: [][2]*regexp.Regexp{one(`(\.(get|pop|setdefault))?\s*[\[(]`), member, imported}}},
	"environb": {{not: [][2]*regexp.Regexp{one(`(\.(get|pop|setdefault))?\s*[\[(]`), member, imported}}},
	"getenv":   {{not: [][2]*regexp.Regexp{one(`\s*\(`), imported}}},
	"getenvb":  {{not: [][2]*regexp.Regexp{one(`\s*\(`), imported}}},
	// Go, awk, node, Perl, jq, Ruby.
	"Environ": {{}},
	"ENVIRON": {{not: [][2]*regexp.Regexp{one(`\s*\[`), member}}},
	"process": {{after: re(`^\.env\b`), not: [][2]*regexp.Regexp{{nil, re(`^\.env\.[A-Za-z_]`)}, one(`\.env\[`)}}},
	"ENV": {
		{before: re(`%$`)},
		{before: re(`\$$`), after: re(`^\{`), not: [][2]*regexp.Regexp{{nil, re(`^\{["']?[A-Za-z_]\w*["']?\}`)}}},
		{before: re(`\$$`), not: [][2]*regexp.Regexp{{nil, re(`^(\.[A-Za-z_]|\{)`)}}, with: "jq"},
		{after: re(`^[.\[]`), not: [][2]*regexp.Regexp{one(`(\.fetch)?[\[(]`)}, with: "ruby"},
	},
}

// declareRules are for the commands that list all variables when they are
// given no name, or one variable whose name may be computed.
var declareRules = []dumpRule{
	{before: re(command), after: re(`^([ \t]+-[aAilprtux]+)*` + end), shell: true},
	{before: re(command), after: re("^([ \\t]+-\\w+)*[ \\t]+-\\w*p\\w*[ \\t].*[$`]"), shell: true},
}

// nameReference is for a variable that stands for another.
var nameReference = dumpRule{after: re(`^([ \t]+-\w+)*[ \t]+-\w*n`), shell: true}

// usesAll reports whether the environment is used as a whole.
func (c code) usesAll() bool {
	for word, rules := range dumpRules {
		for start, end := range c.occurrences(word) {
			before, after := c.around(start, end)
			for _, rule := range rules {
				if rule.matches(c, before, after) {
					return true
				}
			}
		}
	}
	return false
}

// around returns the line of a word, before and after it.
func (c code) around(start, end int) (before, after []byte) {
	before, after = c.text[:start], c.text[end:]
	before = before[bytes.LastIndexByte(before, '\n')+1:]
	after, _, _ = bytes.Cut(after, []byte("\n"))
	return before, after
}

func (r dumpRule) matches(c code, before, after []byte) bool {
	if r.shell && !c.shell || r.with != "" && !c.has(r.with) {
		return false
	}
	for _, not := range r.not {
		if match(not[0], before) && match(not[1], after) {
			return false
		}
	}
	return match(r.before, before) && match(r.after, after)
}

func match(pattern *regexp.Regexp, text []byte) bool { return pattern == nil || pattern.Match(text) }

var (
	// harmless is what makes "${!" no expansion by a computed name but a list:
	// of names by prefix, or of the keys of an array.
	harmless   = re(`^(\w+\[[@*]\]\}|\w+[*@]\}|\})`)
	prefixList = re(`\$\{!([A-Za-z_]\w*)[*@]\}`)
	// computed is a name that eval sees but the text does not, or a test of a
	// variable with such a name.
	computed     = re(`\\?\$["']*\{?["']*\$[A-Za-z_{0-9]`)
	computedTest = re(`(\[|\btest\b).*[ \t]-v[ \t]+["']?\$`)
	// begun is a name that eval sees and the text begins.
	begun = re(`\\\$\{?([A-Za-z_]\w*)\\?\$`)
)

// computesNames reports whether variables are read by names that are not in
// the text.
func (c code) computesNames() bool {
	for rest := c.text; ; {
		var found bool
		if _, rest, found = bytes.Cut(rest, []byte("${!")); !found {
			break
		}
		if !harmless.Match(rest) {
			return true
		}
	}
	// The words are looked for first: few texts have them, and the patterns cost
	// more than all else that is done with a text.
	return c.has("-v") && computedTest.Match(c.text) || c.has("eval") && computed.Match(c.text)
}

// prefixes returns the beginnings of names that do not end in "_".
func (c code) prefixes() []string {
	var prefixes []string
	add := func(pattern *regexp.Regexp) {
		for _, m := range pattern.FindAllSubmatch(c.text, -1) {
			prefixes = append(prefixes, string(m[1]))
		}
	}
	if c.has("${!") {
		add(prefixList)
	}
	if c.has("eval") {
		add(begun)
	}
	return prefixes
}
