package share

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/cache/remote"
	"github.com/dibgraph/dibgraph/cache/trust"
	"github.com/dibgraph/dibgraph/internal/faultcount"
)

// A machine is a store with what connects it to others.
type machine struct {
	t       *testing.T
	store   *cache.Store
	share   *Share
	notices []string
}

// newMachine makes one that shares through remotes.
func newMachine(t *testing.T, o Options) *machine {
	t.Helper()
	store, err := cache.Open(t.TempDir()+"/store", cache.Options{})
	check(t, err)
	t.Cleanup(func() { check(t, store.Close()) })
	m := &machine{t: t, store: store}
	m.again(o)
	return m
}

// again begins another build on the machine.
func (m *machine) again(o Options) {
	o.Notice = func(text string) { m.notices = append(m.notices, text) }
	if o.Policy == nil {
		o.Policy = policyOf(m.t, trust.Rule{})
	}
	if o.Salt == "" {
		o.Salt = trust.NewSalt("")
	}
	o.Image, o.Arch, o.Builder = "web", "amd64", "test"
	m.share = New(m.t.Context(), m.store, o)
}

func policyOf(t *testing.T, r trust.Rule) *trust.Policy {
	t.Helper()
	p, err := trust.NewPolicy(r)
	check(t, err)
	return p
}

func to(remotes ...remote.Remote) Options { return Options{To: places(remotes...)} }

func from(remotes ...remote.Remote) Options { return Options{From: places(remotes...)} }

