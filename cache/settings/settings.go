package settings

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/dibgraph/dibgraph/cache/trust"
)

// Settings are all that is said about shared caches.
type Settings struct {
	// From are the remotes that results are taken from, in the order in which
	// they are asked; To those that get the results of builds.
	From, To []Place
	// Scope is what is stored under in To; ReadScopes are those that are read.
	Scope      string
	ReadScopes []string
	// Salt disowns what was stored with another one.
	Salt string
	// Sign says how to sign; the zero value is not at all.
	Sign Signing
	// Trust are the keys that are trusted, Revoked those that never are.
	Trust   []Trusted
	Revoked []string
	// MaxSize is the size of the local store that trim keeps to; MinFree is what
	// it leaves free on the filesystem. Zero is no limit.
	MaxSize int64
	MinFree Amount

	// Given says by name (Names) where a setting is from, "--cache-from" or
	// "/etc/dibgraph/config.yaml:3". What is not in it has its default.
	Given map[string]string
}

// Names are the names of all settings, as in a file, in the order in which they
// are shown. "sign" is whichever of the ways to sign was given.
var Names = []string{"from", "to", "scope", "read_scopes", "salt", "sign", "trust", "revoked", "max_size", "min_free"}

// mainScope is what is written and read unless another scope is given.
const mainScope = "main"

// A Place is one remote.
type Place struct {
	URL string
	// Scope is read or written there in place of that of the settings; empty
	// for that.
	Scope string
	// RequireSignature says whether what it has must be signed; nil for what is
	// usual for its kind.
	RequireSignature *bool
	// CAFile has the certificates by which its server is known; empty for those
	// of the machine.
	CAFile string
}

// String returns the address without what may be secret in it.
func (p Place) String() string {
	u, err := url.Parse(p.URL)
	if err != nil {
		scheme, _, _ := strings.Cut(p.URL, ":")
		return scheme + ":…"
	}
	if u.User != nil {
		u.User = nil
	}
	if u.RawQuery != "" {
		u.RawQuery = "…"
	}
	return u.String()
}

// A Signing says how packs are signed: with a key, with the key in a file, or by
// a command. At most one of them is given.
type Signing struct {
	Key     string
	File    string
	Name    string // of the key that Command has
	Command []string
}

// String says how, without the key.
func (s Signing) String() string {
	switch {
	case s.Key != "":
		return "with the key that was given"
	case s.File != "":
		return "with the key in " + s.File
	case len(s.Command) > 0:
		return fmt.Sprintf("as %s by the command %q", s.Name, s.Command)
	}
	return "not at all"
}

// GoString keeps the key out of what is printed to find mistakes.
func (s Signing) GoString() string { return s.String() }

// Signer returns what signs, nil if nothing does. Env is what a command gets.
func (s Signing) Signer(env []string) (trust.Signer, error) {
	switch {
	case s.Key != "":
		signer, err := trust.KeySigner(s.Key)
		if err != nil {
			return nil, fmt.Errorf("the key to sign with: %w", err)
		}
		return signer, nil
	case s.File != "":
		return trust.ReadKeyFile(s.File)
	case len(s.Command) > 0:
		return trust.CommandSigner(s.Name, trust.Command{Args: s.Command, Env: env})
	}
	return nil, nil
}

// A Trusted is a key that is trusted: a public one, or the name of one whose
// signatures a command verifies.
type Trusted struct {
	Key    string
	Scopes []string

	Name          string
	VerifyCommand []string
}

// String is the key with its scopes, as [trust.ParseKey] reads it.
func (t Trusted) String() string {
	text := t.Key
	if t.Key == "" {
		text = fmt.Sprintf("%s by the command %q", t.Name, t.VerifyCommand)
	}
	if len(t.Scopes) > 0 {
		text += "@" + strings.Join(t.Scopes, ",")
	}
	return text
}

func (t Trusted) key(env []string) (trust.Key, error) {
	if t.Key == "" {
		return trust.CommandKey(t.Name, trust.Command{Args: t.VerifyCommand, Env: env}, t.Scopes...)
	}
	return trust.ParseKey(t.String())
}

// Rule returns what is to be believed; the caller adds which remotes need
// signatures, by their addresses. Env is what commands get that verify.
func (s *Settings) Rule(env []string) (trust.Rule, error) {
	rule := trust.Rule{Revoked: s.Revoked, Scopes: s.allReadScopes()}
	var problems []error
	for _, t := range s.Trust {
		key, err := t.key(env)
		if err != nil {
			problems = append(problems, fmt.Errorf("trusted keys, from %s: %w", s.Given["trust"], err))
			continue
		}
		rule.Keys = append(rule.Keys, key)
	}
	return rule, errors.Join(problems...)
}

// Reads returns the scopes that are read at a place, the first asked first.
func (s *Settings) Reads(p Place) []string {
	if p.Scope != "" {
		return []string{p.Scope}
	}
	return s.ReadScopes
}

// Writes returns the scope that is written at a place.
func (s *Settings) Writes(p Place) string { return cmp.Or(p.Scope, s.Scope) }

// allReadScopes are those of the settings and those of single remotes.
func (s *Settings) allReadScopes() []string {
	scopes := slices.Clone(s.ReadScopes)
	for _, p := range s.From {
		if p.Scope != "" && !slices.Contains(scopes, p.Scope) {
			scopes = append(scopes, p.Scope)
		}
	}
	return scopes
}
