package elements

import (
	"strconv"

	"github.com/dibgraph/dibgraph/steps"
)

// imageDir is what hooks know as TMP_IMAGE_DIR, where the builder used to keep
// the raw image.
const imageDir = steps.RunDir + "/image"

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
