// Package faultcount counts what the suites of "make faults" try and find. It
// is for tests only. A suite runs in short form in an ordinary test run and whole
// if the variable DIBGRAPH_FAULTS is "full"; at its end it logs one line, which
// internal/faultreport adds up:
//
//	faults: kill: 1000 cases, 0 leaks, 0 wrong results
//
// A suite is any test whose name begins with TestFaults, in any package.
package faultcount
