package cache

import (
	"bytes"
	"container/heap"
	"time"
)

// recencyScale is the time after which a result that was not used is worth half
// of what one is that was used just now. After ten times as long it is a tenth.
const recencyScale = time.Hour

// recency is what the time since the last use makes of the worth of a result. A
// time to come is now: the clock was put back.
func recency(used, now time.Time) float64 {
	age := max(now.Sub(used), 0)
	return 1 / (1 + age.Hours()/recencyScale.Hours())
}

// textWorth is the seconds that a text or log which is only for showing counts.
const textWorth = 0.01

// worth is the time a record saves, by how likely it is to be used again.
func (r *heldRecord) worth(now time.Time) float64 { return r.took.Seconds() * recency(r.used, now) }

// An eviction chooses what to give up. What frees the most bytes for the fewest
// seconds goes first: for each object, the worth of all records that are no hits
// without it, over its size; for each record by itself, its worth over the size
// of its file. So a disk image of the last hour goes before the base system of
// last week. What goes takes along the records that need it, and these all the
// content that nothing else names. Records never stay without their content.
type eviction struct {
	inv     *inventory
	now     time.Time
	order   []int32 // a heap of objects, and of records after them
	place   []int   // of records, in the heap
	freed   int64
	dropped []int32 // records, in the order in which they were chosen
}

func newEviction(inv *inventory, now time.Time) *eviction {
	e := &eviction{inv: inv, now: now, place: make([]int, len(inv.records))}
	for i := range inv.records {
		r := &inv.records[i]
		for _, p := range r.parts {
			o := &inv.objects[p]
			o.keep = o.keep || r.keep
			o.value += r.worth(now)
		}
		for _, p := range r.texts {
			inv.objects[p].value += textWorth * recency(r.used, now)
		}
	}
	for i := range inv.objects {
		inv.objects[i].position = -1
		if o := &inv.objects[i]; !o.keep && !o.gone && (o.naming > 0 || o.texts > 0) {
			o.position = len(e.order)
			e.order = append(e.order, int32(i))
		}
	}
	for i := range inv.records {
		e.place[i] = -1
		if r := &inv.records[i]; !r.keep && !r.gone {
			e.place[i] = len(e.order)
			e.order = append(e.order, int32(len(inv.objects)+i))
		}
	}
	heap.Init(e)
	return e
}

// free gives up at least so many bytes, or all that may go.
func (e *eviction) free(need int64) {
	for e.freed < need && len(e.order) > 0 {
		i := e.order[0]
		if n := int32(len(e.inv.objects)); i >= n {
			e.dropRecord(i - n)
			continue
		}
		o := &e.inv.objects[i]
		for _, r := range o.records {
			e.dropRecord(r)
		}
		e.dropObject(o) // if something would still show it
	}
}

func (e *eviction) dropRecord(i int32) {
	r := &e.inv.records[i]
	if r.gone || r.keep {
		return
	}
	r.gone = true
	e.dropped = append(e.dropped, i)
	before := e.freed
	e.freed += r.bytes
	heap.Remove(e, e.place[i])
	for _, p := range r.parts {
		o := &e.inv.objects[p]
		o.naming--
		o.value -= r.worth(e.now)
		e.settle(o)
	}
	for _, p := range r.texts {
		o := &e.inv.objects[p]
		o.texts--
		o.value -= textWorth * recency(r.used, e.now)
		e.settle(o)
	}
	r.freed = e.freed - before
}

// settle puts an object to its new place, or drops it if nothing names it any more.
func (e *eviction) settle(o *object) {
	switch {
	case o.gone || o.keep:
	case o.naming == 0 && o.texts == 0:
		e.dropObject(o)
	case o.position >= 0:
		heap.Fix(e, o.position)
	}
}

func (e *eviction) dropObject(o *object) {
	if o.gone || o.keep {
		return
	}
	o.gone = true
	e.freed += o.bytes
	if o.position >= 0 {
		heap.Remove(e, o.position)
	}
}

// density is what a byte of it is worth.
func (e *eviction) density(i int32) float64 {
	if n := int32(len(e.inv.objects)); i >= n {
		r := &e.inv.records[i-n]
		return r.worth(e.now) / float64(max(r.bytes, 1))
	}
	o := &e.inv.objects[i]
	return o.value / float64(max(o.bytes, 1))
}

func (e *eviction) hash(i int32) []byte {
	if n := int32(len(e.inv.objects)); i >= n {
		return e.inv.records[i-n].key[:]
	}
	return e.inv.objects[i].hash[:]
}

// Len is that of the heap.
func (e *eviction) Len() int { return len(e.order) }

// Less orders by what a byte is worth.
func (e *eviction) Less(a, b int) bool {
	x, y := e.density(e.order[a]), e.density(e.order[b])
	if x != y {
		return x < y
	}
	return bytes.Compare(e.hash(e.order[a]), e.hash(e.order[b])) < 0
}

// Swap swaps two of the heap.
func (e *eviction) Swap(a, b int) {
	e.order[a], e.order[b] = e.order[b], e.order[a]
	e.moved(a)
	e.moved(b)
}

func (e *eviction) moved(at int) {
	i := e.order[at]
	if n := int32(len(e.inv.objects)); i >= n {
		e.place[i-n] = at
	} else {
		e.inv.objects[i].position = at
	}
}

// Push is not used: everything is there from the start.
func (e *eviction) Push(any) { panic("a trim adds nothing") }

// Pop removes the last of the heap.
func (e *eviction) Pop() any {
	last := e.order[len(e.order)-1]
	e.order = e.order[:len(e.order)-1]
	if n := int32(len(e.inv.objects)); last >= n {
		e.place[last-n] = -1
	} else {
		e.inv.objects[last].position = -1
	}
	return last
}
