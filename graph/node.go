package graph

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/dibgraph/dibgraph/cache"
)

// An Action is the work of one [Node]. Everything that can change what Run
// leaves, other than the parent state and the node's Inputs, must appear in
// what Describe writes or, for things that Run may or may not read, be named
// by Run in [Work.Observed].
type Action interface {
	// Describe writes the static part of the node's description. It changes
	// nothing and needs no privileges.
	Describe(d *Description, in *Inputs) error
	// Run does the work. It reads what it described and nothing else.
	Run(ctx context.Context, w *Work) error
}

// An Observer is an [Action] with ambient inputs: things a run may or may not
// read. Run reports the names of those it did read; Observe later writes
// their present values.
type Observer interface {
	// Observe writes the lines for one observation name. A name that means
	// nothing any more gets a line that says so; it is not an error.
	Observe(d *Description, name string, in *Inputs) error
}

// A Quoter is an [Action] that knows the files behind the lines of its
// description. It makes explanations readable and decides nothing.
type Quoter interface {
	// Quote returns where the user has the file whose content the named line of
	// the description stands for, and how to read it. A nil read means that its
	// text is not to be kept; ok is false for a line that is about no file.
	Quote(line string) (where string, read func() ([]byte, error), ok bool)
}

// An Attributor is an [Action] with lines in its description that stand for a
// part of what a node it depends on left. It makes explanations lead further
// and decides nothing.
type Attributor interface {
	// Attribute returns the node that made the named line differ, given what
	// the action had last time and has now; nil if it was none. Outputs of
	// before may be gone.
	Attribute(line string, before, after *Inputs) *Node
}

// A Node places an [Action] in a graph. Nodes do not change once added.
type Node struct {
	// Image is the image the node belongs to, the scope of its history.
	Image string
	// Name is unique within the image: "install.d/50-app", "env:root".
	Name string
	// Kind says what sort of work it is: "hook", "environment", "disk" …
	Kind   string
	Action Action
	// Origin says in messages where what the node runs comes from, such as
	// element "web". It may be empty.
	Origin string

	// Parent is the node on whose state this one works; nil means an empty
	// tree. Its chain is always part of the key.
	Parent *Node
	// Inputs are nodes whose outputs the action reads. The digests of all
	// their outputs are part of the key.
	Inputs []*Node
	// Partial are nodes of whose outputs the action uses only a part, which
	// its Describe writes.
	Partial []*Node

	// Layer says that what the action writes into the build tree becomes a
	// layer of the state this node leaves.
	Layer bool
	// Volatile lists the paths of a layer whose content is masked in its
	// digest, as patterns relative to the build tree.
	Volatile []string

	// Check, if not nil, is called with the node's outputs once they are
	// known, whether the node hit or ran. An error stops the build and is
	// returned as it is: it says that the graph was laid out on an
	// assumption that proved wrong.
	Check func(read func(output string) ([]byte, error)) error
}

// ID names the node in one graph.
func (n *Node) ID() string { return n.Image + "/" + n.Name }

// dependencies returns every node that must be finished first, each once.
func (n *Node) dependencies() []*Node {
	var all []*Node
	seen := map[*Node]bool{nil: true}
	for _, list := range [][]*Node{{n.Parent}, n.Inputs, n.Partial} {
		for _, d := range list {
			if !seen[d] {
				seen[d] = true
				all = append(all, d)
			}
		}
	}
	return all
}

// A Status says what became of a node, or would.
type Status string

const (
	// Hit: the key has a record and all its content is here.
	Hit Status = "hit"
	// Ran: the node ran and its result is recorded.
	Ran Status = "ran"
	// Failed: the node ran and failed.
	Failed Status = "failed"
	// Skipped: something the node depends on failed or the build stopped.
	Skipped Status = "skipped"
	// Run: a plan's verdict, the node would run.
	Run Status = "run"
	// Maybe: a plan's verdict. Something the node depends on would run; if
	// that leaves the same bytes as before, this node hits, otherwise it runs.
	Maybe Status = "maybe"
	// Differs: in a comparison of two builds, the node's inputs are others.
	Differs Status = "differs"
)

