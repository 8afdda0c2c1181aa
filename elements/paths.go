package elements

import "strconv"

// Paths inside the namespaces in which hooks run. They are the same for every
// build, so no random name reaches a hook or a key.
const (
	runDir      = "/run/dibgraph"
	buildDir    = runDir + "/build"
	mountDir    = buildDir + "/mnt"
	hooksDir    = buildDir + "/hooks"
	outDir      = buildDir + "/out"
	imageDir    = runDir + "/image"
	libDir      = runDir + "/lib"
	libBinDir   = libDir + "/bin"
	elementsDir = runDir + "/elements"
)

// elementsDirAt returns the directory that holds elements at a depth: 0 for
// those that take part, 1 for the nearest that they override, and so on.
func elementsDirAt(depth int) string {
	if depth == 0 {
		return elementsDir
	}
	return elementsDir + "." + strconv.Itoa(depth+1)
}
