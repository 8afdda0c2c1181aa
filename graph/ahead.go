package graph

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/dibgraph/dibgraph/cache"
)

// A history knows the records that the nodes of a plan used last. They are read
// ahead, on all processors, while the plan judges one node after the other:
// reading them is a good part of a plan in which nothing changed.
type history struct {
	store *cache.Store
	index map[*Node]int
	last  []lastRecord
	next  atomic.Int64 // the next one to read
	group sync.WaitGroup
}

type lastRecord struct {
	known  chan struct{} // closed when the rest is there
	record *cache.Record
	err    error
}

// readHistory begins to read; the caller ends it with stop.
func readHistory(store *cache.Store, order []*Node) *history {
	h := &history{store: store, index: make(map[*Node]int, len(order)), last: make([]lastRecord, len(order))}
	for i, n := range order {
		h.index[n], h.last[i].known = i, make(chan struct{})
	}
	for range min(runtime.GOMAXPROCS(0), len(order)) {
		h.group.Go(func() { h.read(order) })
	}
	return h
}

func (h *history) read(order []*Node) {
	for {
		i := int(h.next.Add(1)) - 1
		if i >= len(order) {
			return
		}
		l := &h.last[i]
		l.record, l.err = h.store.Last(order[i].Image, order[i].Name)
		close(l.known)
	}
}

// of returns what [cache.Store.Last] does for a node.
func (h *history) of(n *Node) (*cache.Record, error) {
	l := &h.last[h.index[n]]
	<-l.known
	return l.record, l.err
}

// stop reads nothing more, and waits until nothing is read.
func (h *history) stop() {
	h.next.Store(int64(len(h.last)))
	h.group.Wait()
}
