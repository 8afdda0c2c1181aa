package main

import (
	"fmt"
	"os"
	"regexp"
)

func main() {
	var expected []*regexp.Regexp
	for _, arg := range os.Args[1:] {
		pattern, err := regexp.Compile(arg)
		if err != nil {
			fmt.Fprintln(os.Stderr, "testreport:", err)
			os.Exit(2)
		}
		expected = append(expected, pattern)
	}
	r := newReport(os.Stdout, expected)
	if err := r.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
		os.Exit(1)
	}
	if !r.finish() {
		os.Exit(1)
	}
}
