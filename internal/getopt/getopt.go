package getopt

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Rules say which options there are.
type Rules struct {
	// Short are the letters of short options, each with ":" behind it if it takes
	// an argument.
	Short string
	// Long are the names of long options, with ":" at the end likewise.
	Long []string
	// InOrder ends the options at the first operand, as POSIX wants it.
	InOrder bool
}

// An Option is one that was given: a letter or a whole long name, and its
// argument.
type Option struct{ Name, Value string }

// Parse reads the words of a command line, without the program's name. It goes
// on behind a mistake, so that the errors are all that are wrong, in the words of
// getopt(1).
func (r Rules) Parse(args []string) (options []Option, operands []string, errs []error) {
	p := parser{rules: r, rest: args}
	for len(p.rest) > 0 {
		word := p.rest[0]
		p.rest = p.rest[1:]
		switch {
		case word == "--":
			return p.options, append(operands, p.rest...), p.errs
		case strings.HasPrefix(word, "--"):
			p.long(word[2:])
		case strings.HasPrefix(word, "-") && word != "-":
			p.short(word[1:])
		case r.InOrder:
			return p.options, append(append(operands, word), p.rest...), p.errs
		default:
			operands = append(operands, word)
		}
	}
	return p.options, operands, p.errs
}

type parser struct {
	rules   Rules
	rest    []string // words that are still to be read
	options []Option
	errs    []error
}

func (p *parser) fail(format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf(format, args...))
}

// next takes the next word as an argument.
func (p *parser) next() (word string, ok bool) {
	if len(p.rest) == 0 {
		return "", false
	}
	word, p.rest = p.rest[0], p.rest[1:]
	return word, true
}

// short reads the letters of one word.
func (p *parser) short(letters string) {
	for letters != "" {
		letter := letters[:1]
		letters = letters[1:]
		at := strings.Index(p.rules.Short, letter)
		if at < 0 || letter == ":" {
			p.fail("invalid option -- '%s'", letter)
			continue
		}
		if !strings.HasPrefix(p.rules.Short[at+1:], ":") {
			p.options = append(p.options, Option{Name: letter})
			continue
		}
		value, ok := letters, true
		if letters == "" {
			value, ok = p.next()
		}
		if !ok {
			p.fail("option requires an argument -- '%s'", letter)
			return
		}
		p.options = append(p.options, Option{letter, value})
		return
	}
}

// long reads a long option without its dashes.
func (p *parser) long(word string) {
	given, value, hasValue := strings.Cut(word, "=")
	name, takes, err := p.rules.find(given, word)
	switch {
	case err != nil:
		p.errs = append(p.errs, err)
		return
	case !takes && hasValue:
		p.fail("option '--%s' doesn't allow an argument", name)
		return
	case takes && !hasValue:
		if value, hasValue = p.next(); !hasValue {
			p.fail("option '--%s' requires an argument", name)
			return
		}
	}
	p.options = append(p.options, Option{name, value})
}

// find returns the long option that a name or the beginning of one means, and
// whether it takes an argument. Word is what it is in.
func (r Rules) find(given, word string) (name string, takes bool, err error) {
	var begin []string
	for _, long := range r.Long {
		name, takes := strings.CutSuffix(long, ":")
		if name == given {
			return name, takes, nil
		}
		if strings.HasPrefix(name, given) {
			begin = append(begin, name)
		}
	}
	switch len(begin) {
	case 0:
		return "", false, fmt.Errorf("unrecognized option '--%s'", word)
	case 1:
		return begin[0], slices.Contains(r.Long, begin[0]+":"), nil
	}
	text := fmt.Sprintf("option '--%s' is ambiguous; possibilities:", word)
	for _, name := range begin {
		text += fmt.Sprintf(" '--%s'", name)
	}
	return "", false, errors.New(text)
}
