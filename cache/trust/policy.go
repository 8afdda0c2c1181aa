package trust

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// maxAhead is how far the clock of another machine may be ahead.
const maxAhead = time.Hour

// unsignedScheme begins addresses of remotes that need no signature unless it is
// asked for: a directory is protected by its own modes.
const unsignedScheme = "dir:"

// A Rule is what a user says about what is to be believed.
type Rule struct {
	// Keys are those that are trusted. One that is there twice is trusted for
	// the scopes of both.
	Keys []Key
	// Revoked are keys, or just their "name+hash", that are not, whatever Keys
	// says.
	Revoked []string
	// Scopes are patterns of scopes that may be read at all; none are all.
	Scopes []string
	// Signatures says by address ([remote.Remote.String]) whether a remote needs
	// signatures. Those that are not in it need them, but for dir:.
	Signatures map[string]bool
}

// A Policy decides what is believed. Its methods may be called concurrently.
type Policy struct {
	keys       map[string]*Key // by ID, without revoked ones
	revoked    map[string]bool
	scopes     []string
	signatures map[string]bool
}

// NewPolicy returns the policy of a rule, or says everything that is wrong in it.
func NewPolicy(r Rule) (*Policy, error) {
	p := &Policy{keys: map[string]*Key{}, revoked: map[string]bool{}, scopes: slices.Clone(r.Scopes), signatures: maps.Clone(r.Signatures)}
	problems := []error{CheckScopes(r.Scopes)}
	for _, text := range r.Revoked {
		id, err := parseID(text)
		problems = append(problems, err)
		p.revoked[id] = true
	}
	for _, k := range r.Keys {
		problems = append(problems, p.add(k))
	}
	return p, errors.Join(problems...)
}

func (p *Policy) add(k Key) error {
	old, again := p.keys[k.ID]
	switch {
	case k.verifier == nil && k.command == nil:
		return fmt.Errorf("key %q was made by neither ParseKey nor CommandKey", k.ID)
	case p.revoked[k.ID]:
	case !again:
		k.Scopes = slices.Clone(k.Scopes)
		p.keys[k.ID] = &k
	case old.public != k.public || old.command != nil && !slices.Equal(old.command.Args, k.command.Args):
		return fmt.Errorf("two trusted keys are both named %q", k.ID)
	case len(old.Scopes) == 0 || len(k.Scopes) == 0:
		old.Scopes = nil
	default:
		old.Scopes = append(old.Scopes, k.Scopes...)
	}
	return nil
}

// NeedsSignature reports whether what a remote has must be signed.
func (p *Policy) NeedsSignature(remote string) bool {
	if needs, ok := p.signatures[remote]; ok {
		return needs
	}
	return !strings.HasPrefix(remote, unsignedScheme)
}

// A Want is what was asked for.
type Want struct {
	Remote string // its address, without secrets
	Scope  string
	Name   string // of the object
	Salt   Salt
}

// An Opened is a pack that is believed.
type Opened struct {
	Statement Statement
	// Origin is kept with everything that is taken from the payload.
	Origin Origin
	// Payload is part of the object.
	Payload []byte
}

// Open checks an object: that it is whole, that it is the one asked for, and that
// a key signed it which is trusted for the scope. It returns a *RefusedError if
// not, and no other error unless ctx ended.
func (p *Policy) Open(ctx context.Context, object []byte, want Want) (*Opened, error) {
	text, payload, err := Unpack(object)
	if err != nil {
		return nil, err
	}
	n, err := parseNote(text)
	if err != nil {
		return nil, refuse(Damaged, "its note is damaged")
	}
	s, err := parseStatement(n.text)
	if err != nil {
		return nil, err
	}
	signed, err := p.signers(ctx, n, text, want)
	if err != nil {
		return nil, err
	}
	if err := s.answers(want); err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(payload); s.Payload.Size != int64(len(payload)) || s.Payload.Sum != sum {
		return nil, refuse(Altered, "its payload is not the one that its note describes: it was altered or damaged")
	}
	origin := Origin{Remote: want.Remote, Scope: s.Scope}
	if origin.Key = p.firstFor(signed, s.Scope); origin.Key != "" {
		origin.Signed = true
	} else if len(signed) > 0 && p.NeedsSignature(want.Remote) {
		return nil, refuse(KeyScope, "it is signed with %s, which is not trusted for scope %s", strings.Join(signed, ", "), s.Scope)
	}
	if err := p.Allows(origin); err != nil {
		return nil, err
	}
	return &Opened{s, origin, payload}, nil
}

