// Package testserver runs servers of others for tests. They end with the test,
// even if that is killed, and listen where nobody else does. The programs are
// those that "dibgraph doctor --install --for-tests" installs, and one that the
// test builds; a test fails without them.
package testserver
