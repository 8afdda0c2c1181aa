package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// A flaky is a remote whose calls fail as a script says.
type flaky struct {
	Remote
	mu    sync.Mutex
	calls int
	fail  func(call int) error // of a call, counted from 1
	data  string
	cut   int // bytes that a stream gives before it ends; 0 is all
	hang  bool
}

func (f *flaky) String() string { return "test:flaky" }

func (f *flaky) call(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	if f.hang {
		<-ctx.Done()
		return ctx.Err()
	}
	if f.fail != nil {
		return f.fail(f.calls)
	}
	return nil
}

func (f *flaky) Load(ctx context.Context, _ string, _ int64) ([]byte, error) {
	if err := f.call(ctx); err != nil {
		return nil, err
	}
	return []byte(f.data), nil
}

func (f *flaky) Has(ctx context.Context, _ Content) (bool, error) { return true, f.call(ctx) }

func (f *flaky) Open(ctx context.Context, _ Content, from, to int64) (io.ReadCloser, error) {
	if err := f.call(ctx); err != nil {
		return nil, err
	}
	rest := f.data[from:min(to, int64(len(f.data)))]
	if f.cut > 0 && len(rest) > f.cut {
		return io.NopCloser(io.MultiReader(strings.NewReader(rest[:f.cut]), failingReader{})), nil
	}
	return io.NopCloser(strings.NewReader(rest)), nil
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func (f *flaky) Upload(ctx context.Context, _ Content, body func() (io.ReadCloser, error)) error {
	b, err := body()
	if err != nil {
		return err
	}
	defer b.Close()
	if _, err := io.Copy(io.Discard, b); err != nil {
		return err
	}
	return f.call(ctx)
}

func quick(o GuardOptions) GuardOptions {
	o.Pause = time.Microsecond
	return o
}

var errDown = errors.New("connection reset")

func TestGuardTriesAgain(t *testing.T) {
	for _, test := range []struct {
		name  string
		fail  func(int) error
		calls int
		want  error
	}{
		{"well", func(int) error { return nil }, 1, nil},
		{"twice down", func(call int) error {
			if call < 3 {
				return errDown
			}
			return nil
		}, 3, nil},
		{"down", func(int) error { return errDown }, 3, errDown},
		{"overloaded", func(call int) error {
			if call == 1 {
				return fmt.Errorf("get: %w", &StatusError{Status: 503})
			}
			return nil
		}, 2, nil},
		{"asks for too much patience", func(int) error { return &StatusError{Status: 503, Wait: time.Minute} }, 1, &StatusError{Status: 503}},
		{"forbidden", func(int) error { return &StatusError{Status: 403} }, 1, &StatusError{Status: 403}},
		{"nothing there", func(int) error { return fmt.Errorf("get: %w", ErrNotFound) }, 1, ErrNotFound},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := &flaky{fail: test.fail, data: "data"}
			g := NewGuard(f, quick(GuardOptions{}))
			data, err := g.Load(t.Context(), "x", 100)
			if fmt.Sprint(err) != fmt.Sprint(test.want) && !errors.Is(err, test.want) {
				t.Errorf("error %v, want %v", err, test.want)
			}
			if err == nil && string(data) != "data" {
				t.Errorf("loaded %q", data)
			}
			if f.calls != test.calls || g.Stats().Requests != int64(test.calls) {
				t.Errorf("%d calls, %d counted; want %d", f.calls, g.Stats().Requests, test.calls)
			}
		})
	}
}

// A server that says when it wants to be asked again is not asked before.
func TestGuardWaitsAsAsked(t *testing.T) {
	const asked = 300 * time.Millisecond
	f := &flaky{data: "data", fail: func(call int) error {
		if call == 1 {
			return fmt.Errorf("get: %w", &StatusError{Status: 429, Wait: asked})
		}
		return nil
	}}
	start := time.Now()
	if _, err := NewGuard(f, quick(GuardOptions{})).Load(t.Context(), "x", 100); err != nil || f.calls != 2 {
		t.Errorf("%d calls, %v", f.calls, err)
	}
	if waited := time.Since(start); waited < asked {
		t.Errorf("asked again after %s", waited)
	}
}

func TestRetryAfter(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "0": 0, "-3": 0, "soon": 0, "Sun, 06 Nov 1994 08:49:37 GMT": 0,
	} {
		if got := RetryAfter(http.Header{"Retry-After": {text}}); got != want {
			t.Errorf("RetryAfter(%q) = %s, want %s", text, got, want)
		}
	}
	later := time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	if got := RetryAfter(http.Header{"Retry-After": {later}}); got < 58*time.Minute || got > time.Hour {
		t.Errorf("RetryAfter in an hour = %s", got)
	}
}

