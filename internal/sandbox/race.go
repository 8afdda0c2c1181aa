//go:build race

package sandbox

// environment of init and of programs. The race detector sleeps for a second in
// each process that exits, unless it is told not to: two in each sandbox.
var environment = []string{"GORACE=atexit_sleep_ms=0"}
