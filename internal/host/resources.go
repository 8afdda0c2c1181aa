package host

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// What a build of a small distribution takes, by a minimal Debian with a kernel:
// its layers, raw image and compressed image are 2 GB together, and for each
// image more that is kept or changed about the same again. Its largest process
// needs half of minMemory.
const (
	leastSpace = 2 << 30
	minSpace   = 8 << 30
	minMemory  = 1 << 30
)

// Resources finds out how much memory is available, and how much space in the
// directory store, which need not exist.
func (m Machine) Resources(store string) []Finding {
	return []Finding{m.memory(), space(store)}
}

func (m Machine) memory() Finding {
	f := Finding{What: "memory", For: "package managers and compression", State: OK}
	available, err := parseAvailable(m.read("/proc/meminfo"))
	if err != nil {
		f.State, f.Detail = Degraded, err.Error()
		return f
	}
	f.Detail = fmt.Sprintf("%s available", bytes(available))
	if available < minMemory {
		f.State, f.Fix = Degraded, "fewer builds at a time: --jobs 1"
	}
	return f
}

// parseAvailable finds the line "MemAvailable:  23772292 kB".
func parseAvailable(meminfo string) (int64, error) {
	for line := range strings.Lines(meminfo) {
		words := strings.Fields(line)
		if len(words) == 3 && words[0] == "MemAvailable:" && words[2] == "kB" {
			kilobytes, err := strconv.ParseInt(words[1], 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, fmt.Errorf("/proc/meminfo does not say what is available")
}

func space(store string) Finding {
	f := Finding{What: "space", For: "the store and images being made", State: OK}
	dir := existing(store)
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		f.State, f.Detail = Missing, fmt.Sprintf("%s: %v", dir, err)
		return f
	}
	free := int64(stat.Bavail) * stat.Bsize
	f.State = spaceState(free)
	f.Detail = fmt.Sprintf("%s free for %s", bytes(free), store)
	if f.State != OK {
		f.Fix = "free some, or " + storeFix
	}
	return f
}

func spaceState(free int64) State {
	switch {
	case free < leastSpace:
		return Missing
	case free < minSpace:
		return Degraded
	default:
		return OK
	}
}

// bytes writes a number of bytes for people.
func bytes(n int64) string {
	switch {
	case n < 1<<20:
		return fmt.Sprintf("%d KiB", n>>10)
	case n < 1<<30:
		return fmt.Sprintf("%d MiB", n>>20)
	default:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	}
}
