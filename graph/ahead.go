package graph

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/dibgraph/dibgraph/cache"
)

// An ahead works ahead of a plan, on all processors, while the plan takes one
// node after the other. It reads the records that nodes used last, and judges
// the nodes as if each dependency left what its last record says. Where nothing
// changed that is so, and the plan has nothing left to do but to see that.
type ahead struct {
	builder *Builder
	order   []*Node
	index   map[*Node]int
	nodes   []nodeAhead
	next    atomic.Int64 // the next one to read
	group   sync.WaitGroup
}

type nodeAhead struct {
	read chan struct{} // closed when the last record is known
	last *cache.Record
	err  error // of reading it

	judged  chan struct{} // closed when there is a verdict, or will be none
	verdict verdict
	ok      bool // there is one
}

// workAhead begins; the caller ends it with stop.
func (b *Builder) workAhead(order []*Node) *ahead {
	a := &ahead{builder: b, order: order, index: make(map[*Node]int, len(order)), nodes: make([]nodeAhead, len(order))}
	for i, n := range order {
		a.index[n] = i
		a.nodes[i].read, a.nodes[i].judged = make(chan struct{}), make(chan struct{})
	}
	for range min(runtime.GOMAXPROCS(0), len(order)) {
		a.group.Go(a.work)
	}
	return a
}

// work takes nodes in order. All that one depends on were taken before it, so
// that their records come.
func (a *ahead) work() {
	for {
		i := int(a.next.Add(1)) - 1
		if i >= len(a.order) {
			return
		}
		n, at := a.order[i], &a.nodes[i]
		at.last, at.err = a.builder.last(n)
		close(at.read)
		at.verdict, at.ok = a.guess(n)
		close(at.judged)
	}
}

// guess judges a node on the last records of its dependencies. What cannot be
// judged so, or fails, is left to the plan. So is everything in a store that can
// be changed: there a look removes what it finds damaged, and the next one has
// less to say.
func (a *ahead) guess(n *Node) (v verdict, ok bool) {
	if !a.builder.Store.ReadOnly() {
		return verdict{}, false
	}
	for _, d := range n.dependencies() {
		if record, err := a.last(d); err != nil || record == nil {
			return verdict{}, false
		}
	}
	v, err := a.builder.judge(n, a.builder.inputs(n, a.assumed), a.last)
	return v, err == nil
}

// last returns what [Builder.last] does for a node.
func (a *ahead) last(n *Node) (*cache.Record, error) {
	at := &a.nodes[a.index[n]]
	<-at.read
	return at.last, at.err
}

// assumed returns the record on which nodes after n are judged ahead; nil is none.
func (a *ahead) assumed(n *Node) *cache.Record {
	record, _ := a.last(n)
	return record
}

// judge returns the verdict on a node whose dependencies left the given records:
// the one that was made ahead if it was made on these very records, else a new
// one.
func (a *ahead) judge(n *Node, record func(*Node) *cache.Record) (verdict, error) {
	at := &a.nodes[a.index[n]]
	<-at.judged
	v, ok := at.verdict, at.ok
	at.verdict = verdict{} // thousands of descriptions are much
	for _, d := range n.dependencies() {
		ok = ok && record(d) == a.assumed(d)
	}
	if ok {
		return v, nil
	}
	return a.builder.judge(n, a.builder.inputs(n, record), a.last)
}

// stop begins nothing more, and waits for what was begun.
func (a *ahead) stop() {
	a.next.Store(int64(len(a.order)))
	a.group.Wait()
}
