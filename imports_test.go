// Package dibgraph_test holds the rule of the layers as a test; there is no
// package dibgraph.
package dibgraph_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

const module = "github.com/dibgraph/dibgraph"

// layers, lowest first. A package belongs to the layer of its top directory and
// imports from its own layer or from lower ones.
var layers = []string{"internal", "cache", "graph", "steps", "elements", "cmd"}

// Doors are the imports that a file or a directory has to itself.
var doors = []struct{ imported, only, why string }{
	{"github.com/dominikbraun/graph", "graph/dag.go", "the structure can be replaced, and never shows in our API"},
	{"github.com/zeebo/blake3", "cache/digest.go internal/qcow2/bench_test.go", "there is one way to make a digest or a key; what is measured hashes as fast as that"},
	{"github.com/spf13/cobra", "cmd/", "flags and help texts belong to the program"},
	{"github.com/spf13/pflag", "cmd/", "flags and help texts belong to the program"},
	{"flag", "cmd/ steps/helper/", "flags belong to programs; a helper that hooks call is one"},
	{"log", "cmd/ cache/remote/faulty/", "packages return errors, they do not log them; what a server for tests logs is dropped"},
	{"log/slog", "cmd/", "packages return errors, they do not log them"},
}

// Names of package os that only cmd uses: everything else receives what it
// reads and writes, and returns its errors.
var programOnly = []string{"Exit", "Stdin", "Stdout", "Stderr", "Environ", "Getenv", "LookupEnv", "ExpandEnv", "Setenv"}

// Exceptions to programOnly, each with its reason. One that is no longer used
// fails the test.
var exceptions = []struct{ place, names, why string }{
	{"internal/sandbox/", "Exit", "MaybeRun ends the process that was executed again, before main does anything"},
	{"internal/faultcount/", "Getenv", "the size of the suites of faults is a variable, as that of root tests is"},
	{"internal/faultreport/main.go", "Exit Stdin Stdout Stderr", "a program of its own, run by make faults"},
	{"internal/testreport/main.go", "Exit Stdin Stdout Stderr", "a program of its own, run by make test"},
	{"internal/testroot/", "Environ Getenv Stdin Stdout Stderr", "the gate of the root tests is a variable, because a flag would have to be declared in every package; tests that run again in a namespace of their own are still the same program"},
	{"steps/", "Stdin Stdout Stderr", "programs of the sandbox: a process of their own, whose output is the log of the node"},
}

func TestLayers(t *testing.T) {
	found, unused := violations(t, os.DirFS("."))
	for _, v := range found {
		t.Error(v)
	}
	for _, e := range unused {
		t.Errorf("exception %q is not used: take it out of the table", e)
	}
}

// Each planted violation has to be found: the test above can fail.
func TestLayersSeesViolations(t *testing.T) {
	for file, test := range map[string]struct{ text, want string }{
		"cache/a.go":          {`import "` + module + `/graph"`, "cache must not import graph, which is above it"},
		"cache/remote/a.go":   {`import "` + module + `/steps/helper"`, "cache must not import steps, which is above it"},
		"internal/x/a.go":     {`import "` + module + `/cache"`, "internal must not import cache, which is above it"},
		"elements/a_test.go":  {`import "` + module + `/cmd/dibgraph"`, "elements must not import cmd, which is above it"},
		"steps/a.go":          {`import "` + module + `/cache"`, "steps must not import cache"},
		"util/a.go":           {`import "fmt"`, `"util" is not a layer`},
		"a.go":                {`import "fmt"`, "only tests belong at the top"},
		"graph/b.go":          {`import "` + module + `/extra"`, `"extra" is not a layer`},
		"graph/a.go":          {`import dag "github.com/dominikbraun/graph"`, "only graph/dag.go"},
		"cache/blobs.go":      {`import "github.com/zeebo/blake3"`, "only cache/digest.go"},
		"elements/flags.go":   {`import "github.com/spf13/cobra/doc"`, "only cmd/"},
		"elements/log.go":     {`import "log/slog"`, "only cmd/"},
		"elements/exit.go":    {"import \"os\"\nfunc f() { os.Exit(1) }", "os.Exit"},
		"elements/renamed.go": {"import system \"os\"\nvar home = system.Getenv(\"HOME\")", "os.Getenv"},
		"steps/env.go":        {"import \"os\"\nvar all = os.Environ()", "os.Environ"},
	} {
		t.Run(file, func(t *testing.T) {
			tree := fstest.MapFS{
				file:                     {Data: []byte("package a\n" + test.text)},
				"cmd/dibgraph/good.go":   {Data: []byte("package main\nimport (\"os\"; \"flag\"; _ \"" + module + "/elements\")\nfunc f() { os.Exit(flag.NArg()) }")},
				"graph/dag.go":           {Data: []byte("package graph\nimport _ \"github.com/dominikbraun/graph\"")},
				"elements/good_test.go":  {Data: []byte("package elements\nimport (\"flag\"; \"os\")\nvar _ = os.Stderr")},
				"steps/testdata/bad.go":  {Data: []byte("package bad\nimport _ \"" + module + "/cache\"")},
				".hidden/bad.go":         {Data: []byte("package bad\nimport _ \"" + module + "/nothing\"")},
				"elements/good_other.go": {Data: []byte("package elements\nimport os \"example.org/os\"\nvar _ = os.Stderr")},
			}
			found, _ := violations(t, tree)
			if len(found) != 1 || !strings.HasPrefix(found[0], file) || !strings.Contains(found[0], test.want) {
				t.Errorf("found %q, want one of %s that says %q", found, file, test.want)
			}
		})
	}
}

