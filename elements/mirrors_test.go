package elements

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/internal/mirror"
	"github.com/dibgraph/dibgraph/steps"
)

// A mirrorBench is a store, a clock, and a mirror of which tests set the state.
type mirrorBench struct {
	t     *testing.T
	store *cache.Store
	now   time.Time

	mu     sync.Mutex
	states map[string]mirror.State
	err    error
	asked  []string
	known  []mirror.Validators
}

func newMirrorBench(t *testing.T) *mirrorBench {
	store, err := cache.Open(t.TempDir(), cache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return &mirrorBench{t: t, store: store, now: time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC), states: map[string]mirror.State{}}
}

// set makes the mirror have that content for that long.
func (b *mirrorBench) set(name, content string, age time.Duration) {
	b.states[name] = mirror.State{Content: content, Age: age, Validators: mirror.Validators{ETag: content}}
}

// build returns the mirrors of another build.
func (b *mirrorBench) build() *Mirrors {
	return &Mirrors{Store: b.store, Check: time.Hour, Now: func() time.Time { return b.now }, Ask: b.ask}
}

func (b *mirrorBench) ask(name string, known mirror.Validators) (mirror.State, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked = append(b.asked, name)
	b.known = append(b.known, known)
	s := b.states[name]
	if b.err == nil && known.ETag != "" && known == s.Validators {
		return mirror.State{Unchanged: true, Validators: known, Age: s.Age}, nil
	}
	return s, b.err
}

// wantAsked checks what was asked for since the last check, in any order.
func (b *mirrorBench) wantAsked(want ...string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	slices.Sort(b.asked)
	if !slices.Equal(b.asked, want) {
		b.t.Errorf("asked for %q, want %q", b.asked, want)
	}
	b.asked = nil
}

func valueOf(content string) string { return cache.DigestBytes([]byte(content)).String() }

func wantValue(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %s, want %s", what, got, want)
	}
}

var (
	bookworm = steps.AptToken("http://e.org/debian", "bookworm")
	updates  = steps.AptToken("http://e.org/debian", "bookworm-updates")
)

func TestMirrorsAskOnceAPeriod(t *testing.T) {
	b := newMirrorBench(t)
	b.set(bookworm, "one", time.Hour)
	m := b.build()
	for range 3 {
		wantValue(t, "a fresh store", m.Value(bookworm), valueOf("one"))
	}
	b.wantAsked(bookworm)
	b.set(bookworm, "two", time.Minute)
	b.now = b.now.Add(59 * time.Minute)
	wantValue(t, "within the period", b.build().Value(bookworm), valueOf("one"))
	b.wantAsked()
	b.now = b.now.Add(time.Minute)
	wantValue(t, "after the period", b.build().Value(bookworm), valueOf("two"))
	b.wantAsked(bookworm)
	b.now = b.now.Add(2 * time.Hour)
	wantValue(t, "unchanged", b.build().Value(bookworm), valueOf("two"))
	b.wantAsked(bookworm)
	if got := b.known[len(b.known)-1]; got.ETag != "two" {
		t.Errorf("asked by %+v, want by what came with the last answer", got)
	}
	b.now = b.now.Add(-24 * time.Hour)
	b.build().Value(bookworm)
	b.wantAsked(bookworm) // the clock went back
}

func TestMirrorsFail(t *testing.T) {
	b := newMirrorBench(t)
	b.err = errors.New("no route")
	m := b.build()
	wantValue(t, "never reached", m.Value(bookworm), unknownState)
	if got := strings.Join(m.Notices(), "\n"); got != "no route; what is cached counts as current, its age is not known" {
		t.Errorf("notices: %s", got)
	}
	b.err = nil
	b.set(bookworm, "one", time.Hour)
	b.now = b.now.Add(time.Hour)
	b.build().Value(bookworm)
	b.wantAsked(bookworm, bookworm)

	b.err = errors.New("no route")
	b.now = b.now.Add(3 * time.Hour)
	m = b.build()
	wantValue(t, "no longer reached", m.Value(bookworm), valueOf("one"))
	if got := strings.Join(m.Notices(), "\n"); got != "no route; what is cached counts as current if it was so 3 hours ago" {
		t.Errorf("notices: %s", got)
	}
	b.wantAsked(bookworm)
	b.now = b.now.Add(time.Minute)
	m = b.build()
	wantValue(t, "just after a failure", m.Value(bookworm), valueOf("one"))
	b.wantAsked()
	if len(m.Notices()) != 1 {
		t.Errorf("notices just after a failure: %q", m.Notices())
	}
	b.err = nil
	b.now = b.now.Add(retryAfter)
	m = b.build()
	m.Value(bookworm)
	b.wantAsked(bookworm)
	if len(m.Notices()) != 0 {
		t.Errorf("notices after an answer: %q", m.Notices())
	}
}

