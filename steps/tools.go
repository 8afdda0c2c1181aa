package steps

import (
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/dibgraph/dibgraph/graph"
)

// digests remembers the digests of files of the host for the life of the
// process. A file that changes has another stat.
var digests sync.Map // fileState → graph.Digest

// A fileState tells the contents of a file apart without reading it.
type fileState struct {
	path             string
	device, inode    uint64
	size             int64
	modified, status time.Time
}

// fileDigest returns the digest of a file's content.
func fileDigest(path string) (graph.Digest, error) {
	info, err := os.Stat(path)
	if err != nil {
		return graph.Digest{}, err
	}
	state := fileState{path: path, size: info.Size(), modified: info.ModTime()}
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		state.device, state.inode, state.status = uint64(sys.Dev), sys.Ino, time.Unix(sys.Ctim.Unix())
	}
	if known, ok := digests.Load(state); ok {
		return known.(graph.Digest), nil
	}
	digest, err := graph.DigestFile(path)
	if err == nil && time.Since(state.status) > time.Second { // else a write could leave the times as they are
		digests.Store(state, digest)
	}
	return digest, err
}

// toolDigest returns what tells one version of a program from another.
func toolDigest(path string) string {
	digest, err := fileDigest(path)
	if err != nil {
		return "absent"
	}
	return digest.String()
}

// toolDigests returns the programs with what tells their versions apart, for
// people: short digests.
func toolDigests(paths []string) map[string]string {
	if len(paths) == 0 {
		return nil
	}
	tools := make(map[string]string)
	for _, path := range paths {
		if digest, err := fileDigest(path); err == nil {
			tools[path] = digest.Short()
		}
	}
	return tools
}

// describeTools says whether the programs of the host count; which they are is
// observed.
func (h HostFiles) describeTools(d *graph.Description) {
	if h.Strict {
		d.Add("--strict-host", "programs of the host count")
	}
}

// toolNames returns the observations of programs, none if they do not count.
func (h HostFiles) toolNames(paths []string) []string {
	if !h.Strict {
		return nil
	}
	var names []string
	for _, path := range paths {
		names = append(names, observedTool+path)
	}
	return names
}
