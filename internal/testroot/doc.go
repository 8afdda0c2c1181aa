// Package testroot is the gate of the tests that need root, mounts and loop
// devices. Such a test lives in a file named *_root_test.go and begins with
//
//	testroot.Require(t)
//
// It skips with a message unless DIBGRAPH_TEST_ROOT=1 is set, and with that it
// fails on a machine that cannot run it: a root test is asked for, never
// silently left out. A variable and not a flag, because an unknown flag breaks
// "go test ./..." in every package that does not declare it.
package testroot
