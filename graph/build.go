package graph

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/dibgraph/dibgraph/cache"
)

// A Builder brings the nodes of a graph up to date. Set its fields before the
// first use. One Builder serves one build, which may take several calls of
// [Builder.Build] if the graph has to be laid out anew in between: what an
// earlier call ran is not counted again.
type Builder struct {
	Store *cache.Store
	// Jobs is how many nodes may run at once; less than 1 means 1. It says
	// nothing where there is a Pool.
	Jobs int
	// Pool is shared with the builders of other images that are built at the
	// same time; nil is one of its own. Rank is the place of this one among
	// them: nodes of lower ones come first.
	Pool *Pool
	Rank int
	// Events receives what happens; nil drops it.
	Events func(Event)
	// Force says which nodes run again although their key hits; nil is none.
	Force func(*Node) bool
	// OnlyCached runs nothing: the first miss ends the build with an
	// [*UncachedError].
	OnlyCached bool
	// Recheck says which nodes that hit run once more, to see whether they
	// leave what is recorded; nil is none. The build goes on with the record.
	Recheck func(*Node) bool
	// Expired says which nodes run again although their key hits, because the
	// record is too old, with a sentence about that; nil is none. It must
	// allow what ran in this build.
	Expired func(n *Node, r *cache.Record) (detail string, expired bool)
	// KeepFailed, if not nil, is given the directory with what a failed
	// node had written into the build tree, before it is thrown away.
	KeepFailed func(n *Node, upper string) error
	// Remember, if not nil, is given what came of a node before anything else
	// remembers it, so that after a kill nothing is there that cannot be
	// explained. It is called for nodes that ran, and for those that have another
	// result than last time, maybe concurrently, and again if that is repeated.
	Remember func(*Result) error
	// Name is recorded as the maker of every result, such as "user@host".
	Name string
	// Others knows the results of other machines; nil knows of none.
	Others Others
	// Now is the clock; nil is time.Now.
	Now func() time.Time

	mu     sync.Mutex         // guards Events and what follows
	own    *Pool              // used where there is no Pool
	fresh  map[string]*Result // by node ID: what ran in this build
	images map[string]bool    // whether an image had been built before this build
}

func (b *Builder) now() time.Time {
	if b.Now != nil {
		return b.Now()
	}
	return time.Now()
}

