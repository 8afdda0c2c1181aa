package graph

import (
	"context"
	"sync"
	"time"
)

// A Meter adds up what recording costs in a build: all that is done only for
// later look-ups and explanations to work. It is for benchmarks; without one in
// the context nothing is measured. It may be used concurrently.
type Meter struct {
	mu    sync.Mutex
	spent map[string]time.Duration
}

type meterKey struct{}

// WithMeter returns a context in which m measures.
func WithMeter(ctx context.Context, m *Meter) context.Context {
	return context.WithValue(ctx, meterKey{}, m)
}

// Spend adds time that was spent on something.
func Spend(ctx context.Context, on string, took time.Duration) {
	m, ok := ctx.Value(meterKey{}).(*Meter)
	if !ok {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.spent == nil {
		m.spent = make(map[string]time.Duration)
	}
	m.spent[on] += took
}

// Measure adds the time until the function that it returns is called.
func Measure(ctx context.Context, on string) func() {
	started := time.Now()
	return func() { Spend(ctx, on, time.Since(started)) }
}

// Spent returns what was added, by what it was spent on. It is called after the
// build.
func (m *Meter) Spent() map[string]time.Duration { return m.spent }