// violations reads every Go file of the tree, test data left out, and says what
// breaks the rules and which exceptions nobody uses.
func violations(t *testing.T, tree fs.FS) (found, unused []string) {
	t.Helper()
	used := map[int]bool{}
	err := fs.WalkDir(tree, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && file != "." && (name == "testdata" || name[0] == '.' || name[0] == '_') {
			return fs.SkipDir
		}
		if entry.IsDir() || path.Ext(name) != ".go" {
			return nil
		}
		text, err := fs.ReadFile(tree, file)
		if err != nil {
			return err
		}
		for _, problem := range check(file, text, used) {
			found = append(found, file+": "+problem)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range exceptions {
		if !used[i] {
			unused = append(unused, e.place)
		}
	}
	return found, unused
}

func check(file string, text []byte, used map[int]bool) []string {
	top, _, below := strings.Cut(file, "/")
	test := strings.HasSuffix(file, "_test.go")
	switch {
	case !below && test:
		return nil
	case !below:
		return []string{"only tests belong at the top"}
	case !slices.Contains(layers, top):
		return []string{fmt.Sprintf("%q is not a layer", top)}
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), file, text, parser.SkipObjectResolution)
	if err != nil {
		return []string{err.Error()}
	}
	var problems []string
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			problems = append(problems, err.Error())
			continue
		}
		problems = append(problems, checkDoors(file, imported, test)...)
		problems = append(problems, checkLayer(top, imported)...)
	}
	if top != "cmd" && !test {
		problems = append(problems, checkUses(file, parsed, used)...)
	}
	return problems
}

func checkDoors(file, imported string, test bool) []string {
	for _, d := range doors {
		// A test is a program, and may have flags.
		program := test && strings.HasPrefix(d.only, "cmd/")
		if program || imported != d.imported && !strings.HasPrefix(imported, d.imported+"/") {
			continue
		}
		inside := func(place string) bool {
			return file == place || strings.HasSuffix(place, "/") && strings.HasPrefix(file, place)
		}
		if !slices.ContainsFunc(strings.Fields(d.only), inside) {
			return []string{fmt.Sprintf("imports %s: only %s may (%s)", imported, d.only, d.why)}
		}
	}
	return nil
}

func checkLayer(top, imported string) []string {
	rest, ours := strings.CutPrefix(imported, module+"/")
	if !ours {
		return nil
	}
	other, _, _ := strings.Cut(rest, "/")
	switch layer := slices.Index(layers, other); {
	case layer < 0:
		return []string{fmt.Sprintf("imports %s: %q is not a layer", imported, other)}
	case layer > slices.Index(layers, top):
		return []string{fmt.Sprintf("imports %s: %s must not import %s, which is above it", imported, top, other)}
	case top == "steps" && other == "cache":
		return []string{"imports " + imported + ": steps must not import cache (a step cannot know whether it is cached)"}
	}
	return nil
}

// checkUses looks for the names of package os that belong to the program.
func checkUses(file string, parsed *ast.File, used map[int]bool) []string {
	local := ""
	for _, spec := range parsed.Imports {
		if spec.Path.Value == `"os"` {
			local = "os"
			if spec.Name != nil {
				local = spec.Name.Name
			}
		}
	}
	var problems []string
	ast.Inspect(parsed, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := selector.X.(*ast.Ident); !ok || local == "" || x.Name != local {
			return true
		}
		if slices.Contains(programOnly, selector.Sel.Name) && !excepted(file, selector.Sel.Name, used) {
			problems = append(problems, "uses os."+selector.Sel.Name+": only cmd may")
		}
		return true
	})
	return problems
}

func excepted(file, name string, used map[int]bool) bool {
	for i, e := range exceptions {
		if strings.HasPrefix(file, e.place) && slices.Contains(strings.Fields(e.names), name) {
			used[i] = true
			return true
		}
	}
	return false
}
