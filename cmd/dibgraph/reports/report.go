package reports

import (
	"encoding/json"
	"io"
	"time"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/graph"
)

// A Report is what a file says about a build.
type Report struct {
	// Build is the build, past or only planned. Its nodes are those of Nodes.
	Build *cache.Build
	Nodes []Node
	// Timed is the build whose times are shown: Build itself if it took place,
	// else the last one of the image. Nil is none.
	Timed *cache.Build

	// Headline says in a few words what became of the nodes, and Facts what
	// else there is to know of the build as a whole.
	Headline string
	Facts    []Fact
}

// A Fact is a name with what is to be said of it.
type Fact struct{ Name, Text string }

// A Node is one node of a build with its explanation in words.
type Node struct {
	graph.Explanation
	// Outcome says what became of the node, Reason why, each on one line.
	Outcome, Reason string
	// Took is how long it ran, Saved how long a hit made it unnecessary to
	// run; empty for not at all.
	Took, Saved string
	Why         []Why
	Log         Log
}

// A Why is one first cause: what it is, lines that show it, among them those
// that begin with "+" or "-", and the way from there to the node explained.
type Why struct {
	Title string
	Lines []string
	Way   []Hop
}

// A Hop is a node on the way from a cause, with how the cause reached it.
type Hop struct{ Node, Text string }

// Format is the version of what [WriteJSON] writes. It changes when a field is
// taken out or means something else; new fields may appear at any time.
const Format = 1

// WriteJSON writes the build with the first causes of each node.
func (r *Report) WriteJSON(w io.Writer) error {
	nodes := make([]graph.Explanation, 0, len(r.Nodes))
	for _, n := range r.Nodes {
		nodes = append(nodes, n.Explanation)
	}
	return WriteJSON(w, r.Build, nodes)
}

// WriteJSON writes a build with explanations of its nodes, as
// docs/report.schema.json describes it. What the build was asked for in full is
// left out: it holds much of somebody's environment, and reports are sent around.
func WriteJSON(w io.Writer, b *cache.Build, nodes []graph.Explanation) error {
	build := *b
	build.Definition = nil
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(struct {
		Format int `json:"format"`
		*cache.Build
		Nodes []graph.Explanation `json:"nodes"`
	}{Format, &build, nodes})
}

// A span is the time in which a node of a build ran, from the start of the
// build.
type span struct {
	node       cache.BuildNode
	start, end time.Duration
	lane       int
}

// spansOf returns when the nodes of a build ran, in the order in which they
// began. Nodes that hit took no time.
func spansOf(b *cache.Build) []span {
	var spans []span
	for _, n := range b.Nodes {
		if n.Duration > 0 && !n.Started.IsZero() {
			start := max(n.Started.Sub(b.Started), 0)
			spans = append(spans, span{node: n, start: start, end: start + n.Duration})
		}
	}
	arrange(spans)
	return spans
}
