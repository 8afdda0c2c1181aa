package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// The documents whose commands are tried, and how many there are at least.
var documents = map[string]int{"README.md": 40, "docs/ci.md": 7, "docs/freshness.md": 1, "docs/elements.md": 1}

// A document as its lines of code and the text around them.
func document(t *testing.T, name string) (code, text []string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", name))
	if err != nil {
		t.Fatal(err)
	}
	fenced := false
	for line := range strings.Lines(string(content)) {
		switch {
		case strings.HasPrefix(line, "```"):
			fenced = !fenced
		case fenced:
			code = append(code, line)
		default:
			text = append(text, line)
		}
	}
	return code, text
}

var (
	// codeCall is a line of code that calls the program: after a prompt, in a
	// recipe, or with variables in front.
	codeCall = regexp.MustCompile(`^\s*(?:# |- |run: )?(?:sudo -E )?(?:[A-Z_]+=\S+ )*(?:bin/)?dibgraph ([a-z].*)$`)
	// textCall is a call in a sentence.
	textCall = regexp.MustCompile("`(?:bin/)?dibgraph ([a-z][^`]*)`")
	// afterCall is what follows a call on its line.
	afterCall = regexp.MustCompile(`\s+(?:#|\||&&|>).*$`)
	docWord   = regexp.MustCompile(`'[^']*'|[^\s']+`)
)

// callsIn returns the arguments of all calls of the program in a document.
func callsIn(t *testing.T, name string) (calls []string) {
	t.Helper()
	code, text := document(t, name)
	for _, line := range code {
		if m := codeCall.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
			calls = append(calls, afterCall.ReplaceAllString(m[1], ""))
		}
	}
	for _, m := range textCall.FindAllStringSubmatch(strings.Join(text, ""), -1) {
		calls = append(calls, m[1])
	}
	return calls
}

// What documents tell people to call is there, with all of its flags.
func TestCallsOfDocuments(t *testing.T) {
	for name, least := range documents {
		calls := callsIn(t, name)
		if len(calls) < least {
			t.Errorf("%s: %d calls were found, want %d at least: %q", name, len(calls), least, calls)
		}
		for _, call := range calls {
			var args []string
			for _, word := range docWord.FindAllString(call, -1) {
				args = append(args, strings.Trim(word, "'"))
			}
			c, rest, err := newRootCommand().Find(args)
			if err == nil && !c.HasParent() {
				t.Errorf("%s: %q: there is no such command", name, call)
				continue
			}
			if err == nil {
				err = c.ParseFlags(rest)
			}
			// Sentences name flags without their values.
			var noValue *pflag.ValueRequiredError
			if err != nil && !errors.Is(err, pflag.ErrHelp) && !errors.As(err, &noValue) {
				t.Errorf("%s: %q: %v", name, call, err)
			}
		}
	}
}
