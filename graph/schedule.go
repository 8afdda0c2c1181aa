package graph

import (
	"container/heap"

	"github.com/dibgraph/dibgraph/cache"
)

// A schedule is the state of one pass over the nodes. The pass owns it; workers
// only send results.
type schedule struct {
	order   []*Node
	index   map[*Node]int
	waits   []int   // unfinished dependencies, by index
	next    [][]int // dependents, by index
	ready   intHeap
	results []*Result
}

func newSchedule(order []*Node) *schedule {
	s := &schedule{
		order: order, index: make(map[*Node]int, len(order)),
		waits: make([]int, len(order)), next: make([][]int, len(order)), results: make([]*Result, len(order)),
	}
	for i, n := range order {
		s.index[n] = i
		s.results[i] = &Result{Node: n, Status: Skipped}
	}
	for i, n := range order {
		deps := n.dependencies()
		s.waits[i] = len(deps)
		for _, d := range deps {
			// A node that waits for one which is not there never gets ready.
			if at, ok := s.index[d]; ok {
				s.next[at] = append(s.next[at], i)
			}
		}
		if len(deps) == 0 {
			s.ready = append(s.ready, i)
		}
	}
	heap.Init(&s.ready)
	return s
}

func (s *schedule) finish(r *Result) {
	i := s.index[r.Node]
	s.results[i] = r
	s.release(i)
}

// release makes ready what waited only for the node at position i.
func (s *schedule) release(i int) {
	for _, d := range s.next[i] {
		if s.waits[d]--; s.waits[d] == 0 {
			heap.Push(&s.ready, d)
		}
	}
}

func (s *schedule) record(n *Node) *cache.Record { return s.results[s.index[n]].Record }

// intHeap is a heap of node positions, lowest first.
type intHeap []int

func (h intHeap) Len() int           { return len(h) }
func (h intHeap) Less(i, j int) bool { return h[i] < h[j] }
func (h intHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *intHeap) Push(x any)        { *h = append(*h, x.(int)) }
func (h *intHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}
