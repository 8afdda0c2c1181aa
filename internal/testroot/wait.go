package testroot

import (
	"os"
	"os/signal"
)

// WaitForKill never returns: it is how a test process that is to be killed
// waits for that. An empty select would end it, as a deadlock, at once.
func WaitForKill() {
	never := make(chan os.Signal, 1)
	signal.Notify(never, os.Interrupt)
	for range never {
	}
}
