package trust

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// A Salt disowns what was stored before it was set: it is in the names of objects
// and in their notes. It is not secret. The zero Salt is not valid; [NewSalt]
// makes one.
type Salt string

// NewSalt returns the salt of a text that a user chose. An empty text is a salt,
// too: that of the first generation.
func NewSalt(text string) Salt {
	if text == "" {
		return "none"
	}
	sum := sha256.Sum256([]byte("dibgraph salt\n" + text))
	return Salt(hex.EncodeToString(sum[:16]))
}

// maxScope is the length of the longest scope.
const maxScope = 64

var scopeForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$`)

// CheckScope says what is wrong with the name of a scope: it consists of letters,
// digits, ".", "_" and "-", in parts between slashes that begin with a letter or
// digit, as in main, pr/17 or release-2.1.
func CheckScope(scope string) error {
	if len(scope) > maxScope {
		return fmt.Errorf("%q is no scope: it is longer than %d bytes", scope, maxScope)
	}
	if !scopeForm.MatchString(scope) {
		return fmt.Errorf(`%q is no scope: want letters, digits, ".", "_" and "-", with slashes between parts, as in main or pr/17`, scope)
	}
	return nil
}

// CheckScopes says what is wrong with patterns of scopes, of [path.Match].
func CheckScopes(patterns []string) error {
	for _, p := range patterns {
		if _, err := path.Match(p, ""); err != nil || p == "" {
			return fmt.Errorf("%q is no pattern of scopes: want a scope with * for any part, as in pr/*", p)
		}
	}
	return nil
}

// matches reports whether a scope is one of those that the patterns describe; no
// patterns describe all.
func matches(patterns []string, scope string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, scope)
		return err == nil && ok
	})
}

// maxReadable is how much of a name is for people: with the digest after it, it
// is short enough for every kind of remote.
const maxReadable = 48

// ObjectName returns the name that an object has on a remote: some of what it is
// about, for people, and a digest of all of it. Kind and id are any text.
func ObjectName(kind, scope string, salt Salt, id string) string {
	sum := sha256.New()
	for _, part := range []string{"dibgraph name 1", kind, scope, string(salt), id} {
		fmt.Fprintf(sum, "%d:%s,", len(part), part)
	}
	readable := strings.Map(nameLetter, strings.ToLower(kind+"-"+scope+"-"+id))
	readable = strings.TrimLeft(readable, "._-")
	readable = strings.TrimRight(readable[:min(len(readable), maxReadable)], "._-")
	return strings.TrimLeft(readable+"-"+hex.EncodeToString(sum.Sum(nil)), "-")
}

func nameLetter(r rune) rune {
	switch {
	case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '_':
		return r
	}
	return '-'
}