// answers says whether the statement is about what was asked for.
func (s Statement) answers(want Want) error {
	switch {
	case s.Scope != want.Scope:
		return refuse(OtherScope, "it was made in scope %s, and stood where one of scope %s belongs", s.Scope, want.Scope)
	case s.Salt != want.Salt:
		return refuse(OtherSalt, "it was made with another salt: it belongs to a generation that was disowned")
	case s.Name != want.Name:
		return refuse(OtherName, "it was made to be %s, and stood where %s belongs", s.Name, want.Name)
	case s.Time.After(time.Now().Add(maxAhead)):
		return refuse(FromFuture, "it says that it was made at %s, which is more than an hour from now", s.Time.Format(time.RFC3339))
	}
	return nil
}

func (p *Policy) firstFor(ids []string, scope string) string {
	for _, id := range ids {
		if matches(p.keys[id].Scopes, scope) {
			return id
		}
	}
	return ""
}

// signers returns the trusted keys that signed a note, in the order of their
// signatures. There may be none only if the remote needs no signature.
func (p *Policy) signers(ctx context.Context, n parsedNote, whole []byte, want Want) ([]string, error) {
	if len(n.signatures) == 0 {
		if p.NeedsSignature(want.Remote) {
			return nil, refuse(Unsigned, "it is not signed, and %s needs signatures", want.Remote)
		}
		return nil, nil
	}
	signed, err := p.builtIn(whole)
	if err != nil {
		return nil, err
	}
	// A command is asked only if no other key settles it.
	if p.firstFor(signed, want.Scope) == "" {
		by, err := p.byCommands(ctx, n)
		if signed = append(signed, by...); err != nil {
			return nil, err
		}
	}
	if len(signed) == 0 {
		return nil, p.unknown(n, want)
	}
	return signed, nil
}

// builtIn returns the keys whose signatures this program can check.
func (p *Policy) builtIn(whole []byte) ([]string, error) {
	opened, err := note.Open(whole, verifiers(p.keys))
	var (
		bad  *note.InvalidSignatureError
		none *note.UnverifiedNoteError
	)
	switch {
	case errors.As(err, &bad):
		return nil, refuse(BadSignature, "its signature is not one of %s: it was altered, or signed by someone else", keyID(bad.Name, bad.Hash))
	case errors.As(err, &none):
		return nil, nil
	case err != nil:
		return nil, refuse(Damaged, "its note is damaged")
	}
	var signed []string
	for _, s := range opened.Sigs {
		signed = append(signed, keyID(s.Name, s.Hash))
	}
	return signed, nil
}

// byCommands returns the key for the first signature that a command takes.
func (p *Policy) byCommands(ctx context.Context, n parsedNote) ([]string, error) {
	var refused error
	for _, s := range n.signatures {
		key := p.keys[s.id]
		if key == nil || key.command == nil {
			continue
		}
		good, err := key.command.verify(ctx, []byte(n.text), s.signature)
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err != nil:
			refused = refuse(Unverified, "its signature of %s could not be verified: %v", s.id, err)
		case good:
			return []string{s.id}, nil
		default:
			refused = refuse(BadSignature, "its signature is not one of %s, says %s", s.id, *key.command)
		}
	}
	return nil, refused
}

// unknown says what is to be thought of a note that no trusted key signed.
func (p *Policy) unknown(n parsedNote, want Want) error {
	var ids []string
	for _, s := range n.signatures {
		if p.revoked[s.id] {
			return refuse(RevokedKey, "it is signed with %s, which was revoked", s.id)
		}
		ids = append(ids, s.id)
	}
	if !p.NeedsSignature(want.Remote) {
		return nil // as good as one without a signature
	}
	return refuse(UnknownKey, "it is signed with %s, which is not trusted here", strings.Join(ids, ", "))
}

// verifiers are the keys that package note can use.
type verifiers map[string]*Key

// Verifier implements [note.Verifiers].
func (v verifiers) Verifier(name string, hash uint32) (note.Verifier, error) {
	if key := v[keyID(name, hash)]; key != nil && key.verifier != nil {
		return key.verifier, nil
	}
	return nil, &note.UnknownVerifierError{Name: name, KeyHash: hash}
}
