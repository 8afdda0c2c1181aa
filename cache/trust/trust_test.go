package trust

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/cache/remote"
	"github.com/dibgraph/dibgraph/internal/faultcount"
)

const (
	registry = "oci://registry.example.org/cache"
	folder   = "dir:/srv/cache"
)

var salt = NewSalt("")

// A maker has a key and signs with it.
type maker struct {
	t              *testing.T
	secret, public string
	signer         Signer
}

func newMaker(t *testing.T, name string) maker {
	t.Helper()
	secret, public, err := GenerateKey(name)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := KeySigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	return maker{t, secret, public, signer}
}

// key returns the public key, trusted for scopes.
func (m maker) key(scopes ...string) Key {
	m.t.Helper()
	text := m.public
	if len(scopes) > 0 {
		text += "@" + strings.Join(scopes, ",")
	}
	key, err := ParseKey(text)
	if err != nil {
		m.t.Fatal(err)
	}
	return key
}

func newPolicy(t testing.TB, r Rule) *Policy {
	t.Helper()
	p, err := NewPolicy(r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func statement(payload []byte) Statement {
	return Statement{
		Scope: "main", Name: ObjectName("pack", "main", salt, "web amd64"), Salt: salt, Image: "web", Arch: "amd64", Builder: "ci@runner",
		Time: time.Now(), Payload: remote.Content{Sum: sha256.Sum256(payload), Size: int64(len(payload))},
	}
}

func seal(t testing.TB, s Statement, signers ...Signer) []byte {
	t.Helper()
	note, err := Seal(t.Context(), s, signers...)
	if err != nil {
		t.Fatal(err)
	}
	return note
}

func wanted(s Statement) Want {
	return Want{Remote: registry, Scope: s.Scope, Name: s.Name, Salt: s.Salt}
}

func TestOpen(t *testing.T) {
	m, stranger := newMaker(t, "ci"), newMaker(t, "ci")
	payload := []byte("payload\n\n— ci AAAA\n")
	s := statement(payload)
	for _, test := range []struct {
		name    string
		rule    Rule
		signers []Signer
		remote  string
		signed  bool
	}{
		{"trusted for all", Rule{Keys: []Key{m.key()}}, []Signer{m.signer}, registry, true},
		{"trusted for the scope", Rule{Keys: []Key{m.key("pr/*", "main")}}, []Signer{m.signer}, registry, true},
		{"trusted twice", Rule{Keys: []Key{m.key("pr/*"), m.key("main")}}, []Signer{m.signer}, registry, true},
		{"two signatures, one of them known", Rule{Keys: []Key{m.key()}}, []Signer{stranger.signer, m.signer}, registry, true},
		{"two signatures, one of them revoked", Rule{Keys: []Key{m.key()}, Revoked: []string{stranger.public}}, []Signer{stranger.signer, m.signer}, registry, true},
		{"unsigned in a directory", Rule{}, nil, folder, false},
		{"stranger in a directory", Rule{Keys: []Key{m.key()}}, []Signer{stranger.signer}, folder, false},
		{"signed in a directory", Rule{Keys: []Key{m.key()}}, []Signer{m.signer}, folder, true},
		{"for another scope in a directory", Rule{Keys: []Key{m.key("pr/*")}}, []Signer{m.signer}, folder, false},
		{"unsigned where that is allowed", Rule{Signatures: map[string]bool{registry: false}}, nil, registry, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, want := newPolicy(t, test.rule), wanted(s)
			want.Remote = test.remote
			opened, err := p.Open(t.Context(), Pack(seal(t, s, test.signers...), payload), want)
			if err != nil {
				t.Fatal(err)
			}
			origin := Origin{Remote: test.remote, Scope: "main", Signed: test.signed}
			if test.signed {
				origin.Key = m.signer.Key()
			}
			if opened.Origin != origin || !bytes.Equal(opened.Payload, payload) {
				t.Errorf("got %+v and %q, want %+v", opened.Origin, opened.Payload, origin)
			}
			if opened.Statement.text() != s.text() {
				t.Errorf("got the statement\n%s\nwant\n%s", opened.Statement.text(), s.text())
			}
			if err := p.Allows(opened.Origin); err != nil {
				t.Errorf("later it is refused: %v", err)
			}
		})
	}
}

// Everything that someone can do who may write to a remote, or has a key of
// another scope: each has to be refused, for its own reason.
func TestFaultsPoison(t *testing.T) {
	suite := faultcount.New(t, "poison")
	main, pull, stranger, old := newMaker(t, "main"), newMaker(t, "pull"), newMaker(t, "main"), newMaker(t, "old")
	p := newPolicy(t, Rule{
		Keys: []Key{main.key(), pull.key("pr/*"), old.key()}, Revoked: []string{old.signer.Key()}, Scopes: []string{"main", "pr/*"},
		Signatures: map[string]bool{"dir:/strict": true},
	})
	payload := []byte("the payload")
	good := statement(payload)
	note := seal(t, good, main.signer)
	want := wanted(good)
	other := func(change func(*Statement), signers ...Signer) []byte {
		s := good
		change(&s)
		return Pack(seal(t, s, signers...), payload)
	}
	replace := func(old, new string) []byte {
		if !bytes.Contains(note, []byte(old)) {
			t.Fatalf("%q is not in the note", old)
		}
		return Pack(bytes.Replace(note, []byte(old), []byte(new), 1), payload)
	}
	unsigned := seal(t, good)
	strict := want
	strict.Remote = "dir:/strict"
	open := want
	open.Remote = folder
	// The scope that is asked for is that of the pack, but not one that is read.
	unread := want
	unread.Scope = "release-1"
	otherPayload := []byte("another payload")
	swapped := Pack(seal(t, statement(otherPayload), main.signer), payload)
	for _, test := range []struct {
		name   string
		object []byte
		want   Want
		why    Why
	}{
		{"altered payload", Pack(note, []byte("the pay1oad")), want, Altered},
		{"longer payload", Pack(note, append(bytes.Clone(payload), 0)), want, Altered},
		{"no payload", Pack(note, nil), want, Altered},
		{"payload of another pack", swapped, want, Altered},
		{"altered image", replace("image: web", "image: wep"), want, BadSignature},
		{"altered scope", replace("scope: main", "scope: mains"), want, BadSignature},
		{"altered sum", replace("sha256 ", "sha256 0"), want, Damaged},
		{"a further line", replace("image: web\n", "image: web\nimage: web\n"), want, Damaged},
		{"another time zone", replace("Z\npayload", "+00:00\npayload"), want, Damaged},
		{"signature of another note", Pack(append(bytes.Clone(unsigned), signatures(seal(t, statement(otherPayload), main.signer))...), payload), want, BadSignature},
		{"signature of a stranger of the same name", Pack(seal(t, good, stranger.signer), payload), want, UnknownKey},
		{"unknown key", Pack(seal(t, good, newMaker(t, "eve").signer), payload), want, UnknownKey},
		{"revoked key", Pack(seal(t, good, old.signer), payload), want, RevokedKey},
		{"revoked key in a directory", Pack(seal(t, good, old.signer), payload), open, RevokedKey},
		{"bad signature in a directory", replace("image: web", "image: wep"), open, BadSignature},
		{"altered payload in a directory", Pack(unsigned, []byte("the pay1oad")), open, Altered},
		{"another name in a directory", Pack(unsigned, payload), func() Want { w := open; w.Name = "x"; return w }(), OtherName},
		{"key of another scope", Pack(seal(t, good, pull.signer), payload), want, KeyScope},
		{"pack of another scope", other(func(s *Statement) { s.Scope = "pr/7" }, pull.signer), want, OtherScope},
		{"pack of another scope, good key", other(func(s *Statement) { s.Scope = "pr/7" }, main.signer), want, OtherScope},
		{"scope that is not read", other(func(s *Statement) { s.Scope = "release-1" }, main.signer), unread, ScopeNotRead},
		{"another name", other(func(s *Statement) { s.Name = ObjectName("pack", "main", salt, "db amd64") }, main.signer), want, OtherName},
		{"another salt", other(func(s *Statement) { s.Salt = NewSalt("2") }, main.signer), want, OtherSalt},
		{"from the future", other(func(s *Statement) { s.Time = time.Now().Add(2 * time.Hour) }, main.signer), want, FromFuture},
		{"signature taken away", Pack(unsigned, payload), want, Unsigned},
		{"unsigned in a strict directory", Pack(unsigned, payload), strict, Unsigned},
		{"two notes", Pack(append(bytes.Clone(note), note...), payload), want, Damaged},
		{"unsigned note before a good one", Pack(append(bytes.Clone(unsigned), note...), payload), want, Damaged},
		{"lines after the signature", Pack(append(bytes.Clone(note), "image: web\n"...), payload), want, Damaged},
		{"no note", Pack(nil, payload), want, Damaged},
		{"two objects", append(Pack(note, payload), Pack(note, payload)...), want, Damaged},
		{"cut off", Pack(note, payload)[:len(note)], want, Damaged},
		{"empty", nil, want, Damaged},
		{"no frame", append(bytes.Clone(note), payload...), want, Damaged},
		{"part of the note as payload", shifted(note, payload, -1), want, Damaged},
		{"part of the payload as note", shifted(note, payload, 1), want, Damaged},
		{"note without its signature, as payload", shifted(note, payload, -len(signatures(note))), want, Unsigned},
		{"large sizes", []byte("dibgraph-pack 1 10 99999999999\n0123456789"), want, Oversized},
		{"negative size", []byte("dibgraph-pack 1 -10 20\n0123456789"), want, Damaged},
		{"overflowing size", []byte("dibgraph-pack 1 10 99999999999999999999999999\n0"), want, Damaged},
		{"sizes written otherwise", []byte("dibgraph-pack 1 010 0\n0123456789"), want, Damaged},
		{"large note", Pack(bytes.Repeat([]byte("x"), maxNote+1), payload), want, Oversized},
		{"another frame", bytes.Replace(Pack(note, payload), []byte("pack 1 "), []byte("pack 2 "), 1), want, UnknownFormat},
		{"another kind of note", replace(noteFormat, "dibgraph pack 2"), want, UnknownFormat},
		{"a note about something else", replace(noteFormat, "go.sum database tree"), want, Damaged},
	} {
		t.Run(test.name, func(t *testing.T) {
			suite.Case()
			opened, err := p.Open(t.Context(), test.object, test.want)
			var refused *RefusedError
			if opened != nil || !errors.As(err, &refused) {
				suite.Wrong(t, "opened as %+v, %v", opened, err)
				return
			}
			if refused.Why != test.why || refused.Text == "" {
				suite.Wrong(t, "refused as %s (%v), want %s", refused.Why, err, test.why)
			}
		})
	}
	if _, err := p.Open(t.Context(), Pack(note, payload), want); err != nil {
		t.Errorf("the pack that all of these were made of: %v", err)
	}
}

// signatures returns the lines of a note that are signatures.
func signatures(note []byte) []byte {
	return note[bytes.LastIndex(note, []byte("\n\n"))+2:]
}

// shifted returns an object whose frame says that the note is longer by so much.
func shifted(note, payload []byte, by int) []byte {
	return append(append(frameHeader(len(note)+by, len(payload)-by), note...), payload...)
}

// What came before is refused once it would not be taken any more.
func TestFaultsPoisonLater(t *testing.T) {
	suite := faultcount.New(t, "poison")
	ci := newMaker(t, "ci")
	signed := Origin{Remote: registry, Scope: "main", Key: ci.signer.Key(), Signed: true}
	for _, test := range []struct {
		name   string
		rule   Rule
		origin Origin
		why    Why
	}{
		{"trusted", Rule{Keys: []Key{ci.key()}}, signed, ""},
		{"revoked since", Rule{Keys: []Key{ci.key()}, Revoked: []string{ci.public}}, signed, RevokedKey},
		{"revoked since, from a directory", Rule{Revoked: []string{ci.public}}, Origin{folder, "main", ci.signer.Key(), true}, RevokedKey},
		{"no longer trusted", Rule{}, signed, UnknownKey},
		{"no longer trusted for the scope", Rule{Keys: []Key{ci.key("pr/*")}}, signed, KeyScope},
		{"of a pull request, read by main", Rule{Keys: []Key{ci.key()}, Scopes: []string{"main"}}, Origin{registry, "pr/7", ci.signer.Key(), true}, ScopeNotRead},
		{"unsigned directory of another scope", Rule{Scopes: []string{"main"}}, Origin{folder, "pr/7", "", false}, ScopeNotRead},
		{"unsigned, from a directory", Rule{}, Origin{folder, "main", "", false}, ""},
		{"unsigned, from a directory that needs signatures now", Rule{Signatures: map[string]bool{folder: true}}, Origin{folder, "main", "", false}, Unsigned},
		{"unsigned", Rule{Keys: []Key{ci.key()}}, Origin{registry, "main", "", false}, Unsigned},
		{"unsigned, although it names a key", Rule{Keys: []Key{ci.key()}}, Origin{registry, "main", ci.signer.Key(), false}, Unsigned},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.why != "" {
				suite.Case()
			}
			err := newPolicy(t, test.rule).Allows(test.origin)
			var refused *RefusedError
			errors.As(err, &refused)
			if (test.why == "") != (err == nil) || refused != nil && refused.Why != test.why {
				suite.Wrong(t, "got %v, want it refused as %q", err, test.why)
			}
		})
	}
}

