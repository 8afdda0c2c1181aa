// Faultreport adds up what the suites of faults found:
//
//	go test -v -run '^TestFaults' ./... | go run ./internal/faultreport [TABLE]
//
// It passes its input on, writes a table of the suites to the file TABLE unless
// that is "-", and prints, as the last line,
//
//	faults: 1234 cases, 0 leaks, 0 wrong results
//
// The exit status is 0 if there was a case and nothing was found.
package main

import (
	"fmt"
	"os"
)

func main() {
	total, table, err := sum(os.Stdin, os.Stdout)
	if err == nil && len(os.Args) > 1 && os.Args[1] != "-" {
		err = os.WriteFile(os.Args[1], []byte(table), 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "faultreport:", err)
		os.Exit(1)
	}
	fmt.Println("faults:", total)
	if total.cases == 0 || total.leaks > 0 || total.wrong > 0 {
		os.Exit(1)
	}
}
