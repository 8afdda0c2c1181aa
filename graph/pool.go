package graph

import (
	"container/heap"
	"context"
	"slices"
	"sync"

	"github.com/dibgraph/dibgraph/cache"
)

// A Pool is what the builders of images that are built together share: how many
// nodes run at once, and what is being made and was made. Nodes of several
// images that have the same key run once, and what waits for such a run takes
// no place of one that could work. Make it with [NewPool].
type Pool struct {
	mu      sync.Mutex
	free    int
	waiting turns
	flights map[cache.Key]*flight // by static key
	made    map[cache.Key]*Node   // by static and by full key: what ran
	checked map[cache.Key]bool    // records that were run again to be compared
}

// NewPool returns a pool in which so many nodes run at once, at least one.
func NewPool(jobs int) *Pool {
	return &Pool{
		free: max(jobs, 1), flights: make(map[cache.Key]*flight),
		made: make(map[cache.Key]*Node), checked: make(map[cache.Key]bool),
	}
}

// A turn is a node's place among those that run, or in the queue for one. The
// pass that asked for it gives it back.
type turn struct {
	pool    *Pool
	rank    [2]int        // lower ones come first: image, then node
	granted chan struct{} // closed when it is the node's turn
	held    bool          // owned by the goroutine that has the turn
}

// turn puts a node into the queue. Where there is a place, it has it at once.
func (p *Pool) turn(image, node int) *turn {
	t := &turn{pool: p, rank: [2]int{image, node}}
	t.queue()
	return t
}

func (t *turn) queue() {
	p := t.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	t.granted = make(chan struct{})
	if p.free > 0 {
		p.free--
		close(t.granted)
		return
	}
	heap.Push(&p.waiting, t)
}

// wait returns when it is the node's turn, or leaves the queue when ctx ends.
func (t *turn) wait(ctx context.Context) error {
	select {
	case <-t.granted:
		t.held = true
	case <-ctx.Done():
		t.withdraw()
		return context.Cause(ctx)
	}
	// Both may have been so.
	if ctx.Err() != nil {
		t.end()
		return context.Cause(ctx)
	}
	return nil
}

func (t *turn) withdraw() {
	t.pool.mu.Lock()
	i := slices.Index(t.pool.waiting, t)
	if i >= 0 {
		heap.Remove(&t.pool.waiting, i)
	}
	t.pool.mu.Unlock()
	if i < 0 { // it was granted in the meantime
		t.pool.next()
	}
}

// end gives the place to the next one, if the node has it.
func (t *turn) end() {
	if t.held {
		t.held = false
		t.pool.next()
	}
}

func (p *Pool) next() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting.Len() == 0 {
		p.free++
		return
	}
	close(heap.Pop(&p.waiting).(*turn).granted)
}

// aside waits for something without a place, and takes one again.
func (t *turn) aside(ctx context.Context, until <-chan struct{}) error {
	t.end()
	select {
	case <-until:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	t.queue()
	return t.wait(ctx)
}

// A flight is a static key that is being made.
type flight struct {
	node   *Node
	landed chan struct{}
}

// claim makes n the one that makes a static key, unless another node is; then
// it returns that.
func (p *Pool) claim(static cache.Key, n *Node) (other *flight) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f := p.flights[static]; f != nil {
		return f
	}
	p.flights[static] = &flight{n, make(chan struct{})}
	return nil
}

// land ends what claim began.
func (p *Pool) land(static cache.Key) {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.flights[static].landed)
	delete(p.flights, static)
}

// ran notes which node made a record.
func (p *Pool) ran(n *Node, r *cache.Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made[r.Key], p.made[r.Static] = n, n
}

// maker returns the node that ran for a static or full key, nil if none did.
func (p *Pool) maker(k cache.Key) *Node {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.made[k]
}

// check reports whether the record of a key is still to be run again, once for
// all images.
func (p *Pool) check(k cache.Key) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.checked[k] || p.made[k] != nil {
		return false
	}
	p.checked[k] = true
	return true
}

// turns is a heap of those who wait, lowest rank first.
type turns []*turn

func (t turns) Len() int           { return len(t) }
func (t turns) Less(i, j int) bool { return slices.Compare(t[i].rank[:], t[j].rank[:]) < 0 }
func (t turns) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }
func (t *turns) Push(x any)        { *t = append(*t, x.(*turn)) }
func (t *turns) Pop() any {
	old := *t
	x := old[len(old)-1]
	*t = old[:len(old)-1]
	return x
}