// pool returns the Pool, or one of the builder's own.
func (b *Builder) pool() *Pool {
	if b.Pool != nil {
		return b.Pool
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.own == nil {
		b.own = NewPool(b.Jobs)
	}
	return b.own
}

func (b *Builder) emit(e Event) {
	if b.Events == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.Events(e)
}

// Build makes every node of g hit or run, and returns their results in order.
// On failure it starts nothing new, waits for what runs, and returns the
// results so far with the error: a [*NodeError] for a node that failed, or
// the error of a [Node.Check].
func (b *Builder) Build(ctx context.Context, g *Graph) ([]*Result, error) {
	order, err := g.Order()
	if err != nil {
		return nil, err
	}
	b.emit(Planned{Nodes: order})
	for attempt := 1; ; attempt++ {
		results, err := b.pass(ctx, order)
		// Something that was there when it was looked up is gone: damaged,
		// or trimmed by another process. Its record is gone with it, so the
		// next pass makes it again and takes everything else as it is.
		if errors.Is(err, cache.ErrMissing) && attempt < maxLost+len(order) {
			continue
		}
		return results, err
	}
}

// maxLost bounds, beside one time for each node, how often one build makes up
// for content that vanishes under it; more than that means a store that loses
// what is put into it.
const maxLost = 8

// pass takes every node once, lowest first among those that are ready.
func (b *Builder) pass(ctx context.Context, order []*Node) ([]*Result, error) {
	s := newSchedule(order)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	starting, stop := context.WithCancel(ctx)
	defer stop()
	pool, done := b.pool(), make(chan taken)
	var last *turn
	var running int
	var failure error
	for {
		for failure == nil && s.ready.Len() > 0 {
			i := heap.Pop(&s.ready).(int)
			n, t := order[i], pool.turn(b.Rank, i)
			in := b.inputs(n, s.record)
			running++
			go func() { done <- taken{b.takeInTurn(ctx, starting, t, n, in), t} }()
		}
		if last != nil {
			last.end() // not before what became ready is in the queue
		}
		if running == 0 {
			break
		}
		r := <-done
		running--
		last = r.turn
		switch {
		case r.Status == Skipped && r.Err == nil: // it did not begin
		case r.Err != nil:
			s.results[s.index[r.Node]] = r.Result
			if failure == nil {
				failure = r.Err
				cancel()
			}
		default:
			if err := b.check(r.Result); err != nil && failure == nil {
				// What runs now is as right as this node is, and is not stopped.
				failure = err
				stop()
			}
			s.finish(r.Result)
		}
	}
	if failure == nil {
		failure = context.Cause(ctx)
	}
	return s.results, failure
}

// taken is the end of a node's turn.
type taken struct {
	*Result
	turn *turn
}

// takeInTurn takes a node when it is its turn; one that has not begun when
// nothing more is to start is skipped.
func (b *Builder) takeInTurn(ctx, starting context.Context, t *turn, n *Node, in *Inputs) *Result {
	if err := t.wait(starting); err != nil {
		return &Result{Node: n, Status: Skipped}
	}
	return b.take(ctx, t, n, in)
}

// check asks the node whether what it left is what the graph was laid out on.
func (b *Builder) check(r *Result) error {
	if r.Node.Check == nil {
		return nil
	}
	in := &Inputs{records: map[*Node]*cache.Record{r.Node: r.Record}, store: b.Store}
	return r.Node.Check(func(output string) ([]byte, error) { return in.Read(r.Node, output) })
}

// take looks one node up and runs it if it misses. It reports the result as
// an event unless an earlier pass of this build already did.
func (b *Builder) take(ctx context.Context, t *turn, n *Node, in *Inputs) *Result {
	v, err := b.judgeWithOthers(ctx, n, in)
	if err == nil && !v.hit() && b.OnlyCached {
		r := &Result{Node: n, Status: Run, Reasons: v.reasons, Last: v.lastKey()}
		r.Err = &UncachedError{Node: n, Reasons: v.reasons}
		return b.finished(r)
	}
	if err == nil && !v.hit() {
		return b.make(ctx, t, n, in, v)
	}
	if err != nil {
		return b.finished(&Result{Node: n, Status: Failed, Err: err})
	}
	return b.finished(b.found(ctx, n, in, v))
}

// make runs a node under the lock of its key, unless another process or
// another image of this build was faster.
func (b *Builder) make(ctx context.Context, t *turn, n *Node, in *Inputs, first verdict) *Result {
	failed := func(err error) *Result {
		return b.finished(&Result{Node: n, Status: Failed, Err: err})
	}
	for other := t.pool.claim(first.key, n); other != nil; other = t.pool.claim(first.key, n) {
		b.emit(Waiting{Node: n, For: other.node})
		if err := t.aside(ctx, other.landed); err != nil {
			return failed(err)
		}
		// What it left may be what this node needs, or not: a hook can read
		// things that differ between the images.
		v, err := b.judge(n, in, b.last)
		if err != nil {
			return failed(err)
		}
		if v.hit() {
			return b.finished(b.found(ctx, n, in, v))
		}
	}
	defer t.pool.land(first.key)
	unlock, err := b.Store.Lock(ctx, first.key, func() { b.emit(Waiting{Node: n}) })
	if err != nil {
		return failed(err)
	}
	defer unlock()
	v, err := b.judge(n, in, b.last)
	if err != nil {
		return failed(err)
	}
	if v.hit() {
		return b.finished(b.found(ctx, n, in, v))
	}
	// The first look may have removed a record it found without its content;
	// the second then knows less about why the node runs.
	v.reasons = first.reasons
	return b.finished(b.run(ctx, n, in, v))
}

func (b *Builder) hit(n *Node, v verdict) *Result {
	r := &Result{
		Node: n, Status: Hit, Record: v.record, State: stateOf(v.record), Log: v.record.Log,
		Reasons: v.reasons, Last: v.lastKey(), Started: b.now(),
	}
	if v.last == nil || v.last.Key != v.record.Key {
		r.Err = b.setLast(r)
	}
	r.Changed = v.last == nil || !sameResult(v.last, v.record)
	if maker := b.pool().maker(v.record.Key); maker != nil && maker.Image != n.Image {
		r.With = maker
	}
	return r
}

func (b *Builder) run(ctx context.Context, n *Node, in *Inputs, v verdict) (r *Result) {
	r = &Result{Node: n, Status: Failed, Reasons: v.reasons, Last: v.lastKey(), Started: b.now()}
	w, err := b.prepare(ctx, n, in)
	if err != nil {
		r.Err = err
		return r
	}
	defer func() {
		if err := b.drop(w); err != nil && r.Err == nil {
			r.Err = err
		}
	}()
	w.Last = b.lastRun(v.last)
	b.emit(Started{Node: n, Reasons: v.reasons, At: r.Started, Log: w.Log.Name()})
	b.bringTexts(v)
	runErr := n.Action.Run(ctx, w)
	r.Took = b.now().Sub(r.Started)
	kept := Measure(ctx, "log")
	if runErr != nil {
		runErr = b.whyFailed(w, runErr)
	}
	r.Log, err = b.keepLog(w.Log)
	kept()
	if err != nil {
		r.Err = b.failure(ctx, w, cache.Blob{}, errors.Join(runErr, err))
		return r
	}
	if runErr != nil {
		r.Err = b.failure(ctx, w, r.Log, runErr)
		return r
	}
	if r.Record, err = b.commit(ctx, w, v, r.Started, r.Log); err != nil {
		r.Err = unkept(ctx, n, err)
		return r
	}
	b.pool().ran(n, r.Record)
	r.Status, r.State = Ran, stateOf(r.Record)
	r.Changed = v.last == nil || !sameResult(v.last, r.Record)
	noted := Measure(ctx, "history")
	r.Err = b.setLast(r)
	noted()
	return r
}

// setLast makes what a node left its last result, after saying why it did.
func (b *Builder) setLast(r *Result) error {
	if b.Remember != nil {
		if err := b.Remember(r); err != nil {
			return err
		}
	}
	return b.Store.SetLast(r.Node.Image, r.Node.Name, r.Record.Key)
}

// failure names what failed, and keeps what it had written if wanted. A node
// that was stopped because the whole build was is no failure of its own.
func (b *Builder) failure(ctx context.Context, w *Work, log cache.Blob, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, cache.ErrMissing) {
		return err
	}
	if b.KeepFailed != nil {
		err = errors.Join(err, b.KeepFailed(w.Node, w.Upper))
	}
	return &NodeError{Node: w.Node, Log: log, Err: err}
}

