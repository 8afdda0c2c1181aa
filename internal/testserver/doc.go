// Package testserver runs servers of others for tests. They end with the test,
// even if that is killed, and listen where nobody else does. The programs are
// those that "dibgraph doctor --install --for-tests" installs; a test fails
// without them.
package testserver
