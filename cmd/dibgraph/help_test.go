package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// commands returns the program's commands, by the words that call them.
func commands() map[string]*cobra.Command {
	all := make(map[string]*cobra.Command)
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		all[c.CommandPath()] = c
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(newRootCommand())
	return all
}

func helpOf(t *testing.T, path string) string {
	t.Helper()
	root := newRootCommand()
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetArgs(append(strings.Fields(path)[1:], "--help"))
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatalf("%s --help: %v", path, err)
	}
	return out.String()
}

func TestHelp(t *testing.T) {
	for path, c := range commands() {
		t.Run(path, func(t *testing.T) {
			help := helpOf(t, path)
			if strings.Count(help, "EXIT STATUS") != 1 {
				t.Errorf("the exit statuses are not there once:\n%s", help)
			}
			if c.Short == "" || strings.HasSuffix(c.Short, ".") || strings.ToLower(c.Short[:1]) != c.Short[:1] {
				t.Errorf("short text %q: want lower case and no period", c.Short)
			}
			for line := range strings.Lines(help) {
				if len([]rune(line)) > 200 {
					t.Errorf("a line of %d characters: %s", len([]rune(line)), line)
				}
			}
		})
	}
}

// What help prints is accepted: every flag, with a value of its type.
func TestFlagsOfHelp(t *testing.T) {
	printed := regexp.MustCompile(`(?m)^ +(?:-[a-zA-Z], )?--([a-z0-9-]+)`)
	for path := range commands() {
		t.Run(path, func(t *testing.T) {
			names := printed.FindAllStringSubmatch(helpOf(t, path), -1)
			if len(names) == 0 {
				t.Fatal("help prints no flag, not even --help")
			}
			for _, name := range names {
				c, rest, err := newRootCommand().Find(strings.Fields(path)[1:])
				if err != nil || len(rest) > 0 {
					t.Fatalf("find %s: %v, left %q", path, err, rest)
				}
				c.InitDefaultHelpFlag()
				var flag *pflag.Flag
				if flag = c.Flags().Lookup(name[1]); flag == nil {
					flag = c.InheritedFlags().Lookup(name[1])
				}
				if flag == nil {
					t.Errorf("help prints --%s, which is no flag", name[1])
					continue
				}
				arg := "--" + name[1]
				if flag.NoOptDefVal == "" {
					arg += "=1"
				}
				if err := c.ParseFlags([]string{arg}); err != nil {
					t.Errorf("%s: %v", arg, err)
				}
			}
		})
	}
}

// Examples are command lines of this program that exist.
func TestExamplesOfHelp(t *testing.T) {
	call := regexp.MustCompile(`(?m)^ *(?:[A-Z_]+=\S+ |sudo )*dibgraph (.*?)(?: *#.*| \|.*| >.*)?$`)
	for path, c := range commands() {
		for _, example := range call.FindAllStringSubmatch(c.Example, -1) {
			args := fields(example[1])
			sub, rest, err := newRootCommand().Find(args)
			if err != nil {
				t.Errorf("example of %s: %q: %v", path, example[1], err)
				continue
			}
			sub.InitDefaultHelpFlag()
			if err := sub.ParseFlags(rest); err != nil {
				t.Errorf("example of %s: %q: %v", path, example[1], err)
				continue
			}
			if err := sub.ValidateArgs(sub.Flags().Args()); err != nil {
				t.Errorf("example of %s: %q: %v", path, example[1], err)
			}
		}
		if c.Example != "" && !call.MatchString(c.Example) {
			t.Errorf("the example of %s holds no call of dibgraph: %q", path, c.Example)
		}
	}
}

// fields splits a line at blanks that are not in single quotes.
func fields(line string) []string {
	var words []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			words = append(words, part)
		} else {
			words = append(words, strings.Fields(part)...)
		}
	}
	return words
}