func TestGuardLeavesOut(t *testing.T) {
	var warnings []string
	f := &flaky{fail: func(int) error { return errDown }}
	g := NewGuard(f, quick(GuardOptions{Retries: -1, Warn: func(text string) { warnings = append(warnings, text) }}))
	for range 10 {
		if _, err := g.Has(t.Context(), Content{}); err == nil {
			t.Fatal("no error")
		}
	}
	if f.calls != 3 || !g.LeftOut() {
		t.Errorf("%d calls, left out: %t", f.calls, g.LeftOut())
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "test:flaky") || !strings.Contains(warnings[0], "connection reset") {
		t.Errorf("warnings: %q", warnings)
	}
	if _, err := g.Open(t.Context(), Content{}, 0, 0); !errors.Is(err, ErrLeftOut) || !errors.Is(err, errDown) {
		t.Errorf("open: %v", err)
	}
}

// That something is not there is an answer, as good as any.
func TestGuardCountsFailuresInARow(t *testing.T) {
	f := &flaky{fail: func(call int) error {
		if call%3 == 0 {
			return ErrNotFound
		}
		return errDown
	}}
	g := NewGuard(f, quick(GuardOptions{Retries: -1}))
	for range 30 {
		_, _ = g.Has(t.Context(), Content{})
	}
	if f.calls != 30 || g.LeftOut() {
		t.Errorf("%d calls, left out: %t", f.calls, g.LeftOut())
	}
}

func TestGuardGoesOnWhereItWasCutOff(t *testing.T) {
	f := &flaky{data: strings.Repeat("0123456789", 100), cut: 64}
	g := NewGuard(f, quick(GuardOptions{}))
	r, err := g.Open(t.Context(), Content{Size: int64(len(f.data))}, 10, int64(len(f.data)))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil || string(got) != f.data[10:] {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if g.Stats().Down != int64(len(got)) {
		t.Errorf("%d bytes were counted", g.Stats().Down)
	}
}

// A server that ends early each time without a byte more is not asked for ever.
func TestGuardGivesUpOnTruncatedContent(t *testing.T) {
	f := &flaky{data: "short"}
	g := NewGuard(f, quick(GuardOptions{}))
	r, err := g.Open(t.Context(), Content{Size: 100}, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err == nil || string(got) != "short" {
		t.Errorf("%q, %v", got, err)
	}
	if f.calls > 4 {
		t.Errorf("%d calls", f.calls)
	}
}

// Silence is waited for once, not as often as something else is tried again.
func TestGuardDoesNotWaitForSilence(t *testing.T) {
	f := &flaky{hang: true}
	g := NewGuard(f, quick(GuardOptions{Idle: time.Millisecond}))
	if _, err := g.Load(t.Context(), "x", 10); err == nil || !strings.Contains(err.Error(), "nothing came") {
		t.Errorf("load: %v", err)
	}
	if _, err := g.Open(t.Context(), Content{Size: 10}, 0, 10); err == nil || !strings.Contains(err.Error(), "nothing came") {
		t.Errorf("open: %v", err)
	}
	if f.calls != 2 {
		t.Errorf("%d calls", f.calls)
	}
}

func TestGuardEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	f := &flaky{fail: func(int) error { cancel(why); return errDown }}
	g := NewGuard(f, GuardOptions{Pause: time.Hour})
	if _, err := g.Load(ctx, "x", 10); !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
	if g.LeftOut() || g.failures > 0 {
		t.Error("the end of a build counts as a failure of the remote")
	}
}

// Slots of streams come back, however the streams end.
func TestGuardGivesItsSlotsBack(t *testing.T) {
	f := &flaky{data: "data"}
	g := NewGuard(f, quick(GuardOptions{Transfers: 1}))
	for range 3 {
		r, err := g.Open(t.Context(), Content{Size: 4}, 0, 4)
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		r.Close()
		if err := g.Upload(t.Context(), Content{Size: 4}, func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("data")), nil }); err != nil {
			t.Fatal(err)
		}
	}
	f.fail = func(int) error { return ErrNotFound }
	for range 3 {
		if _, err := g.Open(t.Context(), Content{Size: 4}, 0, 4); !errors.Is(err, ErrNotFound) {
			t.Fatal(err)
		}
	}
	if g.Stats().Up != 12 {
		t.Errorf("%d bytes up", g.Stats().Up)
	}
}
