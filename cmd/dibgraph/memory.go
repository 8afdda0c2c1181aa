package main

import (
	"os"
	"runtime/debug"
)

// collectLess lets the heap grow to five times what is used before garbage is
// collected, instead of twice: most runs are over in a fraction of a second and
// then had spent a fifth of it on that. What is used is tens of megabytes; should
// it ever be many more, the limit makes collections as frequent as they have to
// be. Users who set GOGC or GOMEMLIMIT know better.
func collectLess() {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(400)
		debug.SetMemoryLimit(1 << 30)
	}
}
