package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// An event is one line of "go test -json", see "go doc test2json" and
// "go help buildjson".
type event struct {
	Action      string
	Package     string
	ImportPath  string // of a build event, in the place of Package
	Test        string // empty: the event is of the package
	Elapsed     float64
	Output      string
	FailedBuild string // of a package's fail: ImportPath of the build that failed
}

// read takes a run in. A line that is no event is shown as it is: the go command
// prints some of its own complaints so.
func (r *report) read(from io.Reader) error {
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			var e event
			if json.Unmarshal([]byte(line), &e) == nil && e.Action != "" {
				r.add(e)
			} else if strings.TrimSpace(line) != "" {
				fmt.Fprintln(r.out, strings.TrimSuffix(line, "\n"))
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the test run: %w", err)
		}
	}
}

// logLine is what t.Log, t.Error and t.Skip write before the text.
var logLine = regexp.MustCompile(`^\s*[^\s:]+\.go:\d+: (.*)$`)

// protocol begins what a script of testscript writes after its reason to skip.
const protocol = "testscript.go:"

// reason finds in the output of a skipped test what it said last.
func reason(output string) string {
	found := "no reason given"
	for line := range strings.Lines(output) {
		if strings.HasPrefix(strings.TrimSpace(line), protocol) {
			continue
		}
		if match := logLine.FindStringSubmatch(strings.TrimSuffix(line, "\n")); match != nil {
			found = match[1]
		}
	}
	return found
}

// isProgress reports whether a line of output only says that a test starts or
// goes on.
func isProgress(line string) bool {
	return strings.HasPrefix(line, "=== ")
}

// isVerdict reports whether a line of a package's output only says how it ended,
// which the report says in its own way.
func isVerdict(line string) bool {
	return line == "FAIL\n" || line == "PASS\n" || strings.HasPrefix(line, "FAIL\t") || strings.HasPrefix(line, "ok  \t")
}
