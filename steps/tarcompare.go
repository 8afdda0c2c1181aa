package steps

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/dibgraph/dibgraph/graph"
)

// listTar lists what is in a tar file, with the paths of the build tree.
func listTar(name string, volatile []string) (*graph.Listing, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	l, err := graph.ListTar(f)
	if err != nil {
		return nil, fmt.Errorf("list %q: %w", name, err)
	}
	moveListing(l, filepath.Base(TargetDir))
	return l, l.MarkVolatile(volatile)
}

// moveListing changes the paths of a listing to those below a directory.
func moveListing(l *graph.Listing, dir string) {
	for i := range l.Entries {
		e := &l.Entries[i]
		e.Path = filepath.Join(dir, e.Path)
		if e.HardLink != "" {
			e.HardLink = filepath.Join(dir, e.HardLink)
		}
	}
}