// whyFailed adds to the error of a run that there was no room for what it
// wrote: programs say so in their output, in words of their own, and a disk
// image without room is only a device with errors. Then what it had written
// goes, so that there is room for the log.
func (b *Builder) whyFailed(w *Work, err error) error {
	full := b.Store.Room()
	if full == nil {
		return err
	}
	if !cache.OutOfRoom(err) {
		err = fmt.Errorf("%w (%w)", err, full)
	}
	if b.KeepFailed == nil {
		for _, dir := range []string{w.Dir, w.Out, w.Upper, w.OverlayWork} {
			b.Store.Discard(dir)
		}
	}
	return err
}

// unkept names the node whose run was well, and whose result could not be kept.
func unkept(ctx context.Context, n *Node, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, cache.ErrMissing) {
		return err
	}
	return &NodeError{Node: n, Err: fmt.Errorf("keep its result: %w", err)}
}

// keepLog puts what a run printed into the store. Log files are small next to
// the layers, and the file is still being held open, so it is copied.
func (b *Builder) keepLog(log *os.File) (cache.Blob, error) {
	blob, err := b.Store.PutAll(log)
	if err != nil {
		return cache.Blob{}, fmt.Errorf("keep log: %w", err)
	}
	return blob, nil
}

// finished reports r once per build and remembers what ran, so that a later
// pass over the same node, which then hits, still counts as that run.
func (b *Builder) finished(r *Result) *Result {
	if errors.Is(r.Err, context.Canceled) {
		r.Status = Skipped // stopped, by the user or because another node failed
	}
	if errors.Is(r.Err, cache.ErrMissing) {
		return r // the next pass has more to say, or the build ends with the error
	}
	b.mu.Lock()
	if b.fresh == nil {
		b.fresh = make(map[string]*Result)
	}
	earlier := b.fresh[r.Node.ID()]
	if earlier != nil && r.Status == Hit && earlier.Record != nil && earlier.Record.Key == r.Record.Key {
		b.mu.Unlock()
		again := *earlier
		again.Node = r.Node
		return &again
	}
	if r.Err == nil {
		b.fresh[r.Node.ID()] = r
	}
	b.mu.Unlock()
	b.emit(Finished{r})
	return r
}

// ranAlready reports whether the node ran in an earlier pass of this build.
func (b *Builder) ranAlready(n *Node) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.fresh[n.ID()]
	return r != nil && r.Status == Ran
}

// sameResult reports whether two runs left the same for everything after.
func sameResult(a, b *cache.Record) bool {
	if a.Chain != b.Chain || len(a.Outputs) != len(b.Outputs) {
		return false
	}
	for name, blob := range a.Outputs {
		if b.Outputs[name] != blob {
			return false
		}
	}
	return true
}