func TestSealRefuses(t *testing.T) {
	for name, change := range map[string]func(*Statement){
		"a line more":     func(s *Statement) { s.Image = "web\nscope: main" },
		"a control":       func(s *Statement) { s.Builder = "a\x1b[2J" },
		"no UTF-8":        func(s *Statement) { s.Arch = "\xff" },
		"no scope":        func(s *Statement) { s.Scope = "" },
		"no name":         func(s *Statement) { s.Name = "" },
		"no salt":         func(s *Statement) { s.Salt = "" },
		"a large payload": func(s *Statement) { s.Payload.Size = maxPayload + 1 },
	} {
		s := statement(nil)
		change(&s)
		if note, err := Seal(context.Background(), s); err == nil {
			t.Errorf("%s: sealed as %q", name, note)
		}
	}
}

func FuzzOpen(f *testing.F) {
	secret, public, err := GenerateKey("ci")
	if err != nil {
		f.Fatal(err)
	}
	signer, err := KeySigner(secret)
	if err != nil {
		f.Fatal(err)
	}
	key, err := ParseKey(public)
	if err != nil {
		f.Fatal(err)
	}
	p := newPolicy(f, Rule{Keys: []Key{key}})
	payload := []byte("payload")
	s := statement(payload)
	good, bare := Pack(seal(f, s, signer), payload), Pack(seal(f, s), payload)
	f.Add(good)
	f.Add(bare)
	f.Add([]byte("dibgraph-pack 1 0 0\n"))
	f.Fuzz(func(t *testing.T, object []byte) {
		note, body, err := Unpack(object)
		if err == nil && !bytes.Equal(Pack(note, body), object) {
			t.Errorf("%q is packed as %q", object, Pack(note, body))
		}
		// The one object that the key has signed is the one that opens.
		if opened, err := p.Open(t.Context(), object, wanted(s)); err == nil && (!bytes.Equal(opened.Payload, payload) || opened.Statement.text() != s.text()) {
			t.Errorf("%q is opened as %+v", object, opened)
		}
		want := wanted(s)
		want.Remote = folder
		if opened, err := p.Open(t.Context(), object, want); err == nil && opened.Statement.Payload.Sum != sha256.Sum256(opened.Payload) {
			t.Errorf("%q is opened as %+v", object, opened)
		}
	})
}