// A Result is what is known about a node after it was looked up or ran.
type Result struct {
	Node   *Node
	Status Status
	// Static is the key of what is known of a planned node before it runs; zero
	// if even that depends on something that was never built.
	Static cache.Key
	// Record is nil for nodes that failed, were skipped or are only planned.
	Record *cache.Record
	// Reasons say why the node missed, first cause first. For a hit they say
	// why its record is another one than the node used last, and are empty if
	// it is the same.
	Reasons []cache.Reason
	// Last is the key of the record that Reasons compare with; zero if there
	// is none.
	Last cache.Key
	// State is what the node leaves; nil for nodes without a layer.
	State *State
	// Changed says that a node that ran left something else than the record
	// it was compared with. False means early cutoff.
	Changed bool
	// With is set for a node that hit what another image of the same build
	// ran: its node.
	With *Node
	// Recheck is set for a node that hit and ran again to be compared.
	Recheck *Recheck
	// Log is what a node that ran or failed printed.
	Log cache.Blob
	// Started is when it began to run, or when it was found to hit; zero in a
	// plan.
	Started time.Time
	// Took is how long the node ran here; zero for a hit.
	Took time.Duration
	// Err is set for a node that failed.
	Err error
}

// Output returns the blob of an output, and whether there is one of that name.
func (r *Result) Output(name string) (cache.Blob, bool) {
	if r == nil || r.Record == nil {
		return cache.Blob{}, false
	}
	b, ok := r.Record.Outputs[name]
	return b, ok
}

// Summary returns what a build's history keeps of the result.
func (r *Result) Summary() cache.BuildNode {
	n := cache.BuildNode{
		Name: r.Node.Name, Kind: r.Node.Kind, Status: string(r.Status), Log: r.Log,
		Reasons: r.Reasons, Last: r.Last, Same: r.Status == Ran && !r.Changed, Started: r.Started, Duration: r.Took,
	}
	if r.Record != nil {
		n.Key, n.Coarse, n.Where = r.Record.Key, r.Record.Coarse, r.where()
		if r.Status == Hit {
			n.Saved, n.From = r.Record.Duration, r.Record.From()
		}
	}
	if r.Err != nil {
		n.Error = r.Err.Error()
	}
	for _, d := range r.Node.dependencies() {
		n.Dependencies = append(n.Dependencies, d.Name)
	}
	return n
}

// where returns the file that the node runs, as the user knows it, if it is
// just one.
func (r *Result) where() (file string) {
	q, ok := r.Node.Action.(Quoter)
	if !ok {
		return ""
	}
	for _, line := range ParseDescription(r.Record.Description) {
		if !strings.HasPrefix(line.Name, "hook ") {
			continue
		}
		if file != "" {
			return ""
		}
		file, _, _ = q.Quote(line.Name)
	}
	return file
}

// A NodeError says which node failed, and where to read what it printed.
type NodeError struct {
	Node *Node
	Log  cache.Blob
	Err  error
}

func (e *NodeError) Error() string {
	name := e.Node.Name
	if e.Node.Origin != "" {
		name = fmt.Sprintf("%s %s (%s)", e.Node.Kind, e.Node.Name, e.Node.Origin)
	}
	return fmt.Sprintf("build %s: %s: %v", e.Node.Image, name, e.Err)
}
func (e *NodeError) Unwrap() error { return e.Err }

// An UncachedError says that a node would have to run in a build that may only
// use what is cached.
type UncachedError struct {
	Node    *Node
	Reasons []cache.Reason
}

func (e *UncachedError) Error() string {
	return fmt.Sprintf("build %s: %s is not cached", e.Node.Image, e.Node.Name)
}
