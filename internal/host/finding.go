package host

// A State says how well a machine does at one point.
type State string

// The states. What is Missing has to be there; what is Degraded can be done
// without, at the price that the finding names.
const (
	OK       State = "ok"
	Degraded State = "degraded"
	Missing  State = "missing"
)

// A Finding is one answer.
type Finding struct {
	What    string `json:"what"`
	State   State  `json:"state"`
	Detail  string `json:"detail,omitempty"`  // where it is, how much there is, or what is wrong
	For     string `json:"for"`               // what it is needed for
	Fix     string `json:"fix,omitempty"`     // a command, or what to do; empty if OK or if nothing helps
	Package string `json:"package,omitempty"` // names, separated by spaces, of the distribution's packages that bring it
}
