package remote

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// GuardOptions say how patient a [Guard] is. The zero value is what a build wants.
type GuardOptions struct {
	// Retries is how often something that failed is tried again: 0 is twice,
	// less than 0 never.
	Retries int
	// Pause is how long it waits before the first time, about, and twice as long
	// before each further one: 0 is 200 ms.
	Pause time.Duration
	// Idle is how long a remote may give and take nothing: 0 is 30 s.
	Idle time.Duration
	// Lookups and Transfers are how many small requests and how many contents
	// are under way at a time: 0 is 32 and 8.
	Lookups, Transfers int
	// Warn is told, once, that the remote is left out; nil drops it.
	Warn func(string)
}

// failuresAllowed is how many failures in a row a remote may have.
const failuresAllowed = 3

// Stats are what a guard counted.
type Stats struct {
	Requests int64
	Down, Up int64 // bytes
}

// A Guard keeps a remote from being in the way: it tries again what may succeed,
// goes on where a transfer was cut off, waits for nothing that has stalled, and
// leaves the remote out for the rest of the process when it has failed three
// times in a row.
type Guard struct {
	remote    Remote
	o         GuardOptions
	lookups   chan struct{}
	transfers chan struct{}

	requests, down, up atomic.Int64

	mu       sync.Mutex
	failures int // in a row
	leftOut  error
}

// NewGuard returns a guard of r.
func NewGuard(r Remote, o GuardOptions) *Guard {
	o.Retries = cmp.Or(o.Retries, 2)
	o.Pause = cmp.Or(o.Pause, 200*time.Millisecond)
	o.Idle = cmp.Or(o.Idle, 30*time.Second)
	o.Lookups = cmp.Or(o.Lookups, 32)
	o.Transfers = cmp.Or(o.Transfers, 8)
	if o.Warn == nil {
		o.Warn = func(string) {}
	}
	return &Guard{remote: r, o: o, lookups: make(chan struct{}, o.Lookups), transfers: make(chan struct{}, o.Transfers)}
}

// String is the address of the remote.
func (g *Guard) String() string { return g.remote.String() }

// Stats returns what was moved so far.
func (g *Guard) Stats() Stats { return Stats{g.requests.Load(), g.down.Load(), g.up.Load()} }

// LeftOut reports whether the remote is not asked any more.
func (g *Guard) LeftOut() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.leftOut != nil
}

// Load is that of the remote.
func (g *Guard) Load(ctx context.Context, name string, limit int64) (data []byte, err error) {
	err = g.try(ctx, g.lookups, func(ctx context.Context, _ func()) error {
		data, err = g.remote.Load(ctx, name, limit)
		return err
	})
	g.down.Add(int64(len(data)))
	return data, err
}

// Save is that of the remote.
func (g *Guard) Save(ctx context.Context, name string, data []byte, about []Content) error {
	err := g.try(ctx, g.lookups, func(ctx context.Context, _ func()) error { return g.remote.Save(ctx, name, data, about) })
	if err == nil {
		g.up.Add(int64(len(data)))
	}
	return err
}

// Has is that of the remote.
func (g *Guard) Has(ctx context.Context, c Content) (there bool, err error) {
	err = g.try(ctx, g.lookups, func(ctx context.Context, _ func()) error {
		there, err = g.remote.Has(ctx, c)
		return err
	})
	return there, err
}

// Upload is that of the remote.
func (g *Guard) Upload(ctx context.Context, c Content, body func() (io.ReadCloser, error)) error {
	return g.try(ctx, g.transfers, func(ctx context.Context, alive func()) error {
		var ours ownFailure
		err := g.remote.Upload(ctx, c, func() (io.ReadCloser, error) {
			b, err := body()
			if err != nil {
				ours.set(err)
				return nil, err
			}
			return &watched{ReadCloser: b, read: func(n int, err error) { alive(); g.up.Add(int64(n)); ours.set(err) }}, nil
		})
		if own := ours.get(); err != nil && own != nil {
			return &bodyError{err, own}
		}
		return err
	})
}

// Open is that of the remote. What it returns goes on where the remote was cut
// off, and ends when c does.
func (g *Guard) Open(ctx context.Context, c Content, from, to int64) (io.ReadCloser, error) {
	if err := take(ctx, g.transfers); err != nil {
		return nil, err
	}
	r := &resumed{g: g, ctx: ctx, content: c, at: from, to: to}
	if err := r.open(); err != nil {
		<-g.transfers
		return nil, err
	}
	return r, nil
}

// Items is that of the remote, if it is a [Keeper].
func (g *Guard) Items(ctx context.Context, yield func(Item) bool) error {
	k, ok := g.remote.(Keeper)
	if !ok {
		return fmt.Errorf("list what %s has: %w", g, ErrUnsupported)
	}
	g.requests.Add(1)
	return k.Items(ctx, yield)
}

// Remove is that of the remote, if it is a [Keeper].
func (g *Guard) Remove(ctx context.Context, i Item) error {
	k, ok := g.remote.(Keeper)
	if !ok {
		return fmt.Errorf("remove something from %s: %w", g, ErrUnsupported)
	}
	return g.try(ctx, g.lookups, func(ctx context.Context, _ func()) error { return k.Remove(ctx, i) })
}

