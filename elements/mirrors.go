package elements

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/internal/mirror"
	"github.com/dibgraph/dibgraph/steps"
)

// Mirrors knows the states of package archives and git repositories, for one
// build or plan: each is looked up or asked for at most once, so that all nodes
// are judged by the same. It implements [steps.Tokens].
type Mirrors struct {
	// Store keeps what is known from one build to the next.
	Store *cache.Store
	// Ask asks for the state of a token, which last was known by these
	// validators; nil never asks, as in a plan.
	Ask func(name string, known mirror.Validators) (mirror.State, error)
	// Check is how long an answer holds before it is asked for again.
	Check time.Duration
	// Offline says that Ask is nil because nothing may be asked, which is
	// worth a notice.
	Offline bool
	// Now is the clock; nil is time.Now.
	Now func() time.Time

	mu sync.Mutex // guards what follows, and what is in states
	// needed return tokens that are likely to be asked for, so that all are
	// asked at once.
	needed []func() []string
	states map[string]*mirrorState
	ahead  bool  // that those were asked for, or are being
	err    error // the first one of the store
}

var _ steps.Tokens = (*Mirrors)(nil)

// A mirrorState is what is known of one token in this build.
type mirrorState struct {
	once  sync.Once
	token cache.Token
	asked bool
	// changed is when the mirror says that the state became what it is; zero
	// if it was not asked, or does not say.
	changed time.Time
}

const (
	// unknownState is the value of a token that nobody could ever tell.
	unknownState = "unknown"
	// passedState is recorded where the state may be newer than what a run
	// met. No state is ever equal to it, so the node runs once more.
	passedState = "changed while it ran"
	// untoldState is recorded for what cannot be asked for by its name.
	untoldState = "not told"
)

// retryAfter is how long a mirror that failed is left alone, so that the next
// edit does not wait for it again.
const retryAfter = 5 * time.Minute

// NewMirrors returns what a build knows and asks for: through proxies and with
// credentials that are in the variables of the image. The context ends what is
// being asked.
func NewMirrors(ctx context.Context, store *cache.Store, img *Image) *Mirrors {
	m := &Mirrors{Store: store, Check: img.Definition.CheckMirrors, Offline: img.Definition.Offline}
	if m.Offline || m.Check < 0 {
		return m
	}
	env := img.Definition.Environment
	client := &mirror.Client{Environment: env, Userinfo: userinfo(env)}
	m.Ask = func(name string, known mirror.Validators) (mirror.State, error) {
		state, err := ask(ctx, client, name, known)
		if ctx.Err() != nil {
			err = errStopped
		}
		return state, err
	}
	return m
}

func ask(ctx context.Context, client *mirror.Client, name string, known mirror.Validators) (mirror.State, error) {
	kind, address, part, _ := steps.ParseToken(name)
	if kind == "git" {
		return client.Git(ctx, address, part)
	}
	return client.Apt(ctx, address, part, known)
}

// errStopped says that the build was, and nothing about a mirror.
var errStopped = errors.New("the build was stopped")

// userinfo collects the credentials in addresses that variables hold, by host.
func userinfo(env map[string]string) map[string]*url.Userinfo {
	found := make(map[string]*url.Userinfo)
	for _, value := range env {
		for _, word := range strings.Fields(value) {
			_, scheme, _ := strings.Cut(word, "http") // after a name, as in NAME:deb
			u, err := url.Parse("http" + scheme)
			if err == nil && u.User != nil && u.Host != "" {
				found[u.Hostname()] = u.User
			}
		}
	}
	return found
}

func (m *Mirrors) now() time.Time {
	if m.Now != nil {
		return m.Now()
	}
	return time.Now()
}

// Value implements [steps.Tokens].
func (m *Mirrors) Value(name string) string {
	if untold(name) {
		return unknownState
	}
	s := m.state(name)
	m.mu.Lock()
	defer m.mu.Unlock()
	return cmp.Or(s.token.Value, unknownState)
}

// untold reports whether only a shell could tell what a token is about.
func untold(name string) bool {
	_, address, _, _ := steps.ParseToken(name)
	return address == steps.Untold
}

// state returns what is known of a token, and asks for it if that is due.
func (m *Mirrors) state(name string) *mirrorState {
	s := m.entry(name)
	s.once.Do(func() { m.load(name, s) })
	return s
}

// entry returns the place for what is known of a token.
func (m *Mirrors) entry(name string) *mirrorState {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.states == nil {
		m.states = make(map[string]*mirrorState)
	}
	s := m.states[name]
	if s == nil {
		s = &mirrorState{}
		m.states[name] = s
	}
	return s
}

// read looks a token up in the store.
func (m *Mirrors) read(name string, s *mirrorState) cache.Token {
	t, err := m.Store.Token(name)
	m.note(err)
	m.mu.Lock()
	defer m.mu.Unlock()
	t.Name = name
	s.token = t
	return t
}

// load looks a token up, and asks for it if that is due.
func (m *Mirrors) load(name string, s *mirrorState) {
	t := m.read(name, s)
	if m.Ask == nil || !m.due(t) {
		return
	}
	var others sync.WaitGroup
	defer others.Wait()
	m.askAhead(&others)
	state, err := m.Ask(name, mirror.Validators{ETag: t.ETag, LastModified: t.LastModified})
	if errors.Is(err, errStopped) {
		return
	}
	m.mu.Lock()
	s.answer(state, err, m.now())
	t = s.token
	m.mu.Unlock()
	m.note(m.Store.PutToken(t))
}

// due reports whether a state has to be asked for.
func (m *Mirrors) due(t cache.Token) bool {
	now := m.now()
	within := func(at time.Time, period time.Duration) bool {
		age := now.Sub(at)
		return age >= 0 && age < period // a clock that went back says nothing
	}
	return !within(t.Checked, m.Check) && !within(t.Tried, min(m.Check, retryAfter))
}

// askAhead begins to ask for everything that is likely to be needed.
func (m *Mirrors) askAhead(asking *sync.WaitGroup) {
	m.mu.Lock()
	first, needed := !m.ahead, m.needed
	m.ahead = true
	m.mu.Unlock()
	if !first {
		return
	}
	for _, names := range needed {
		for _, name := range names() {
			if !untold(name) {
				asking.Go(func() { m.askOne(name) })
			}
		}
	}
}

// expect makes what needed returns be asked for with the first question.
func (m *Mirrors) expect(needed func() []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.needed = append(m.needed, needed)
}

// askOne is state for a token that nobody waits for: one that is being loaded
// already may be waiting for this.
func (m *Mirrors) askOne(name string) {
	m.mu.Lock()
	_, loading := m.states[name]
	m.mu.Unlock()
	if !loading {
		m.state(name)
	}
}

// answer takes over what a mirror said.
func (s *mirrorState) answer(state mirror.State, err error, now time.Time) {
	t := &s.token
	if err != nil {
		t.Tried, t.Failure = now, strings.ToValidUTF8(err.Error(), "?")
		return
	}
	s.asked = true
	t.Checked, t.Tried, t.Failure = now, time.Time{}, ""
	if state.Age >= 0 {
		s.changed = now.Add(-state.Age)
	}
	if state.Unchanged {
		return
	}
	t.ETag = strings.ToValidUTF8(state.Validators.ETag, "")
	t.LastModified = strings.ToValidUTF8(state.Validators.LastModified, "")
	setValue(t, cache.DigestBytes([]byte(state.Content)).String(), now)
}

func setValue(t *cache.Token, value string, now time.Time) {
	if t.Value != value {
		t.Value, t.Changed = value, now
	}
}
