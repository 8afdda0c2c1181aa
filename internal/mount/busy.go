package mount

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// maxHolders is how many processes an error names; the first ones tell enough.
const maxHolders = 5

// usedBy names the processes with a root, working directory, program or open
// file at or below target, as " (used by sh (pid 12), …)", or nothing. It is a
// help for the reader of an error, so that what it cannot read it leaves out.
func usedBy(target string) string {
	// Reading links opens nothing, so that looking does not hold the mount.
	links, _ := filepath.Glob("/proc/[0-9]*/root")
	var holders []string
	for _, link := range links {
		if dir := filepath.Dir(link); holds(dir, target) && len(holders) < maxHolders {
			name, _ := os.ReadFile(dir + "/comm")
			holders = append(holders, fmt.Sprintf("%s (pid %s)", strings.TrimSpace(string(name)), filepath.Base(dir)))
		}
	}
	if holders == nil {
		return ""
	}
	return " (used by " + strings.Join(holders, ", ") + ")"
}

func holds(process, target string) bool {
	links, _ := filepath.Glob(process + "/fd/*")
	for _, link := range append(links, process+"/root", process+"/cwd", process+"/exe") {
		path, err := os.Readlink(link)
		if err == nil && (path == target || strings.HasPrefix(path, target+"/")) {
			return true
		}
	}
	return false
}
