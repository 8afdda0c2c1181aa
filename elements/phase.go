package elements

// A Phase is one of the ordered points of a build at which hooks run.
type Phase struct {
	// Name is the phase without the ".d", such as "pre-install".
	Name string
	// Chroot is set when the hooks run inside the image root, not on the host.
	Chroot bool
	// InDisk is set for the phases that belong to the disk node, after the
	// root tree is packed.
	InDisk bool
}

// Phases are the ten phases in the order in which they run.
var Phases = []Phase{
	{Name: "root"},
	{Name: "extra-data"},
	{Name: "pre-install", Chroot: true},
	{Name: "install", Chroot: true},
	{Name: "post-install", Chroot: true},
	{Name: "post-root"},
	{Name: "block-device", InDisk: true},
	{Name: "pre-finalise", InDisk: true},
	{Name: "finalise", Chroot: true, InDisk: true},
	{Name: "cleanup", InDisk: true},
}

// PhaseNamed returns the phase of that name, which is given without the ".d".
func PhaseNamed(name string) (Phase, bool) {
	for _, p := range Phases {
		if p.Name == name {
			return p, true
		}
	}
	return Phase{}, false
}

// Dir returns the name of the directory that holds the hooks of the phase,
// such as "install.d".
func (p Phase) Dir() string { return p.Name + ".d" }

// Side returns where the hooks of the phase run.
func (p Phase) Side() Side {
	if p.Chroot {
		return Chroot
	}
	return Host
}

// A Side is where a hook runs.
type Side int

const (
	// Host is the machine that builds.
	Host Side = iota
	// Chroot is the root tree of the image.
	Chroot
)

// String returns "host" or "chroot".
func (s Side) String() string {
	if s == Chroot {
		return "chroot"
	}
	return "host"
}
