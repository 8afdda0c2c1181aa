package graph

import (
	"fmt"
	"maps"
	"slices"

	"github.com/dibgraph/dibgraph/cache"
)

// Inputs are the results a node's action may use: the parent state and the
// outputs of the nodes it depends on.
type Inputs struct {
	// Parent is the state the node works on; nil is the empty tree.
	Parent  *State
	records map[*Node]*cache.Record
	store   *cache.Store
}

// Read returns the content of an output of a node this one depends on.
func (in *Inputs) Read(n *Node, output string) ([]byte, error) {
	b, err := in.blob(n, output)
	if err != nil {
		return nil, err
	}
	content, err := in.store.ReadBlob(b.Digest)
	if err != nil {
		return nil, &unreadable{n, fmt.Errorf("read %s of %s: %w", output, n.Name, err)}
	}
	return content, nil
}

// Has reports whether the results of a node are known.
func (in *Inputs) Has(n *Node) bool { return in.records[n] != nil }

// An unreadable error says that an output of a node cannot be read.
type unreadable struct {
	node *Node
	err  error
}

func (e *unreadable) Error() string { return e.err.Error() }
func (e *unreadable) Unwrap() error { return e.err }

// Path returns the read-only file that holds an output of a node this one
// depends on.
func (in *Inputs) Path(n *Node, output string) (string, error) {
	b, err := in.blob(n, output)
	if err != nil {
		return "", err
	}
	path, err := in.store.BlobFile(b.Digest)
	if err != nil {
		return "", &unreadable{n, fmt.Errorf("open %s of %s: %w", output, n.Name, err)}
	}
	return path, nil
}

// Digest returns the digest of an output of a node this one depends on.
func (in *Inputs) Digest(n *Node, output string) (Digest, error) {
	b, err := in.blob(n, output)
	return b.Digest, err
}

// Outputs returns the names of a node's outputs, sorted.
func (in *Inputs) Outputs(n *Node) []string {
	r := in.records[n]
	if r == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(r.Outputs))
}

func (in *Inputs) blob(n *Node, output string) (cache.Blob, error) {
	r := in.records[n]
	if r == nil {
		panic("graph: " + n.ID() + " is not a finished dependency")
	}
	b, ok := r.Outputs[output]
	if !ok {
		return b, fmt.Errorf("%s has no output %q", n.Name, output)
	}
	return b, nil
}

// inputs collects what n's action may use from what its dependencies left.
func (b *Builder) inputs(n *Node, record func(*Node) *cache.Record) *Inputs {
	in := &Inputs{records: make(map[*Node]*cache.Record), store: b.Store}
	for _, d := range n.dependencies() {
		in.records[d] = record(d)
	}
	if n.Parent != nil {
		in.Parent = stateOf(in.records[n.Parent])
	}
	return in
}