// take waits for a slot.
func take(ctx context.Context, slots chan struct{}) error {
	select {
	case slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// try does something until it succeeds, is refused for good, or was tried often
// enough. What is done calls alive whenever it gets on.
func (g *Guard) try(ctx context.Context, slots chan struct{}, do func(ctx context.Context, alive func()) error) error {
	if err := take(ctx, slots); err != nil {
		return err
	}
	defer func() { <-slots }()
	err := g.attempts(ctx, func() error {
		limited, stop := context.WithCancelCause(ctx)
		defer stop(nil)
		timer := time.AfterFunc(g.o.Idle, func() { stop(g.stalled()) })
		defer timer.Stop()
		err := do(limited, func() { timer.Reset(g.o.Idle) })
		if err != nil && limited.Err() != nil {
			return context.Cause(limited)
		}
		return err
	})
	if err == nil {
		g.answered()
	}
	return err
}

// errStalled is no reason to try again: who was waited for that long hardly does
// better the next time, and a build would wait for minutes.
var errStalled = errors.New("nothing came")

func (g *Guard) stalled() error { return fmt.Errorf("%w for %s", errStalled, g.o.Idle) }

// attempts leaves it to its callers to say that the remote answered: a stream
// that opens and then stays silent is no success.
func (g *Guard) attempts(ctx context.Context, do func() error) error {
	for again := 0; ; again++ {
		if err := g.given(); err != nil {
			return err
		}
		g.requests.Add(1)
		err := do()
		var own *bodyError
		switch {
		case err == nil:
			return nil
		case errors.As(err, &own):
			return own.err // says nothing about the remote
		case errors.Is(err, ErrNotFound), errors.Is(err, ErrUnsupported), errors.Is(err, ErrTooLarge):
			g.answered()
			return err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !temporary(err) || again >= g.o.Retries:
			g.failed(err)
			return err
		}
		if err := g.pause(ctx, again, asksToWait(err)); err != nil {
			return err
		}
	}
}

// pause waits, longer each time, and not as long as others that failed with it; at
// least as long as it was asked to.
func (g *Guard) pause(ctx context.Context, again int, asked time.Duration) error {
	wait := g.o.Pause << again
	select {
	case <-time.After(asked + wait/2 + rand.N(wait)):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// given is the error of a remote that was given up.
func (g *Guard) given() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.leftOut
}

func (g *Guard) answered() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.failures = 0
}

func (g *Guard) failed(err error) {
	g.mu.Lock()
	g.failures++
	last := g.failures == failuresAllowed && g.leftOut == nil
	if last {
		g.leftOut = fmt.Errorf("%s: %w: %w", g, ErrLeftOut, err)
	}
	g.mu.Unlock()
	if last {
		g.o.Warn(fmt.Sprintf("%s is left out from now on: %v", g, err))
	}
}

// watched tells how much is read, and what fails before it is closed: a transport
// that gives up closes the body while it is still being read.
type watched struct {
	io.ReadCloser
	read   func(n int, err error)
	closed atomic.Bool
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	if w.closed.Load() {
		w.read(n, nil)
	} else {
		w.read(n, err)
	}
	return n, err
}

func (w *watched) Close() error {
	w.closed.Store(true)
	return w.ReadCloser.Close()
}

// A resumed reads a content and opens it again where it was cut off. It has one
// of the slots for transfers until it is closed.
type resumed struct {
	g       *Guard
	ctx     context.Context
	content Content
	at, to  int64
	body    io.ReadCloser
	stream  context.Context // of body
	cancel  context.CancelCauseFunc
	timer   *time.Timer
	cut     int // in a row, without a byte in between
}

func (r *resumed) open() error {
	return r.g.attempts(r.ctx, func() error {
		ctx, cancel := context.WithCancelCause(r.ctx)
		timer := time.AfterFunc(r.g.o.Idle, func() { cancel(r.g.stalled()) })
		body, err := r.g.remote.Open(ctx, r.content, r.at, r.to)
		if err != nil {
			timer.Stop()
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			cancel(nil)
			return err
		}
		timer.Stop() // who reads may take time between two reads
		r.body, r.stream, r.cancel, r.timer = body, ctx, cancel, timer
		return nil
	})
}

func (r *resumed) Read(p []byte) (int, error) {
	if r.body == nil {
		return 0, io.ErrClosedPipe
	}
	for {
		r.timer.Reset(r.g.o.Idle)
		n, err := r.body.Read(p)
		r.timer.Stop()
		r.at += int64(n)
		r.g.down.Add(int64(n))
		if n > 0 {
			r.cut = 0
			r.g.answered()
			return n, nil
		}
		switch {
		case err == nil:
			continue
		case err == io.EOF && r.at >= r.to:
			r.g.answered()
			return 0, io.EOF
		case r.ctx.Err() != nil:
			return 0, context.Cause(r.ctx)
		case r.stream.Err() != nil:
			err = context.Cause(r.stream)
		case err == io.EOF:
			err = fmt.Errorf("%s was cut off after %d of %d bytes: %w", r.content.Sum, r.at, r.to, io.ErrUnexpectedEOF)
		}
		// A connection may have died in the middle; one that stalls again is given up.
		if r.cut++; r.cut > r.g.o.Retries || r.cut > 1 && errors.Is(err, errStalled) {
			r.g.failed(err)
			return 0, err
		}
		r.end()
		if err := r.open(); err != nil {
			return 0, err
		}
	}
}

// end closes what is open.
func (r *resumed) end() {
	r.timer.Stop()
	_ = r.body.Close()
	r.cancel(nil)
	r.body = nil
}

func (r *resumed) Close() error {
	if r.cancel != nil {
		if r.body != nil {
			r.end()
		}
		<-r.g.transfers
		r.cancel = nil
	}
	return nil
}
