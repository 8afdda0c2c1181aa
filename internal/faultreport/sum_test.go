package main

import (
	"io"
	"strings"
	"testing"
)

func TestSum(t *testing.T) {
	run := "=== RUN   TestFaultsKill\n" +
		"    suite.go:30: faults: kill: 100 cases, 1 leaks, 0 wrong results\n" +
		"    suite.go:30: faults: full disk: 20 cases, 0 leaks, 2 wrong results\n" +
		"    suite.go:30: faults: kill: 3 cases, 0 leaks, 0 wrong results\n" +
		"ok  \tsomething\n"
	var passed strings.Builder
	total, table, err := sum(strings.NewReader(run), &passed)
	if err != nil {
		t.Fatal(err)
	}
	if want := (count{123, 1, 2}); total != want {
		t.Errorf("total = %v, want %v", total, want)
	}
	want := "| suite | cases | leaks | wrong results |\n| --- | --- | --- | --- |\n" +
		"| full disk | 20 | 0 | 2 |\n| kill | 103 | 1 | 0 |\n| all | 123 | 1 | 2 |\n"
	if table != want {
		t.Errorf("table is\n%s, want\n%s", table, want)
	}
	if passed.String() != run {
		t.Errorf("passed on %q, want %q", passed.String(), run)
	}
	if total, _, _ := sum(strings.NewReader("ok\n"), io.Discard); total != (count{}) {
		t.Errorf("total of no suite = %v", total)
	}
}
