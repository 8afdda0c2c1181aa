package graph

import (
	"time"

	"github.com/dibgraph/dibgraph/cache"
)

// An Event tells a listener what the builder does. Listeners are called from
// one goroutine at a time and must not block for long.
type Event interface{ event() }

// Planned comes once, before anything runs: the nodes in the order they are
// taken.
type Planned struct{ Nodes []*Node }

// Started says that a node begins to run, and why.
type Started struct {
	Node    *Node
	Reasons []cache.Reason
	At      time.Time
	// Log is the file that the node's output is being written to.
	Log string
}

// Rechecking says that a node that hit begins to run again for a [Recheck].
type Rechecking struct {
	Node *Node
	At   time.Time
	// Log is the file that the node's output is being written to.
	Log string
}

// Waiting says that the same node is being built elsewhere: by another process,
// or for another image of this build.
type Waiting struct {
	Node *Node
	// For is the node of the other image; nil for another process.
	For *Node
}

// Finished says that a node hit, ran or failed.
type Finished struct{ Result *Result }

func (Planned) event()    {}
func (Started) event()    {}
func (Rechecking) event() {}
func (Waiting) event()    {}
func (Finished) event()   {}
