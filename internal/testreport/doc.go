// Testreport makes a short report of a test run:
//
//	go test -json ./... | go run ./internal/testreport [EXPECTED...]
//
// It prints a line for each package, everything a failed test said, and the
// skipped tests with their reasons. Each argument is a regular expression that
// the reason of an expected skip matches; any other skip makes the run fail,
// because a test that is silently left out proves nothing. The last line, alone,
// is for programs that read it:
//
//	1234 passed, 0 failed, 2 skipped
//
// A test with subtests is not counted, its subtests are. A package that fails
// outside of its tests, because it does not build for example, counts as one
// failure. The exit status is 0 if something passed, nothing failed and no skip
// was unexpected.
package main
