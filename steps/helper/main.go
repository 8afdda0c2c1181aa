package helper

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// An Env looks up one environment variable, as os.LookupEnv does. Whether a
// variable is set at all matters: a condition on an unset one is an error.
type Env func(name string) (value string, set bool)

// get returns the value of a variable, or fallback when it is unset or empty.
func (e Env) get(name, fallback string) string {
	if value, _ := e(name); value != "" {
		return value
	}
	return fallback
}

// errUsage marks a wrong call, as opposed to a mistake in an element's file.
var errUsage = errors.New("usage")

type program func(args []string, env Env, stderr io.Writer) error

var programs = map[string]program{
	"package-installs-squash": squashMain,
	"pkg-map-compile":         pkgMapMain,
	"svc-map-merge":           svcMapMain,
}

// Names returns the names of all helpers, sorted.
func Names() []string {
	return slices.Sorted(maps.Keys(programs))
}

// Main runs the helper called name with args and returns its exit status: 0
// done, 1 an element's file is wrong or a file could not be written, 2 the call
// itself is wrong. Errors go to stderr, one a line.
func Main(name string, args []string, env Env, stdout, stderr io.Writer) int {
	if name == "--help" || name == "-h" {
		fmt.Fprintf(stdout, "usage: dibgraph-helper NAME ARGUMENT...\nnames: %s\n", strings.Join(Names(), " "))
		return 0
	}
	run, ok := programs[name]
	if !ok {
		fmt.Fprintf(stderr, "dibgraph-helper: no helper is called %q; there are: %s\n", name, strings.Join(Names(), ", "))
		return 2
	}
	err := run(args, env, stderr)
	if err == nil {
		return 0
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(stderr, "%s: %s\n", name, strings.TrimSuffix(line, "\n"))
	}
	if errors.Is(err, errUsage) {
		return 2
	}
	return 1
}
