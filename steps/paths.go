package steps

// Paths inside the namespaces a step runs in. They never change, so nothing
// about the machine or the run reaches a hook or a key through them.
const (
	RunDir = "/run/dibgraph"
	// BuildDir has a name like those that diskimage-builder makes: elements take
	// what comes after the last dot of TMP_MOUNT_PATH for a word of their own.
	BuildDir    = RunDir + "/dib_build.fixed"
	TargetDir   = BuildDir + "/mnt"
	HooksDir    = BuildDir + "/hooks"
	OutDir      = BuildDir + "/out"
	BuiltDir    = BuildDir + "/built"
	ElementsDir = RunDir + "/elements"
	LibDir      = RunDir + "/lib"
	// SourcesDir holds the sources of an image, for hooks on the host.
	SourcesDir = RunDir + "/sources"
	// ImageDir is scratch space, empty at the start of every step.
	ImageDir = RunDir + "/image"
	// HelperPath is this program under the name by which host hooks of the
	// embedded elements call it.
	HelperPath = LibDir + "/bin/dibgraph-helper"
	// InTarget is where chroot phases find the hooks, seen from the chroot.
	InTarget = "/tmp/in_target.d"
)