// A build that is stopped while it asks has learned nothing about the mirror.
func TestMirrorsStopped(t *testing.T) {
	b := newMirrorBench(t)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	m := NewMirrors(ctx, b.store, &Image{Definition: Definition{CheckMirrors: time.Hour}})
	wantValue(t, "stopped", m.Value(bookworm), unknownState)
	if got := m.Notices(); len(got) != 0 {
		t.Errorf("notices: %q", got)
	}
	if token, err := b.store.Token(bookworm); err != nil || token != (cache.Token{Name: bookworm}) {
		t.Errorf("token %+v, %v, want nothing", token, err)
	}
}

func TestMirrorsNeverAsk(t *testing.T) {
	b := newMirrorBench(t)
	b.set(bookworm, "one", time.Hour)
	b.build().Value(bookworm)
	b.wantAsked(bookworm)
	b.now = b.now.Add(50 * time.Hour)
	plan := &Mirrors{Store: b.store}
	wantValue(t, "a plan", plan.Value(bookworm), valueOf("one"))
	wantValue(t, "a plan", plan.Value(updates), unknownState)
	offline := &Mirrors{Store: b.store, Offline: true, Now: b.build().Now}
	wantValue(t, "offline", offline.Value(bookworm), valueOf("one"))
	if got := offline.Notices(); len(got) != 1 || !strings.HasSuffix(got[0], "2 days ago") {
		t.Errorf("notices offline: %q", got)
	}
	// What is fetched offline is from a cache, and says nothing about mirrors.
	wantValue(t, "used offline", offline.Used(bookworm, b.now, valueOf("old")), valueOf("one"))
	wantValue(t, "afterwards", plan.Value(bookworm), valueOf("one"))
	b.wantAsked()
}

// What is recorded is never newer than what the run met.
func TestMirrorsUsed(t *testing.T) {
	b := newMirrorBench(t)
	b.set(bookworm, "one", 2*time.Hour)
	started := b.now
	b.now = b.now.Add(time.Hour)
	m := b.build()
	wantValue(t, "first asked after the run, older than it", m.Used(bookworm, started, ""), valueOf("one"))

	b.set(updates, "new", 30*time.Minute)
	wantValue(t, "changed during the run", m.Used(updates, started, ""), passedState)
	wantValue(t, "in the same build, another run that began later", m.Used(updates, b.now, ""), valueOf("new"))

	git := steps.GitToken("https://e.org/r", "main")
	b.states[git] = mirror.State{Content: "id", Age: -1}
	wantValue(t, "nobody knows since when", m.Used(git, started, ""), passedState)
	m = b.build()
	m.Value(git)
	wantValue(t, "asked before the run", m.Used(git, b.now, ""), valueOf("id"))

	b.now = b.now.Add(10 * time.Minute)
	b.set(bookworm, "two", 0)
	wantValue(t, "known before, not asked again", b.build().Used(bookworm, b.now, ""), valueOf("one"))

	b.err = errors.New("no route")
	wantValue(t, "never known", b.build().Used(steps.AptToken("http://f.org", "s"), b.now, ""), unknownState)
	wantValue(t, "for a shell only", b.build().Used(steps.GitToken(steps.Untold, "x"), b.now, ""), untoldState)
	wantValue(t, "for a shell only", b.build().Value(steps.GitToken(steps.Untold, "x")), unknownState)
}

