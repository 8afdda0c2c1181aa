package steps

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// links returns the observations of symbolic links by which the given files of the
// host may have been reached. Which link a program followed is not seen, only
// where it came to; so every link counts that leads there and lies beside one of
// the files or directories on the way, or in the home or the working directory.
func (h HostFiles) links(opened []string) []string {
	reached := make(map[string]bool) // the files, and the directories that lead to them
	dirs := map[string]bool{h.Home: true, h.WorkDir: true}
	for _, path := range opened {
		for ; !reached[path] && path != "/"; path = filepath.Dir(path) {
			reached[path], dirs[filepath.Dir(path)] = true, true
		}
	}
	for _, own := range []string{h.Home, h.WorkDir} {
		// Links to where these are have other names on other machines, and lead to
		// the same.
		for at := own; at != "/" && at != "."; at = filepath.Dir(at) {
			delete(reached, at)
		}
	}
	var names []string
	for _, dir := range slices.Sorted(maps.Keys(dirs)) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // then it had no way through it
		}
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			if e.Type()&os.ModeSymlink == 0 || !h.isInput(path) {
				continue
			}
			if real, err := filepath.EvalSymlinks(path); err == nil && reached[real] {
				names = append(names, observedLink+h.name(path))
			}
		}
	}
	return names
}

// leadsTo describes where a link of the host leads.
func (h HostFiles) leadsTo(name string) string {
	real, err := filepath.EvalSymlinks(h.path(name))
	if err != nil {
		return absent
	}
	return h.name(real)
}
