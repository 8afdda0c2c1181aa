package share

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/cache/remote"
	"github.com/dibgraph/dibgraph/cache/trust"
)

// Options say what is shared with whom.
type Options struct {
	// From are the places whose results are used, the first asked first, and To
	// those that are given what this build makes. One may be both.
	From, To []Place
	// Salt disowns what was shared under another one.
	Salt trust.Salt
	// Policy says what is believed, and Signers sign what is given.
	Policy  *trust.Policy
	Signers []trust.Signer
	// Image, Arch and Builder are recorded with what is given.
	Image, Arch, Builder string
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Notice is told, in sentences, what went wrong; nil drops it.
	Notice func(string)
}

// A Place is one scope of a remote.
type Place struct {
	Remote *remote.Guard
	Scope  string
}

// String names the place for messages.
func (p Place) String() string { return fmt.Sprintf("%s (scope %s)", p.Remote, p.Scope) }

// placedContent is content with a remote that has it.
type placedContent struct {
	address string
	digest  cache.Digest
}

// A Share connects one build with others. Its methods may be called
// concurrently.
type Share struct {
	ctx     context.Context
	cancel  context.CancelFunc
	store   *cache.Store
	o       Options
	sources map[string]*remote.Guard // by address
	flights singleflight.Group
	placed  sync.Map // placedContent → true: what a place was noted for
	sender  *sender
	judge   *Judge

	packsOnce sync.Once
	statics   map[cache.Key]bool // those of the records in the packs of the image
	taken     int                // records in them
	refused   []cache.Reason     // why some of those packs were not taken
	told      sync.Map           // statics that were told to have been found
	asked     sync.Map           // those that were asked for alone
}

// New returns a Share for one build, which ends when ctx does. The store asks
// it for what it lacks from then on. The caller calls [Share.Stop] before it
// closes the store.
func New(ctx context.Context, store *cache.Store, o Options) *Share {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	ctx, cancel := context.WithCancel(ctx)
	s := &Share{ctx: ctx, cancel: cancel, store: store, o: o, sources: make(map[string]*remote.Guard), judge: NewJudge(o.Policy)}
	for _, p := range slices.Concat(o.From, o.To) {
		s.sources[p.Remote.String()] = p.Remote
	}
	s.sender = newSender(s)
	store.Supply(s)
	return s
}

// Allows says why an imported record must not be used any more.
func (s *Share) Allows(r *cache.Record) (cache.Reason, bool) { return s.judge.Allows(r) }

// originMemory remembers what was said of origins: the records of an image have
// few.
type originMemory struct {
	mu    sync.Mutex
	known map[string]error
}

func (m *originMemory) judge(p *trust.Policy, origin json.RawMessage) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err, ok := m.known[string(origin)]; ok {
		return err
	}
	var o trust.Origin
	err := json.Unmarshal(origin, &o)
	if err == nil {
		err = p.Allows(o)
	}
	if m.known == nil {
		m.known = make(map[string]error)
	}
	m.known[string(origin)] = err
	return err
}

// first reports whether a key is new to a set, and puts it in.
func first(set *sync.Map, key any) bool {
	_, known := set.LoadOrStore(key, true)
	return !known
}

// imageName returns the name of the pack of an image.
func (s *Share) imageName(scope string) string {
	return trust.ObjectName("image", scope, s.o.Salt, s.o.Image+" "+s.o.Arch)
}

// nodeName returns the name of the pack of a static key.
func (s *Share) nodeName(scope string, static cache.Key) string {
	return trust.ObjectName("node", scope, s.o.Salt, static.String())
}

// sortedContents returns the members of a set in the order of their sums.
func sortedContents(set map[remote.Content]bool) []remote.Content {
	list := make([]remote.Content, 0, len(set))
	for c := range set {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b remote.Content) int { return strings.Compare(a.Sum.String(), b.Sum.String()) })
	return list
}