// What a run fetched by itself is as good as an answer.
func TestMirrorsLearn(t *testing.T) {
	b := newMirrorBench(t)
	m := b.build()
	wantValue(t, "what it found", m.Used(bookworm, b.now, valueOf("found")), valueOf("found"))
	wantValue(t, "for others in this build", m.Value(bookworm), valueOf("found"))
	wantValue(t, "in the next build", b.build().Value(bookworm), valueOf("found"))
	b.wantAsked()

	b.set(bookworm, "later", 0)
	started := b.now.Add(time.Hour)
	b.now = started.Add(time.Hour)
	wantValue(t, "asked during a run", b.build().Value(bookworm), valueOf("later"))
	wantValue(t, "found before that", b.build().Used(bookworm, started, valueOf("found")), valueOf("found"))
	if token, err := b.store.Token(bookworm); err != nil || token.ETag != "later" || token.Value != valueOf("later") {
		t.Errorf("token %+v, %v, want that the newer state stays", token, err)
	}
	b.build().Used(bookworm, b.now.Add(time.Second), valueOf("newest"))
	if token, err := b.store.Token(bookworm); err != nil || token.ETag != "" || token.Value != valueOf("newest") {
		t.Errorf("token %+v, %v, want no validator of another state", token, err)
	}
}

// Everything that is likely to be needed is asked for with the first question,
// and that never waits for itself.
func TestMirrorsAskAhead(t *testing.T) {
	b := newMirrorBench(t)
	third := steps.AptToken("http://f.org", "s")
	for _, name := range []string{bookworm, updates, third} {
		b.set(name, name, time.Hour)
	}
	m := b.build()
	var both sync.WaitGroup
	both.Add(2)
	m.Ask = func(name string, known mirror.Validators) (mirror.State, error) {
		if name != bookworm { // neither answers before both are asked for
			both.Done()
			both.Wait()
		}
		return b.ask(name, known)
	}
	m.expect(func() []string { return []string{bookworm, updates} })
	m.expect(func() []string { return []string{updates, third, steps.GitToken(steps.Untold, "x")} })
	var all sync.WaitGroup
	for _, name := range []string{bookworm, updates, bookworm, third} {
		all.Go(func() { wantValue(t, name, m.Value(name), valueOf(name)) })
	}
	all.Wait()
	b.wantAsked(bookworm, updates, third)
}

func TestMirrorsNoticesAreGrouped(t *testing.T) {
	b := newMirrorBench(t)
	b.err = errors.New("no route")
	m := b.build()
	m.Value(bookworm)
	m.Value(updates)
	m.Value(steps.AptToken("http://f.org", "s"))
	want := []string{
		"no route (and 1 more there); what is cached counts as current, its age is not known",
		"no route; what is cached counts as current, its age is not known",
	}
	if got := m.Notices(); !slices.Equal(got, want) {
		t.Errorf("notices %q, want %q", got, want)
	}
}

func TestMirrorsForImages(t *testing.T) {
	image := func(d Definition) *Image { return &Image{Definition: d} }
	list := MirrorsFor(t.Context(), newMirrorBench(t).store, []*Image{
		image(Definition{CheckMirrors: time.Hour, Environment: map[string]string{"HOME": "/root", "DIB_ONE": "1"}}),
		image(Definition{CheckMirrors: time.Hour, Environment: map[string]string{"HOME": "/root", "DIB_TWO": "2"}}),
		image(Definition{CheckMirrors: time.Hour, Environment: map[string]string{"HOME": "/root", "http_proxy": "http://p.org"}}),
		image(Definition{CheckMirrors: time.Hour, Environment: map[string]string{"HOME": "/root", "DIB_M": "http://me:word@a.org"}}),
		image(Definition{CheckMirrors: time.Hour, Environment: map[string]string{"HOME": "/root", "DIB_M": "http://me:other@a.org"}}),
		image(Definition{CheckMirrors: CheckNever, Environment: map[string]string{"HOME": "/root"}}),
		image(Definition{CheckMirrors: time.Hour, Offline: true, Environment: map[string]string{"HOME": "/root"}}),
	})
	different := make(map[*Mirrors]bool)
	for _, m := range list {
		different[m] = true
	}
	if list[0] != list[1] || len(different) != len(list)-1 {
		t.Errorf("%d of %d are different, want that the first two have one", len(different), len(list))
	}
}

func TestUserinfo(t *testing.T) {
	got := userinfo(map[string]string{
		"DIB_DISTRIBUTION_MIRROR": "https://me:word@a.org/debian", "DIB_APT_SOURCES_CONF": "default:deb http://you@b.org:8080/debian s main\nx:deb http://c.org/ s main",
		"http_proxy": "http://proxy.org:3128", "OTHER": "me@d.org",
	})
	if len(got) != 2 || got["a.org"].String() != "me:word" || got["b.org"].String() != "you" {
		t.Errorf("userinfo = %v", got)
	}
}
