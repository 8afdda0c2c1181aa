package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// suiteLine is what internal/faultcount logs at the end of a suite.
var suiteLine = regexp.MustCompile(`faults: (.+): (\d+) cases, (\d+) leaks, (\d+) wrong results$`)

// A count is what was found in one suite, or in all.
type count struct{ cases, leaks, wrong int }

func (c count) String() string {
	return fmt.Sprintf("%d cases, %d leaks, %d wrong results", c.cases, c.leaks, c.wrong)
}

func (c count) plus(o count) count {
	return count{c.cases + o.cases, c.leaks + o.leaks, c.wrong + o.wrong}
}

// sum copies a test run and returns the sum of its suites, and a table of them.
func sum(from io.Reader, to io.Writer) (total count, table string, err error) {
	suites := make(map[string]count)
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<24) // logs of failed builds can be one long line
	for lines.Scan() {
		fmt.Fprintln(to, lines.Text())
		if m := suiteLine.FindStringSubmatch(lines.Text()); m != nil {
			found := count{number(m[2]), number(m[3]), number(m[4])}
			suites[m[1]] = suites[m[1]].plus(found)
			total = total.plus(found)
		}
	}
	var b strings.Builder
	b.WriteString("| suite | cases | leaks | wrong results |\n| --- | --- | --- | --- |\n")
	for _, name := range slices.Sorted(maps.Keys(suites)) {
		row(&b, name, suites[name])
	}
	row(&b, "all", total)
	return total, b.String(), lines.Err()
}

func row(b *strings.Builder, name string, c count) {
	fmt.Fprintf(b, "| %s | %d | %d | %d |\n", name, c.cases, c.leaks, c.wrong)
}

func number(digits string) int {
	n, _ := strconv.Atoi(digits) // the expression allows digits only
	return n
}
