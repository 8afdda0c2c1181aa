package remote

import (
	"fmt"
	"strings"
)

// CheckName returns an error for what is no name of an object, as [Remote] has
// them: some remotes make a path of it.
func CheckName(name string) error {
	const first = "abcdefghijklmnopqrstuvwxyz0123456789"
	const most = 128
	if name == "" || len(name) > most || !strings.Contains(first, name[:1]) || strings.Trim(name, first+".-_") != "" {
		return fmt.Errorf("%.140q is not the name of an object: want at most %d of a-z, 0-9, \".\", \"-\", \"_\", first a letter or digit", name, most)
	}
	return nil
}
