package elements

import (
	"strconv"

	"github.com/dibgraph/dibgraph/steps"
)

// libBinDir holds the programs that come first in PATH on the host.
const libBinDir = steps.LibDir + "/bin"

// elementsDirAt returns the directory that holds elements at a depth: 0 for
// those that take part, 1 for the nearest that they override, and so on.
func elementsDirAt(depth int) string {
	if depth == 0 {
		return steps.ElementsDir
	}
	return steps.ElementsDir + "." + strconv.Itoa(depth+1)
}