func places(remotes ...remote.Remote) []Place {
	var list []Place
	for _, r := range remotes {
		list = append(list, Place{remote.NewGuard(r, remote.GuardOptions{Retries: -1}), "main"})
	}
	return list
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// put records a node with a layer, an output and a log, on top of others.
func (m *machine) put(node string, below ...*cache.Record) *cache.Record {
	m.t.Helper()
	upper, err := m.store.TempDir("upper")
	check(m.t, err)
	check(m.t, os.WriteFile(upper+"/"+node, []byte("what "+node+" wrote"), 0o644))
	layer, err := m.store.CommitLayer(upper, cache.LayerOptions{})
	check(m.t, err)
	out, err := m.store.PutBytes([]byte("out of " + node))
	check(m.t, err)
	large, err := m.store.PutBytes([]byte(strings.Repeat("large output of "+node+"\n", 1<<13)))
	check(m.t, err)
	log, err := m.store.PutBytes([]byte("log of " + node))
	check(m.t, err)
	r := &cache.Record{
		Image: "web", Node: node, Kind: "hook", Description: "node\t" + node + "\n", Static: cache.KeyOf("static " + node),
		Shape: []string{}, Outputs: map[string]cache.Blob{"out": out, "large": large}, Log: log, Chain: cache.DigestBytes([]byte(node)),
	}
	for _, b := range below {
		r.Layers, r.Makers = append(r.Layers, b.Layers...), append(r.Makers, b.Makers...)
	}
	r.Layers, r.Makers = append(r.Layers, layer.Digest), append(r.Makers, node)
	m.putRecord(r)
	return r
}

func (m *machine) putRecord(r *cache.Record) {
	m.t.Helper()
	r.Key = cache.KeyOf(r.Description)
	check(m.t, m.store.Put(r))
}

// send ends a build that left these records.
func (m *machine) send(records ...*cache.Record) {
	m.t.Helper()
	for _, r := range records {
		m.share.Send(Sent{Record: r, Deliver: func(string) bool { return false }})
	}
	m.share.Finish(m.t.Context(), records)
}

// find looks a node up as a build does that misses it.
func (m *machine) find(node string) (found bool, refused []cache.Reason) {
	m.t.Helper()
	static := cache.KeyOf("static " + node)
	for {
		more, why := m.share.Find(m.t.Context(), static)
		if !more {
			return found, why
		}
		found = true
		if _, err := m.store.Lookup(cache.KeyOf("node\t" + node + "\n")); err == nil {
			return true, why
		}
	}
}

// hit fails the test unless a node hits, and returns its record.
func (m *machine) hit(node string) *cache.Record {
	m.t.Helper()
	r, err := m.store.Lookup(cache.KeyOf("node\t" + node + "\n"))
	if err != nil {
		m.t.Fatalf("%s: %v; notices: %q", node, err, m.notices)
	}
	return r
}

func (m *machine) quiet() {
	m.t.Helper()
	if len(m.notices) > 0 {
		m.t.Errorf("notices: %q", m.notices)
	}
}

func TestResultsComeWithOneRequest(t *testing.T) {
	r := newFakeRemote("dir:/r")
	a := newMachine(t, to(r))
	one := a.put("one")
	a.send(one, a.put("two", one))
	a.quiet()

	b := newMachine(t, from(r))
	r.count("load")
	if found, refused := b.find("one"); !found || len(refused) > 0 {
		t.Fatalf("found %t, refused %v", found, refused)
	}
	if found, _ := b.find("two"); !found {
		t.Fatal("two was not found")
	}
	two := b.hit("two")
	if got, err := b.store.ReadBlob(two.Outputs["out"].Digest); err != nil || string(got) != "out of two" {
		t.Errorf("small output: %q, %v", got, err)
	}
	if n := r.count("load"); n != 1 {
		t.Errorf("%d packs were loaded, want 1", n)
	}
	if n := r.count("open"); n != 0 {
		t.Errorf("%d contents were opened before anything needed them", n)
	}
	if two.From() != "dir:/r" {
		t.Errorf("the record is from %q", two.From())
	}
	b.quiet()
}

func TestContentComesWhenItIsNeeded(t *testing.T) {
	r := newFakeRemote("dir:/r")
	a := newMachine(t, to(r))
	one := a.put("one")
	a.send(one)
	b := newMachine(t, from(r))
	b.find("one")
	hit := b.hit("one")
	dir, err := b.store.LayerDir(hit.Layers[0])
	check(t, err)
	if got, err := os.ReadFile(dir + "/one"); err != nil || string(got) != "what one wrote" {
		t.Errorf("the layer has %q, %v", got, err)
	}
	for name, digest := range map[string]cache.Digest{"large output": hit.Outputs["large"].Digest, "log": hit.Log.Digest} {
		want, err := a.store.ReadBlob(digest)
		check(t, err)
		if got, err := b.store.ReadBlob(digest); err != nil || string(got) != string(want) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	b.quiet()
}

// Content that a remote has no longer, or gives wrongly, is as if there were no
// result: the node runs.
func TestFaultsPoisonContent(t *testing.T) {
	suite := faultcount.New(t, "poison")
	for name, test := range map[string]struct {
		change func([]byte) []byte
		why    string
	}{
		"gone":      {func([]byte) []byte { return nil }, "not found"},
		"altered":   {inverted, "its SHA-256 is"},
		"truncated": {func(b []byte) []byte { return b[:1] }, "cut off after"},
		"empty":     {func([]byte) []byte { return []byte{} }, "cut off after"},
		"longer":    {func(b []byte) []byte { return append([]byte("before"), b...) }, "its SHA-256 is"},
		"other":     {func(b []byte) []byte { return make([]byte, len(b)) }, "its SHA-256 is"},
	} {
		t.Run(name, func(t *testing.T) {
			suite.Case()
			r := newFakeRemote("dir:/r")
			a := newMachine(t, to(r))
			a.send(a.put("one"))
			r.damage(test.change)
			b := newMachine(t, from(r))
			b.find("one")
			hit := b.hit("one")
			if _, err := b.store.LayerDir(hit.Layers[0]); !errors.Is(err, cache.ErrMissing) {
				suite.Wrong(t, "the layer: %v", err)
			}
			if _, err := b.store.Lookup(hit.Key); !errors.Is(err, cache.ErrMiss) {
				suite.Wrong(t, "looked up again: %v", err)
			}
			if said := strings.Join(b.notices, "\n"); !strings.Contains(said, test.why) {
				suite.Wrong(t, "it was said %q, want %q", said, test.why)
			}
			// The run puts the same content, and everything is well.
			if again := b.put("one"); again.Layers[0] != hit.Layers[0] {
				t.Fatal("the test makes another layer")
			}
			if _, err := b.store.LayerDir(b.hit("one").Layers[0]); err != nil {
				t.Error(err)
			}
		})
	}
}

func inverted(b []byte) []byte {
	for i := range b {
		b[i] ^= 0xff
	}
	return b
}

// What nobody sent, because only other nodes need it, does not keep a result
// from being used, until it is needed.
func TestLargeIntermediateOutputsAreNotSent(t *testing.T) {
	r := newFakeRemote("dir:/r")
	a := newMachine(t, to(r))
	disk := a.put("disk")
	raw, err := a.store.PutBytes(make([]byte, maxIntermediate+1))
	check(t, err)
	disk.Outputs["image.raw"] = raw
	a.putRecord(disk)
	a.send(disk)
	b := newMachine(t, from(r))
	b.find("disk")
	b.hit("disk")
	if _, err := b.store.BlobFile(raw.Digest); !errors.Is(err, cache.ErrMissing) {
		t.Fatalf("a file that was not sent: %v", err)
	}
	if _, err := b.store.Lookup(disk.Key); !errors.Is(err, cache.ErrMiss) {
		t.Errorf("looked up again: %v", err)
	}

	a.again(to(r))
	a.share.Send(Sent{Record: disk, Deliver: func(output string) bool { return output == "image.raw" }})
	a.share.Finish(t.Context(), []*cache.Record{disk})
	c := newMachine(t, from(r))
	c.find("disk")
	c.hit("disk")
	if _, err := c.store.BlobFile(raw.Digest); err != nil {
		t.Errorf("a file that the user gets was not sent: %v", err)
	}
}

func TestNothingIsSentTwice(t *testing.T) {
	r := newFakeRemote("dir:/r")
	a := newMachine(t, to(r))
	one := a.put("one")
	a.send(one)
	r.count("upload")
	r.count("save")
	a.again(to(r))
	a.send(one)
	if n := r.count("upload") + r.count("save"); n != 0 {
		t.Errorf("the second build sent %d things", n)
	}
	two := a.put("two", one)
	a.again(to(r))
	a.send(one, two)
	if n := r.count("upload"); n != 1 {
		t.Errorf("one node more made %d uploads, want 1", n)
	}
	if n := r.count("save"); n != 2 {
		t.Errorf("one node more made %d packs, want its own and that of the image", n)
	}
	// A remote that lost everything gets it again.
	r.damage(func([]byte) []byte { return nil })
	clear(r.objects)
	a.again(to(r))
	a.send(one, two)
	b := newMachine(t, from(r))
	b.find("two")
	if _, err := b.store.LayerDir(b.hit("two").Layers[0]); err != nil {
		t.Error(err)
	}
}

// The result of one image is found for another, by its static key alone.
func TestOtherImagesFindResults(t *testing.T) {
	r := newFakeRemote("dir:/r")
	a := newMachine(t, to(r))
	a.send(a.put("one"))
	b := newMachine(t, from(r))
	b.share.o.Image = "db"
	if found, _ := b.find("one"); !found {
		t.Fatal("not found")
	}
	b.hit("one")
	if found, _ := b.find("two"); found {
		t.Error("found what nobody made")
	}
}

// Packs keep what earlier builds left, up to a number for each node.
func TestPacksKeepEarlierResults(t *testing.T) {
	r := newFakeRemote("dir:/r")
	a := newMachine(t, to(r))
	var all []*cache.Record
	for i := range maxPerNode + 1 {
		one := a.put("one")
		one.Description = fmt.Sprintf("node\tone\nversion\t%d\n", i)
		a.putRecord(one)
		a.again(to(r))
		a.send(one)
		all = append(all, one)
	}
	b := newMachine(t, from(r))
	b.find("nothing")
	for i, one := range all {
		_, err := b.store.Lookup(one.Key)
		if hit := err == nil; hit != (i > 0) {
			t.Errorf("version %d of %d: hit %t", i, len(all), hit)
		}
	}
	last, err := b.store.Last("web", "one")
	check(t, err)
	if last.Key != all[len(all)-1].Key {
		t.Error("the history does not begin with the newest")
	}
}

// A pack that could not be read has results of others, and is not replaced
// unseen.
func TestPacksThatCannotBeReadStay(t *testing.T) {
	r := newFakeRemote("dir:/r")
	a := newMachine(t, to(r))
	first := a.put("one")
	a.send(first)
	second := a.put("one")
	second.Description = "node\tone\nversion\t2\n"
	a.putRecord(second)
	r.failLoad = errors.New("connection reset")
	a.again(to(r))
	a.send(second)
	r.failLoad = nil
	b := newMachine(t, from(r))
	if found, _ := b.find("one"); !found {
		t.Error("the first result is gone")
	}
	if len(a.notices) == 0 {
		t.Error("nobody was told")
	}
	a.again(to(r))
	a.send(second)
	c := newMachine(t, from(r))
	c.find("one")
	for _, one := range []*cache.Record{first, second} {
		if _, err := c.store.Lookup(one.Key); err != nil {
			t.Errorf("later: %v", err)
		}
	}
}

// However many packs a remote does not take, it is said once.
func TestFailuresAreToldOnce(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want []string // one of them
	}{
		// What it answers between two refusals, to those who read, keeps it in.
		"refused":  {&remote.StatusError{Status: 403}, []string{"left out from now on", "has not all results of this build: the server answered 403"}},
		"too much": {fmt.Errorf("save: %w", remote.ErrTooLarge), []string{"has not all results of this build: save: too large (and 4 more)"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newFakeRemote("dir:/r")
			r.failSave = test.err
			a := newMachine(t, Options{})
			o := to(r)
			o.To[0].Remote = remote.NewGuard(r, remote.GuardOptions{Retries: -1, Warn: func(text string) { a.notices = append(a.notices, text) }})
			a.again(o)
			var all []*cache.Record
			for i := range 5 {
				all = append(all, a.put(fmt.Sprint("node", i)))
			}
			a.send(all...)
			if len(a.notices) != 1 || !slices.ContainsFunc(test.want, func(want string) bool { return strings.Contains(a.notices[0], want) }) {
				t.Errorf("notices: %q, want one of %q", a.notices, test.want)
			}
		})
	}
}

func TestStacksCome(t *testing.T) {
	r := newFakeRemote("dir:/r")
	a := newMachine(t, to(r))
	one, two := a.put("one"), a.put("two")
	below, err := a.store.PutStack(nil, one.Layers, one.Makers, nil)
	check(t, err)
	below, err = a.store.PutStack(below, two.Layers, two.Makers, nil)
	check(t, err)
	three := a.put("three")
	three.Below = below
	a.putRecord(three)
	a.send(three)
	b := newMachine(t, from(r))
	b.find("three")
	layers, _ := b.hit("three").Tree()
	if len(layers) != 3 {
		t.Fatalf("%d layers, want 3", len(layers))
	}
	b.store.SupplyLayers(layers)
	for _, l := range layers {
		if !b.store.HasLayer(l) {
			t.Errorf("layer %s did not come", l.Short())
		}
	}
	b.quiet()
}

// newKey makes a key: to sign with, to trust, and its public text.
func newKey(t *testing.T) (trust.Signer, trust.Key, string) {
	t.Helper()
	secret, public, err := trust.GenerateKey("ci")
	check(t, err)
	signer, err := trust.KeySigner(secret)
	check(t, err)
	key, err := trust.ParseKey(public)
	check(t, err)
	return signer, key, public
}

func TestFaultsPoisonKeys(t *testing.T) {
	suite := faultcount.New(t, "poison")
	signer, key, public := newKey(t)
	strict := policyOf(t, trust.Rule{Keys: []trust.Key{key}})
	r := newFakeRemote("oci://example.org/cache")
	unsigned := newMachine(t, to(r))
	unsigned.send(unsigned.put("one"))

	o := from(r)
	o.Policy = strict
	b := newMachine(t, o)
	found, refused := b.find("one")
	suite.Case()
	if found || len(refused) == 0 || refused[0].Kind != cache.ReasonUntrusted || !strings.Contains(refused[0].Detail, "not signed") {
		suite.Wrong(t, "unsigned: found %t, %v", found, refused)
	}

	signed := to(r)
	signed.Signers = []trust.Signer{signer}
	a := newMachine(t, signed)
	a.send(a.put("one"))
	b.again(o)
	if found, refused := b.find("one"); !found || len(refused) > 0 {
		t.Errorf("signed: found %t, refused %v", found, refused)
	}
	hit := b.hit("one")
	if reason, ok := b.share.Allows(hit); !ok {
		t.Errorf("a trusted record is refused: %v", reason)
	}

	// The key is revoked after the record came.
	o.Policy = policyOf(t, trust.Rule{Keys: []trust.Key{key}, Revoked: []string{public}})
	b.again(o)
	reason, ok := b.share.Allows(hit)
	suite.Case()
	if ok || reason.Kind != cache.ReasonUntrusted || !strings.Contains(reason.Detail, "revoked") {
		suite.Wrong(t, "after the key was revoked: allowed %t, %v", ok, reason)
	}
}

// A pack under the name of another one is refused, though it is signed.
func TestFaultsPoisonReplay(t *testing.T) {
	suite := faultcount.New(t, "poison")
	suite.Case()
	signer, key, _ := newKey(t)
	r := newFakeRemote("oci://example.org/cache")
	signed := to(r)
	signed.Signers = []trust.Signer{signer}
	a := newMachine(t, signed)
	a.send(a.put("one"), a.put("two"))
	one := a.share.nodeName("main", cache.KeyOf("static one"))
	two := a.share.nodeName("main", cache.KeyOf("static two"))
	r.objects[one] = r.objects[two]
	delete(r.objects, a.share.imageName("main"))
	o := from(r)
	o.Policy = policyOf(t, trust.Rule{Keys: []trust.Key{key}})
	b := newMachine(t, o)
	if found, refused := b.find("one"); found || len(refused) != 1 || refused[0].Kind != cache.ReasonUntrusted {
		suite.Wrong(t, "found %t, refused %v", found, refused)
	}
}

// A remote that does not answer costs results, never the build.
func TestUnreachableRemotes(t *testing.T) {
	r := newFakeRemote("dir:/r")
	r.fail = errors.New("connection refused")
	b := newMachine(t, Options{From: places(r), To: places(r)})
	found, refused := b.find("one")
	if found || len(refused) == 0 || refused[0].Kind != cache.ReasonUnreachable {
		t.Errorf("found %t, refused %v", found, refused)
	}
	b.send(b.put("one"))
	b.hit("one")
}

// Two of them are asked in their order, and what one lacks the next may have.
func TestChain(t *testing.T) {
	near, far := newFakeRemote("dir:/near"), newFakeRemote("dir:/far")
	a := newMachine(t, to(far))
	a.send(a.put("one"))
	b := newMachine(t, Options{From: places(near, far), To: places(near)})
	b.find("one")
	hit := b.hit("one")
	_, err := b.store.LayerDir(hit.Layers[0])
	check(t, err)
	b.send(hit)
	// What came from afar is near from now on.
	c := newMachine(t, from(near))
	c.find("one")
	if _, err := c.store.LayerDir(c.hit("one").Layers[0]); err != nil {
		t.Error(err)
	}
}

func TestFaultsPoisonSpots(t *testing.T) {
	suite := faultcount.New(t, "poison")
	good := spot{Parcel: remote.Content{Size: 10}, Offset: 4, Part: remote.Content{Size: 6}}
	for name, change := range map[string]func(*spot){
		"beyond the end":  func(s *spot) { s.Offset++ },
		"before":          func(s *spot) { s.Offset = -1 },
		"negative part":   func(s *spot) { s.Part.Size = -1 },
		"huge part":       func(s *spot) { s.Part.Size = 1 << 62; s.Offset = 1 << 62 },
		"negative size":   func(s *spot) { s.Size = -1 },
		"negative parcel": func(s *spot) { s.Parcel.Size = -5 },
	} {
		suite.Case()
		bad := good
		change(&bad)
		for _, try := range []struct {
			at   spot
			fine bool
		}{{good, true}, {bad, false}} {
			p := &pack{Format: packFormat, Spots: map[cache.Digest]spot{cache.DigestBytes([]byte("x")): try.at}}
			data, err := p.encode()
			check(t, err)
			if _, err := decodePack(data); (err == nil) != try.fine {
				suite.Wrong(t, "%s: %v", name, err)
			}
		}
	}
}

func TestFaultsPoisonRecords(t *testing.T) {
	suite := faultcount.New(t, "poison")
	suite.Case()
	r := newFakeRemote("dir:/r")
	a := newMachine(t, to(r))
	one := a.put("one")
	text, err := one.Text()
	check(t, err)
	forged := strings.Replace(string(text), "node\tone", "node\ttwo", 1)
	b := newMachine(t, from(r))
	p := &pack{Format: packFormat, Records: []string{forged, string(text)}}
	n, err := b.share.take(p, "dir:/r", []byte(`{"remote":"dir:/r"}`), false)
	if n != 1 || err == nil {
		suite.Wrong(t, "took %d records, %v", n, err)
	}
	if exists(b.store, "two") {
		suite.Wrong(t, "the forged record is there")
	}
}

func exists(s *cache.Store, node string) bool {
	_, err := s.Record(cache.KeyOf("node\t" + node + "\n"))
	return err == nil
}

// A build that does not wait leaves nobody behind who would use its store.
func TestStopGivesUp(t *testing.T) {
	r := newFakeRemote("dir:/r")
	a := newMachine(t, to(r))
	one := a.put("one")
	for range 100 {
		a.share.Send(Sent{Record: one, Deliver: func(string) bool { return false }})
	}
	a.share.Stop()
	select {
	case <-a.share.sender.done:
	default:
		t.Error("the sender goes on")
	}
	if n := r.count("save"); n != 0 {
		t.Errorf("%d packs lead to what may not be there", n)
	}
	a.share.Stop() // again
}
